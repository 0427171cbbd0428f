package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.IntStream;

class TokenRowsTest {

    @Test
    void get_manyRows_givesEachBack() throws IOException {
        TokenRows.Writer writer = new TokenRows.Writer();
        for (int i = 0; i < 3000; i++) {
            if (i % 1000 == 0) {
                String name = i == 2000 ? "book.txt" : i + ".jsonl";
                writer.begin(new TokenRows.Origin(Path.of("data", name), i / 2000));
            }
            writer.add(row(i), 3L * i);
        }
        TokenRows rows = writer.rows();
        assertThat(rows.size()).isEqualTo(writer.size()).isEqualTo(3000);
        // Backwards, so that the place in the file has to be found.
        for (int i = 2999; i >= 0; i -= 7) {
            assertThat(rows.get(i)).usingRecursiveComparison().isEqualTo(row(i));
            assertThat(rows.length(i)).isEqualTo(row(i).ids().length);
            assertThat(rows.encoderLength(i)).isEqualTo(row(i).encoderLength());
            assertThat(rows.source(i)).isEqualTo(i / 2000);
        }
        assertThat(rows.name(7)).isEqualTo(Path.of("data", "0.jsonl") + ":21");
        assertThat(rows.name(1007)).isEqualTo(Path.of("data", "1000.jsonl") + ":3021");
        assertThat(rows.name(2007)).isEqualTo(Path.of("data", "book.txt") + " block 6021");
    }

    @Test
    void select_ofASelection_countsFromIt() throws IOException {
        TokenRows.Writer writer = new TokenRows.Writer();
        writer.begin(new TokenRows.Origin(Path.of("rows.csv"), 0));
        for (int i = 0; i < 10; i++) {
            writer.add(row(i), i);
        }
        TokenRows part = writer.rows().select(new int[] {9, 4, 6}).select(new int[] {2, 0});
        assertThat(part.size()).isEqualTo(2);
        assertThat(part.get(0)).usingRecursiveComparison().isEqualTo(row(6));
        assertThat(part.get(1)).usingRecursiveComparison().isEqualTo(row(9));
        assertThat(part.length(1)).isEqualTo(row(9).ids().length);
        assertThat(part.encoderLength(1)).isEqualTo(row(9).encoderLength());
        assertThat(part.name(0)).isEqualTo("rows.csv:6");
    }

    private static TokenRow row(int i) {
        int[] ids = IntStream.range(0, i % 11).map(k -> 100_000 * i + k).toArray();
        int[] learnt = IntStream.range(0, 2 * (i % 4)).toArray();
        return new TokenRow(ids, learnt, i, i % 2 == 1, i % 5);
    }
}

package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.stream.IntStream;

class TokenRowsTest {

    @Test
    void get_manyRows_givesEachBack() throws IOException {
        TokenRows.Writer writer = new TokenRows.Writer();
        for (int i = 0; i < 3000; i++) {
            writer.add(row(i));
        }
        TokenRows rows = writer.rows();
        assertThat(rows.size()).isEqualTo(writer.size()).isEqualTo(3000);
        // Backwards, so that the place in the file has to be found.
        for (int i = 2999; i >= 0; i -= 7) {
            assertThat(rows.get(i)).usingRecursiveComparison().isEqualTo(row(i));
            assertThat(rows.length(i)).isEqualTo(row(i).ids().length);
            assertThat(rows.source(i)).isEqualTo(i % 3);
        }
    }

    @Test
    void select_ofASelection_countsFromIt() throws IOException {
        TokenRows.Writer writer = new TokenRows.Writer();
        for (int i = 0; i < 10; i++) {
            writer.add(row(i));
        }
        TokenRows part = writer.rows().select(new int[] {9, 4, 6}).select(new int[] {2, 0});
        assertThat(part.size()).isEqualTo(2);
        assertThat(part.get(0)).usingRecursiveComparison().isEqualTo(row(6));
        assertThat(part.get(1)).usingRecursiveComparison().isEqualTo(row(9));
        assertThat(part.length(1)).isEqualTo(row(9).ids().length);
    }

    private static TokenRow row(int i) {
        int[] ids = IntStream.range(0, i % 11).map(k -> 100_000 * i + k).toArray();
        int[] learnt = IntStream.range(0, 2 * (i % 4)).toArray();
        return new TokenRow(ids, learnt, i, i % 2 == 1, i % 3);
    }
}

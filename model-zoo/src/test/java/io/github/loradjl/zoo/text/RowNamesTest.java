package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.training.dataset.Batch;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Rows are named by file and line, and shown with what is masked. */
class RowNamesTest extends WordRows {

    @Test
    void getIndices_ofEachKindOfFile_nameFileAndLine() throws IOException {
        Path rows = Files.createDirectory(folder.resolve("rows"));
        Path table = rows.resolve("1.csv");
        Files.writeString(table, "text,note\na,\"two\nlines\"\nb,x\n");
        Path book = Files.writeString(rows.resolve("2.txt"), "a b a b a b");
        Path lines = rows.resolve("3.jsonl");
        Files.writeString(
                lines,
                "\n{\"text\": \"a\"}\n\n"
                        + "{\"prompt\": \"a a a \", \"completion\": \"b\"}\n"
                        + "{\"text\": \"b\"}\n");
        TextDataset data = data(rows).optMaxLength(3).build();
        assertThat(names(data))
                .containsExactly(
                        table + ":2",
                        table + ":4",
                        book + " block 1",
                        book + " block 2",
                        lines + ":2",
                        lines + ":5");
        // The last block is a lone end token, which nothing predicts, and one answer is cut off.
        assertThat(data.getReport().droppedRows()).isEqualTo(2);
        assertThat(names(data.split(0.5, 0).validation())).hasSize(3).isSubsetOf(names(data));
    }

    @Test
    void render_row_marksWhatIsMasked() throws IOException {
        Path file =
                Files.writeString(
                        folder.resolve("rows.jsonl"),
                        "{\"text\": \"b a\"}\n"
                                + "{\"prompt\": \"a b \", \"completion\": \"b a\"}\n");
        TextDataset data = data(file).build();
        RenderedExample example = data.render(1);
        assertThat(example.name()).isEqualTo(file + ":2");
        assertThat(example.stretches())
                .containsExactly(
                        new RenderedExample.Stretch("a b", false),
                        new RenderedExample.Stretch(" b a </s>", true));
        assertThat(example.toString()).isEqualTo("[[a b]] b a </s>");
        assertThat(example.mark("<", ">")).isEqualTo("<a b> b a </s>");
        assertThat(data.render(0)).hasToString("[[b]] a </s>");
        assertThatThrownBy(() -> data.render(2)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void getReport_lengths_areTheNearestRanks() throws IOException {
        List<String> lines = new ArrayList<>();
        for (int i = 40; i > 0; i--) {
            lines.add("{\"prompt\": \"a \", \"completion\": \"" + "b ".repeat(i) + "\"}");
        }
        TextReport report =
                data(Files.write(folder.resolve("rows.jsonl"), lines)).build().getReport();
        // Lengths 3 to 42; the percentiles 5, 25, 50, ... are the 2nd, 10th, 20th, ... of 40.
        assertThat(report.lengths().keySet()).containsExactly(5, 25, 50, 75, 95, 100);
        assertThat(report.lengths().values()).containsExactly(4, 12, 22, 32, 40, 42);
        // One masked token in each row.
        assertThat(report.maskedShare()).isEqualTo(1 - (double) report.keptLabels() / 900);
        assertThat(report.keptLabels()).isEqualTo(900 - 40);
    }

    private List<String> names(TextDataset data) throws IOException {
        List<String> names = new ArrayList<>();
        for (Batch batch : data.getData(manager)) {
            try (batch) {
                batch.getIndices().forEach(name -> names.add(name.toString()));
            }
        }
        return names;
    }
}

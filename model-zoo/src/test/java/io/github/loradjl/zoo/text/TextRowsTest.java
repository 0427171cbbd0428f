package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.loradjl.zoo.text.chat.ChatTemplate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Rows of all shapes. */
class TextRowsTest extends WordRows {

    @Test
    void getData_alpaca_learnsTheOutput() throws IOException {
        Path file =
                write(
                        "rows.jsonl",
                        "{\"instruction\": \"a\", \"input\": \"b\", \"output\": \"a b\"}",
                        "{\"instruction\": \"a\", \"input\": \"\", \"output\": \"b\"}",
                        "{\"instruction\": \"a\", \"output\": \"b\"}");
        List<String> labels = labels(data(file).build());
        assertThat(labels.get(0)).endsWith(". 3 4 2").contains(". .");
        assertThat(labels.get(1)).endsWith(". 4 2").isEqualTo(labels.get(2));
        RawRow.Keys keys = new RawRow.Keys("text", "prompt", "completion");
        List<RawRow> rows = new ArrayList<>();
        assertThat(DataFiles.read(file, keys, 1, (row, line) -> rows.add(row))).isEqualTo(1);
        assertThat(rows.get(0).prompt())
                .startsWith("Below is an instruction")
                .endsWith("### Instruction:\na\n\n### Input:\nb\n\n### Response:\n");
    }

    @Test
    void getData_tables_areReadByTheirColumns() throws IOException {
        Path comma =
                write(
                        "rows.csv",
                        "\ufeffid,prompt,completion",
                        "1,a b,\"b",
                        "a, b\"",
                        "",
                        "2,\"a \"\"b\",a");
        assertThat(labels(data(comma).optPromptFormat("{prompt} ").build()))
                .containsExactly(". . 4 0 4 2", ". . 3 2");
        Path tab = write("rows.tsv", "text\tnote", "a, b\tx", "b\t");
        assertThat(labels(data(tab).build())).containsExactly("0 4 2", "4 2");
        assertThat(labels(data(tab).optLimit(1).build())).hasSize(1);
    }

    @Test
    void getData_folder_readsEveryDataFileByName() throws IOException {
        Path rows = Files.createDirectory(folder.resolve("rows"));
        Files.writeString(rows.resolve("2.jsonl"), "{\"text\": \"b\"}");
        Files.writeString(rows.resolve("1.csv"), "text\na\n");
        Files.writeString(rows.resolve("notes.md"), "not data");
        Files.writeString(rows.resolve(".hidden.jsonl"), "not data");
        assertThat(labels(data(rows).build())).containsExactly("3 2", "4 2");
        Path empty = Files.createDirectory(folder.resolve("empty"));
        assertThatThrownBy(() -> data(empty).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("empty has no .jsonl");
    }

    @Test
    void getData_weights_giveRowsTheirTurns() throws IOException {
        Path often = write("often.jsonl", "{\"text\": \"a\"}", "{\"text\": \"a a\"}");
        Path rare =
                write(
                        "rare.jsonl",
                        "{\"text\": \"b\"}",
                        "{\"text\": \"b b\"}",
                        "{\"text\": \"b b b\"}",
                        "{\"text\": \"b b b b\"}");
        TextDataset data =
                TextDataset.builder()
                        .setTokenizer(tokenizer)
                        .addFile(often, 2)
                        .addFile(rare, 0.5)
                        .setSampling(1, true)
                        .build();
        List<List<String>> epochs = new ArrayList<>();
        for (int epoch = 0; epoch < 6; epoch++) {
            data.setEpoch(epoch);
            List<String> labels = labels(data);
            assertThat(labels).hasSize(6).hasSize(data.getBatchCount());
            assertThat(labels.stream().filter("3 2"::equals)).hasSize(2);
            assertThat(labels.stream().filter("3 3 2"::equals)).hasSize(2);
            List<String> drawn =
                    labels.stream().filter(row -> row.startsWith("4")).sorted().toList();
            assertThat(drawn).doesNotHaveDuplicates().hasSize(2);
            epochs.add(drawn);
        }
        // Six draws of two out of four rows by a fixed seed.
        assertThat(epochs.stream().distinct().count()).isGreaterThan(1);
        data.setEpoch(3);
        assertThat(labels(data).stream().filter(row -> row.startsWith("4")).sorted().toList())
                .isEqualTo(epochs.get(3));
        assertThat(data.getCalibrationLimit()).isEqualTo(6);
        assertThat(data.calibration(6).getBatchCount()).isEqualTo(6);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TextDataset.builder().addFile(rare, 0))
                .withMessageContaining("weight");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"messages\": []}                      | not a list of messages",
                "{\"messages\": [{\"content\": \"a\"}]}  | an object with a \"role\"",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]} | nothing to learn",
                "{\"messages\": [{\"role\": \"assistant\"}]} | no \"content\"",
                "{\"messages\": [{\"role\": \"assistant\", \"content\": \"a\"}], \"text\": \"a\"}"
                        + " | which",
                "{\"messages\": [{\"role\": \"assistant\", \"content\": \"bad\"}]}"
                        + " | line 1: not that",
                "{\"messages\": [{\"role\": \"assistant\", \"content\": \"last\"}, {\"role\":"
                        + " \"user\", \"content\": \"a\"}]} | message 1 differently",
                "{\"instruction\": \"a\"}                | no \"output\"",
                "{\"instruction\": \"a\", \"prompt\": \"b\"} | which",
            })
    void prepare_rowThatIsWrong_namesFileLineAndReason(String row, String reason)
            throws IOException {
        ChatTemplate template =
                ChatTemplate.of(
                        "{% for m in messages %}{% if m.content == 'bad' %}"
                                + "{{ raise_exception('not that') }}{% endif %}"
                                + "{% if m.content == 'last' and loop.last %}last{% endif %}"
                                + "{{ m.content }}{% endfor %}",
                        Map.of());
        Path file = write("rows.jsonl", "{\"text\": \"a\"}", row);
        assertThatThrownBy(() -> data(file).optChatTemplate(template).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(file + ", line 2: ")
                .hasMessageContaining(reason);
    }

    @Test
    void prepare_messagesWithoutTemplate_saysWhatToSet() throws IOException {
        Path file =
                write("r.jsonl", "{\"messages\": [{\"role\": \"assistant\", \"content\": \"a\"}]}");
        assertThatThrownBy(() -> data(file).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("line 1", "optChatTemplate");
    }

    @Test
    void prepare_tableThatIsWrong_namesFileLineAndReason() throws IOException {
        assertFails(write("a.csv", "text", "a", "b,c"), "line 3: the row has 2 cells", "quoted");
        assertFails(write("b.csv", "text,note", "a,x", "\"b\nc\",x", "\"d,x"), "line 5: ", "EOF");
        assertFails(write("c.csv", "text,text", "a,b"), "line 1: ", "duplicate");
        assertFails(write("d.csv", "word", "a"), "line 2: ", "[word]");
        assertFails(write("e.csv", "text"), "holds no rows", "column names");
        Path latin = folder.resolve("f.csv");
        Files.write(latin, "text\n\u00e9".getBytes(StandardCharsets.ISO_8859_1));
        assertFails(latin, "f.csv", "UTF-8");
    }

    private void assertFails(Path file, String place, String reason) {
        assertThatThrownBy(() -> data(file).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(file.toString(), place, reason);
    }
}

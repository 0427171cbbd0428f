package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.loradjl.zoo.text.task.ClassificationTask;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Tables of a task as rows. Tokens here: 2 ends, 3 is "a", 4 is "b". */
class TaskRowsTest extends WordRows {

    private static ClassificationTask task() {
        Map<String, String> labels = new LinkedHashMap<>();
        labels.put("0", "a");
        labels.put("1", "b");
        return ClassificationTask.builder()
                .setName("toy")
                .setPromptFormat("{left} {right} : ")
                .setLabels("label", labels)
                .build();
    }

    @Test
    void getData_tablesAndObjects_learnTheLabels() throws IOException {
        Path table =
                write("rows.csv", "right,label,left,note", "b,0,a,x", "\"a\n b\",1,\"b\",\"y,\"");
        TextDataset causal = data(table).optTask(task()).build();
        assertThat(ids(causal)).containsExactly("3 4 0 3 2", "4 3 4 0 4 2");
        assertThat(labels(causal)).containsExactly(". . . 3 2", ". . . . 4 2");
        TextDataset pairs = data(table).optTask(task()).optEncoderDecoder(true).build();
        assertThat(ids(pairs)).containsExactly("3 4 0", "4 3 4 0");
        assertThat(labels(pairs)).containsExactly("3 2", "4 2");
        Path objects =
                write(
                        "rows.jsonl",
                        "{\"left\": \"a\", \"right\": \"b\", \"label\": 0, \"id\": [1]}",
                        "{\"left\": \"b\", \"right\": \"a\", \"label\": \"1\"}");
        assertThat(ids(data(objects).optTask(task()).build()))
                .containsExactly("3 4 0 3 2", "4 3 0 4 2");
        List<PromptRow> rows = PromptRow.read(objects, task(), 1);
        assertThat(rows).hasSize(1);
        assertThat(rows.get(0).prompt()).isEqualTo("a b : ");
        assertThat(rows.get(0).answer()).isEqualTo("a");
    }

    @Test
    void prepare_whatTheTaskCannotRead_isNamed() throws IOException {
        Path objects = write("rows.jsonl", "{\"left\": \"a\", \"right\": null, \"label\": 0}");
        assertFails(objects, "line 1", "no \"right\"");
        assertFails(write("other.csv", "left,right,label", "a,b,2"), "line 2", "\"2\"");
        assertFails(write("book.txt", "a b"), "plain text", "[left, right, label] of toy");
    }

    private void assertFails(Path file, String place, String reason) {
        assertThatThrownBy(() -> data(file).optTask(task()).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(file.toString(), place, reason);
    }
}

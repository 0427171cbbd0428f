package io.github.loradjl.examples.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import io.github.loradjl.zoo.text.task.ClassificationTask;
import io.github.loradjl.zoo.text.task.Metric;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

class TaskFileTest {

    @TempDir private Path folder;

    private ClassificationTask read(String yaml) throws IOException {
        return TaskFile.read(Files.writeString(folder.resolve("reviews.yaml"), yaml));
    }

    @Test
    void allKeys_areRead() throws IOException {
        ClassificationTask task =
                read(
                        """
                        prompt: "about {title}: {text}\\nresult: "
                        label_column: stars
                        labels: {1: bad, 5: good}
                        columns: [title, text, stars]
                        quotes: false
                        positive: bad
                        metrics: [accuracy, F1]
                        """);
        assertThat(task.getName()).isEqualTo("reviews");
        assertThat(task.getLabels()).containsExactly(entry("1", "bad"), entry("5", "good"));
        assertThat(task.getTable().columns()).containsExactly("title", "text", "stars");
        assertThat(task.getTable().quoted()).isFalse();
        assertThat(task.getPositiveLabel()).isEqualTo("bad");
        assertThat(task.getOfficialMetrics()).containsExactly(Metric.ACCURACY, Metric.F1);
        ClassificationTask.Row row = task.row(Map.of("title", "A", "text", "B", "stars", "5"));
        assertThat(row.prompt()).isEqualTo("about A: B\nresult: ");
        assertThat(row.label()).isEqualTo("good");
    }

    @Test
    void promptAndLabels_areEnough() throws IOException {
        ClassificationTask task = read("prompt: 'Q {text}'\nlabels: {no: 'no', yes: 'yes'}\n");
        assertThat(task.getColumns()).containsExactly("text", "label");
        assertThat(task.getTable().quoted()).isTrue();
        assertThat(task.getPositiveLabel()).isEqualTo("yes");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "labels: {0: a, 1: b} | prompt is missing",
                "prompt: '{x}' | labels must say which text stands for which value",
                "{prompt: '{x}', labels: {0: a}} | must be at least two",
                "{prompt: 'x', labels: {0: a, 1: b}} | has no place for a column",
                "{prompt: '{x}', labels: {0: a, 1: b}, lables: 1} | unknown key lables; did you"
                        + " mean labels?",
                "{prompt: '{x}', labels: {0: a, 1: b}, quotes: 3} | quotes must be true or false",
                "{prompt: '{x}', labels: {0: a, 1: b}, columns: x} | columns must be a list",
                "{prompt: '{x}', labels: {0: a, 1: b}, metrics: [bleu]} | there is no metric bleu",
                "[1, 2] | is no task",
                "prompt: '{x | is not YAML"
            })
    void wrongFile_isNamedWithTheKey(String yaml, String message) {
        assertThatThrownBy(() -> read(yaml))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("reviews.yaml")
                .hasMessageContaining(message);
    }
}

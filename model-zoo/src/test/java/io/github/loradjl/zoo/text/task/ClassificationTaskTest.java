package io.github.loradjl.zoo.text.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

class ClassificationTaskTest {

    private static ClassificationTask.Builder builder(String... texts) {
        Map<String, String> labels = new LinkedHashMap<>();
        Arrays.stream(texts).forEach(text -> labels.put(String.valueOf(labels.size()), text));
        return ClassificationTask.builder()
                .setName("toy")
                .setPromptFormat("{a} or {b}? {a}!")
                .setLabels("label", labels);
    }

    @Test
    void row_textsWithBracesAndDollars_standAsTheyAre() {
        ClassificationTask task = builder("no", "yes").build();
        ClassificationTask.Row row = task.row(Map.of("a", "{b}", "b", "$1\\", "label", "1"));
        assertThat(row).isEqualTo(new ClassificationTask.Row("{b} or $1\\? {b}!", "yes"));
        assertThat(task.getColumns()).containsExactly("a", "b", "label");
        assertThat(task.getPositiveLabel()).isEqualTo("yes");
        assertThat(task.getTable()).isEqualTo(TableFormat.DEFAULT);
    }

    @Test
    void build_whatDoesNotFit_isNamed() {
        assertRefused(builder("no", "yes").setPromptFormat("which?"), "place for a column");
        assertRefused(builder("no", "yes").setPromptFormat("{a}: {label}"), "{label}");
        assertRefused(builder("no"), "at least two");
        assertRefused(builder("no", "no"), "different");
        assertRefused(builder("no", " yes"), "\" yes\"");
        assertRefused(builder("no", "yes").optPositiveLabel("maybe"), "maybe");
        assertRefused(builder("a", "b", "c").optPositiveLabel("a"), "one of two");
        assertRefused(builder("a", "b", "c").optOfficialMetrics(Metric.F1), "[F1]");
        assertRefused(builder("a", "b").optOfficialMetrics(), "at least one");
    }

    @Test
    void build_again_startsFromWhatWasSet() {
        ClassificationTask.Builder builder = builder("no", "yes");
        assertThat(builder.build().getPositiveLabel()).isEqualTo("yes");
        Map<String, String> three = new LinkedHashMap<>();
        List.of("a", "b", "c").forEach(text -> three.put(text, text));
        assertThat(builder.setLabels("label", three).build().getPositiveLabel()).isNull();
        assertThat(builder.setLabels("label", Map.of("0", "x", "1", "y")).build().getLabels())
                .hasSize(2);
    }

    private static void assertRefused(ClassificationTask.Builder builder, String reason) {
        assertThatIllegalArgumentException()
                .isThrownBy(builder::build)
                .withMessageContainingAll("toy", reason);
    }
}

package io.github.loradjl.zoo.text.task;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Tasks of the GLUE benchmark, read from its own {@code .tsv} files, where quotes are characters
 * like any. The words are those of the authors of LoRA-GA, with the blank behind {@code result:};
 * they have none for RTE, which is asked by the pattern of QNLI.
 *
 * <p>GLUE's test files have no labels; its development files are what results are compared on.
 *
 * @see <a href="https://arxiv.org/abs/1804.07461">GLUE</a>
 * @see <a href="https://github.com/Outsider565/LoRA-GA">the code of LoRA-GA</a>
 */
public enum GlueTask {

    /** Whether a sentence of a film review is positive. */
    SST_2(
            Tables.NAMED,
            "classify the sentiment of the text: {sentence}",
            "label",
            labels("0", "negative", "1", "positive"),
            Metric.ACCURACY),

    /** Whether a sentence is grammatical. */
    COLA(
            Tables.COLA,
            "classify the grammaticality of the text: {sentence}",
            "label",
            labels("0", "unacceptable", "1", "acceptable"),
            Metric.MATTHEWS),

    /** Whether two sentences of the news say the same. */
    MRPC(
            Tables.NAMED,
            "classify the semantic similarity of the text: {#1 String}\n{#2 String}",
            "Quality",
            labels("0", "different", "1", "equivalent"),
            Metric.ACCURACY,
            Metric.F1),

    /** Whether two questions ask the same; rows that are broken in the files are left out. */
    QQP(
            Tables.BROKEN,
            "classify the semantic similarity of the text: {question1}\n{question2}",
            "is_duplicate",
            labels("0", "different", "1", "duplicate"),
            Metric.ACCURACY,
            Metric.F1),

    /** Whether a sentence answers a question. */
    QNLI(
            Tables.NAMED,
            "classify the semantic similarity of the question and the sentence: {question}\n"
                    + "{sentence}",
            "label",
            labels("entailment", "entailment", "not_entailment", "not_entailment"),
            Metric.ACCURACY),

    /** Whether a premise entails, contradicts or says nothing about a hypothesis. */
    MNLI(
            Tables.NAMED,
            "classify the semantic similarity of the text: {sentence1}\n{sentence2}",
            "gold_label",
            labels(
                    "entailment",
                    "entailment",
                    "neutral",
                    "neutral",
                    "contradiction",
                    "contradiction"),
            Metric.ACCURACY),

    /** Whether a text entails a sentence. */
    RTE(
            Tables.NAMED,
            "classify the semantic similarity of the text and the sentence: {sentence1}\n"
                    + "{sentence2}",
            "label",
            labels("entailment", "entailment", "not_entailment", "not_entailment"),
            Metric.ACCURACY);

    private final ClassificationTask task;

    /** How GLUE writes its tables. */
    private static final class Tables {

        private static final TableFormat NAMED = new TableFormat(List.of(), false, false);
        private static final TableFormat BROKEN = new TableFormat(List.of(), false, true);
        private static final TableFormat COLA =
                new TableFormat(List.of("source", "label", "star", "sentence"), false, false);
    }

    GlueTask(
            TableFormat table,
            String question,
            String labelColumn,
            Map<String, String> labels,
            Metric... official) {
        task =
                ClassificationTask.builder()
                        .setName(label())
                        .setPromptFormat(question + "\nresult: ")
                        .setLabels(labelColumn, labels)
                        .optTable(table)
                        .optOfficialMetrics(official)
                        .build();
    }

    /**
     * Finds a task by its name.
     *
     * @param name the name, as {@code sst-2}
     * @return the task
     * @throws IllegalArgumentException if there is none
     */
    public static GlueTask of(String name) {
        return Arrays.stream(values())
                .filter(task -> task.label().equals(name.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "GLUE has no task \""
                                                + name
                                                + "\" here; there are "
                                                + Arrays.stream(values())
                                                        .map(GlueTask::label)
                                                        .toList()));
    }

    /**
     * Returns the name of the task as GLUE writes it, in lower case.
     *
     * @return the name, as {@code sst-2}
     */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * Returns the task.
     *
     * @return the task
     */
    public ClassificationTask task() {
        return task;
    }

    private static Map<String, String> labels(String... valuesAndTexts) {
        Map<String, String> labels = new LinkedHashMap<>();
        for (int i = 0; i < valuesAndTexts.length; i += 2) {
            labels.put(valuesAndTexts[i], valuesAndTexts[i + 1]);
        }
        return labels;
    }
}

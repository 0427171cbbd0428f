package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.text.evaluate.AnswerExtractor;
import io.github.loradjl.zoo.text.evaluate.AnswerMode;
import io.github.loradjl.zoo.text.evaluate.ExactMatch;
import io.github.loradjl.zoo.text.evaluate.Outcome;
import io.github.loradjl.zoo.text.evaluate.TaskMetrics;
import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TextGenerator;
import io.github.loradjl.zoo.text.task.ClassificationTask;
import io.github.loradjl.zoo.text.task.Metric;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/** What is measured. */
final class MetricOptions {

    private static final int TOKENS = 256;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--metric",
            required = true,
            paramLabel = "NAME",
            converter = MetricName.class,
            description =
                    "loss: mean loss and perplexity of the completions. exact-match: the share of"
                            + " answers that are right, each generated with the most probable token"
                            + " every time. For rows whose answer is a label: labels, the most"
                            + " probable label is chosen; hard, every token of the right label is"
                            + " the most probable one; soft, of two labels' first tokens the right"
                            + " one is more probable; with Matthews' correlation and F1 of two"
                            + " labels, or what a --task is reported by.")
    private Measure metric;

    @Option(
            names = "--extractor",
            paramLabel = "NAME",
            description =
                    "How exact-match finds the answer in a text. paper: integer after ####, as"
                            + " LoRA-GA's authors. official: number after ####, as GSM8K's."
                            + " flexible: last number. text: the whole (default: text).")
    private AnswerExtractor extractor;

    @Option(
            names = "--max-new-tokens",
            paramLabel = "N",
            converter = Numbers.Positive.class,
            description = "Most tokens of an answer of exact-match (default: " + TOKENS + ").")
    private Integer maxNewTokens;

    @Option(
            names = "--labels",
            paramLabel = "LABEL",
            split = ",",
            description = "The labels, separated by commas (default: those of the --task).")
    private List<String> labels;

    @Option(
            names = "--positive",
            paramLabel = "LABEL",
            description = "Positive class of two labels, for F1 (default: the second).")
    private String positive;

    /** What is measured. */
    enum Measure {
        LOSS(null),
        EXACT_MATCH(AnswerMode.GENERATED),
        LABELS(AnswerMode.LABELS),
        HARD(AnswerMode.HARD),
        SOFT(AnswerMode.SOFT);

        private final AnswerMode mode;

        Measure(AnswerMode mode) {
            this.mode = mode;
        }

        boolean isOfLabels() {
            return mode != null && mode != AnswerMode.GENERATED;
        }

        /** {@inheritDoc} */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** The name of a metric. */
    static final class MetricName extends Choice<Measure> {

        MetricName() {
            super(List.of(Measure.values()));
        }
    }

    boolean isLoss() {
        return metric == Measure.LOSS;
    }

    /** Tells whether the model is to write its answers. */
    boolean isWritten() {
        return !isLoss() && !metric.isOfLabels();
    }

    /** Checks what no option can check alone. */
    void check(ClassificationTask task) {
        if (metric != Measure.EXACT_MATCH) {
            refuse(extractor != null, "--extractor");
            refuse(maxNewTokens != null, "--max-new-tokens");
        }
        if (!metric.isOfLabels()) {
            refuse(labels != null, "--labels");
            refuse(positive != null, "--positive");
            return;
        }
        if (task != null) {
            if (labels != null || positive != null) {
                throw usage("--task has labels of its own: leave --labels and --positive out");
            }
            return;
        }
        if (labels == null || labels.size() < 2) {
            throw usage("--metric " + metric + " needs at least two --labels, as a,b, or a --task");
        }
        if (new HashSet<>(labels).size() < labels.size()) {
            throw usage("--labels " + String.join(",", labels) + ": a label comes twice");
        }
        if (positive != null && (labels.size() != 2 || !labels.contains(positive))) {
            throw usage("--positive " + positive + " is none of exactly two --labels " + labels);
        }
    }

    /** Makes a task of the labels alone, for the numbers that such a task is reported by. */
    private ClassificationTask named() {
        Map<String, String> texts = new LinkedHashMap<>();
        labels.forEach(label -> texts.put(label, label));
        ClassificationTask.Builder builder =
                ClassificationTask.builder()
                        .setName("the labels")
                        .setPromptFormat("{prompt}")
                        .setLabels("completion", texts);
        if (labels.size() == 2) {
            builder.optPositiveLabel(positive)
                    .optOfficialMetrics(Metric.ACCURACY, Metric.MATTHEWS, Metric.F1);
        }
        return builder.build();
    }

    /** Refuses an option that the metric has no use for. */
    void refuse(boolean given, String option) {
        if (given) {
            throw usage(option + " does not go with --metric " + metric);
        }
    }

    private ParameterException usage(String message) {
        return new ParameterException(command.commandLine(), message);
    }

    /** Evaluates all examples and tells each outcome. */
    void evaluate(
            LoadedModel loaded,
            Examples examples,
            ClassificationTask task,
            int batchSize,
            Consumer<Outcome> listener) {
        if (metric.isOfLabels()) {
            List<String> texts = task == null ? labels : task.getLabelTexts();
            LabelModes.evaluation(
                            metric.mode,
                            loaded.model(),
                            loaded.tokenizer(),
                            texts,
                            examples,
                            batchSize)
                    .evaluate(examples.list(), listener);
            return;
        }
        int tokens = maxNewTokens == null ? TOKENS : maxNewTokens;
        ExactMatch.builder()
                .setGenerator(
                        new TextGenerator(
                                loaded.model(), loaded.tokenizer(), examples.addSpecialTokens()))
                .optExtractor(usedExtractor())
                .optGeneration(GenerationConfig.builder().optMaxNewTokens(tokens).build())
                .optBatchSize(batchSize)
                .optStep(Interruption::check)
                .build()
                .evaluate(examples.list(), listener);
    }

    private AnswerExtractor usedExtractor() {
        return extractor == null ? AnswerExtractor.TEXT : extractor;
    }

    /**
     * Computes what the outcomes come to.
     *
     * @param task the task of the rows, or null
     * @return numbers by names that say how answers were counted, the first one first
     */
    Map<String, Double> numbers(List<Outcome> outcomes, ClassificationTask task) {
        if (metric.isOfLabels()) {
            return TaskMetrics.of(task == null ? named() : task, outcomes, metric.mode);
        }
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put(
                "exact_match_" + usedExtractor().name().toLowerCase(Locale.ROOT),
                Outcome.accuracy(outcomes));
        if (task != null) {
            numbers.putAll(TaskMetrics.of(task, outcomes, metric.mode));
        }
        return numbers;
    }
}

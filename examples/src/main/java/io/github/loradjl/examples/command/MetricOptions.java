package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.text.evaluate.AnswerExtractor;
import io.github.loradjl.zoo.text.evaluate.BinaryCounts;
import io.github.loradjl.zoo.text.evaluate.ExactMatch;
import io.github.loradjl.zoo.text.evaluate.Example;
import io.github.loradjl.zoo.text.evaluate.LabelScoring;
import io.github.loradjl.zoo.text.evaluate.Outcome;
import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TextGenerator;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

import java.util.Arrays;
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
                            + " every time. labels: the share of rows whose label is the most"
                            + " probable one; of two labels Matthews' correlation and F1 too.")
    private Metric metric;

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
            description = "What labels chooses from, separated by commas.")
    private List<String> labels;

    @Option(
            names = "--positive",
            paramLabel = "LABEL",
            description = "Positive class of two labels, for F1 (default: the second).")
    private String positive;

    /** What is measured. */
    enum Metric {
        LOSS,
        EXACT_MATCH,
        LABELS;

        /** {@inheritDoc} */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** Names a metric as it is written, with either line between the words. */
    static final class MetricName implements ITypeConverter<Metric> {

        /** {@inheritDoc} */
        @Override
        public Metric convert(String text) {
            for (Metric metric : Metric.values()) {
                if (metric.toString().equalsIgnoreCase(text.replace('_', '-'))) {
                    return metric;
                }
            }
            throw new TypeConversionException(
                    "'" + text + "' is none of " + Arrays.toString(Metric.values()));
        }
    }

    boolean isLoss() {
        return metric == Metric.LOSS;
    }

    /** Checks what no option can check alone. */
    void check() {
        if (metric != Metric.EXACT_MATCH) {
            refuse(extractor != null, "--extractor");
            refuse(maxNewTokens != null, "--max-new-tokens");
        }
        if (metric != Metric.LABELS) {
            refuse(labels != null, "--labels");
            refuse(positive != null, "--positive");
            return;
        }
        if (labels == null || labels.size() < 2) {
            throw usage("--metric labels needs at least two --labels, as a,b");
        }
        if (new HashSet<>(labels).size() < labels.size()) {
            throw usage("--labels " + String.join(",", labels) + ": a label comes twice");
        }
        if (positive != null && (labels.size() != 2 || !labels.contains(positive))) {
            throw usage("--positive " + positive + " is none of exactly two --labels " + labels);
        }
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
            List<Example> examples,
            boolean addSpecialTokens,
            int batchSize,
            Consumer<Outcome> listener) {
        if (metric == Metric.LABELS) {
            LabelScoring.builder()
                    .setModel(loaded.model(), loaded.tokenizer())
                    .setLabels(labels)
                    .optAddSpecialTokens(addSpecialTokens)
                    .optBatchSize(batchSize)
                    .build()
                    .evaluate(examples, listener);
            return;
        }
        int tokens = maxNewTokens == null ? TOKENS : maxNewTokens;
        ExactMatch.builder()
                .setGenerator(
                        new TextGenerator(loaded.model(), loaded.tokenizer(), addSpecialTokens))
                .optExtractor(extractor == null ? AnswerExtractor.TEXT : extractor)
                .optGeneration(GenerationConfig.builder().optMaxNewTokens(tokens).build())
                .optBatchSize(batchSize)
                .optStep(Interruption::check)
                .build()
                .evaluate(examples, listener);
    }

    /** Returns the name of the share of correct outcomes. */
    String valueName() {
        if (metric == Metric.LABELS) {
            return "accuracy";
        }
        AnswerExtractor used = extractor == null ? AnswerExtractor.TEXT : extractor;
        return "exact_match_" + used.name().toLowerCase(Locale.ROOT);
    }

    Map<String, Double> others(List<Outcome> outcomes) {
        Map<String, Double> others = new LinkedHashMap<>();
        if (metric == Metric.LABELS && labels.size() == 2) {
            String class1 = positive == null ? labels.get(1) : positive;
            BinaryCounts counts = BinaryCounts.of(outcomes, class1);
            others.put("matthews", counts.matthews());
            others.put("f1", counts.f1());
        }
        return others;
    }
}

package io.github.loradjl.zoo.text.evaluate;

import ai.djl.Model;

import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.generate.TokenScorer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Lets a model choose among labels: the one that it finds most probable after the prompt, by the
 * sum of the log-probabilities of the label's tokens.
 *
 * <p>Prompt and label are tokenised together, as for training. Where a token stands across the end
 * of the prompt, all labels are scored from before it, so that their probabilities compare. A label
 * that begins with another one can never win over it.
 *
 * <pre>{@code
 * LabelScoring scoring = LabelScoring.builder()
 *         .setModel(model, tokenizer)
 *         .setLabels(List.of("negative", "positive"))
 *         .build();
 * List<Outcome> outcomes = scoring.evaluate(examples);
 * double f1 = BinaryCounts.of(outcomes, "positive").f1();
 * }</pre>
 */
public final class LabelScoring {

    private final TokenScorer scorer;
    private final TextTokenizer tokenizer;
    private final boolean addSpecialTokens;
    private final List<String> labels;
    private final int batchSize;

    private LabelScoring(Builder builder) {
        scorer = new TokenScorer(builder.model);
        tokenizer = builder.tokenizer;
        addSpecialTokens = builder.addSpecialTokens;
        labels = builder.labels;
        batchSize = builder.batchSize;
    }

    /**
     * Creates a builder.
     *
     * @return the builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Evaluates examples, whose right answers are labels, perhaps with blanks around them.
     *
     * @param examples the examples
     * @return their outcomes, in the same order; the output is the label chosen
     * @throws IllegalArgumentException as {@link #evaluate(List, Consumer)}
     */
    public List<Outcome> evaluate(List<Example> examples) {
        return evaluate(examples, outcome -> {});
    }

    /**
     * Evaluates examples, whose right answers are labels, and tells each outcome once its batch is
     * done.
     *
     * @param examples the examples
     * @param listener called with each outcome, in the order of the examples
     * @return their outcomes, in the same order; the output is the label chosen
     * @throws IllegalArgumentException if what should be right is none of the labels; nothing is
     *     scored then
     */
    public List<Outcome> evaluate(List<Example> examples, Consumer<Outcome> listener) {
        for (Example example : examples) {
            if (!labels.contains(example.gold().strip())) {
                throw new IllegalArgumentException(
                        "example "
                                + example.id()
                                + ": what should be right, \""
                                + example.gold()
                                + "\", is none of the labels "
                                + labels);
            }
        }
        List<Outcome> outcomes = new ArrayList<>();
        for (int from = 0; from < examples.size(); from += batchSize) {
            int to = Math.min(examples.size(), from + batchSize);
            List<Example> batch = examples.subList(from, to);
            List<double[]> scores = score(batch.stream().map(Example::prompt).toList());
            for (int i = 0; i < batch.size(); i++) {
                Example example = batch.get(i);
                String chosen = labels.get(largest(scores.get(i)));
                String gold = example.gold().strip();
                Outcome outcome =
                        new Outcome(
                                example.id(),
                                example.prompt(),
                                chosen,
                                chosen,
                                gold,
                                chosen.equals(gold));
                outcomes.add(outcome);
                listener.accept(outcome);
            }
        }
        return outcomes;
    }

    /**
     * Scores all labels after prompts, as one batch.
     *
     * @param prompts the prompts
     * @return for each prompt the log-probability of each label, in nats
     */
    public List<double[]> score(List<String> prompts) {
        List<long[]> rows = new ArrayList<>();
        int[] starts = new int[prompts.size() * labels.size()];
        for (String prompt : prompts) {
            int first = rows.size();
            long[] before = tokenizer.encode(prompt, addSpecialTokens);
            int shared = before.length;
            for (String label : labels) {
                long[] row = tokenizer.encode(prompt + label, addSpecialTokens);
                int differ = Arrays.mismatch(before, row);
                shared = differ < 0 ? shared : Math.min(shared, differ);
                rows.add(row);
            }
            if (shared == 0) {
                throw new IllegalArgumentException(
                        "no token stands before the labels in \""
                                + prompt
                                + "\"; a prompt is needed");
            }
            Arrays.fill(starts, first, rows.size(), shared);
        }
        double[] sums = scorer.logProbabilities(rows, starts);
        List<double[]> scores = new ArrayList<>();
        for (int from = 0; from < sums.length; from += labels.size()) {
            scores.add(Arrays.copyOfRange(sums, from, from + labels.size()));
        }
        return scores;
    }

    private static int largest(double[] scores) {
        int best = 0;
        for (int i = 0; i < scores.length; i++) {
            if (Double.isNaN(scores[i])) {
                throw new IllegalStateException(
                        "the model predicts NaN; its weights or its adapter are broken");
            }
            best = scores[i] > scores[best] ? i : best;
        }
        return best;
    }

    /** Builds a {@link LabelScoring}. */
    public static final class Builder {

        private Model model;
        private TextTokenizer tokenizer;
        private List<String> labels;
        private boolean addSpecialTokens = true;
        private int batchSize = 8;

        private Builder() {}

        /**
         * Sets what scores.
         *
         * @param model a loaded model, adapted or not; it stays the caller's
         * @param tokenizer the model's tokenizer; it stays the caller's
         * @return this builder
         */
        public Builder setModel(Model model, TextTokenizer tokenizer) {
            this.model = model;
            this.tokenizer = tokenizer;
            return this;
        }

        /**
         * Sets the labels to choose from.
         *
         * @param labels at least two, all different, without blanks around them
         * @return this builder
         */
        public Builder setLabels(List<String> labels) {
            this.labels = List.copyOf(labels);
            return this;
        }

        /**
         * Sets whether the tokenizer adds its special tokens to prompts, true by default.
         *
         * @param add false if prompts hold all special tokens, as those of a chat template
         * @return this builder
         */
        public Builder optAddSpecialTokens(boolean add) {
            addSpecialTokens = add;
            return this;
        }

        /**
         * Sets how many prompts are scored together, 8 by default.
         *
         * @param batchSize a positive number
         * @return this builder
         */
        public Builder optBatchSize(int batchSize) {
            this.batchSize = batchSize;
            return this;
        }

        /**
         * Builds the evaluation.
         *
         * @return the evaluation
         * @throws IllegalArgumentException if the labels are not at least two different ones, or
         *     the batch size is not positive
         */
        public LabelScoring build() {
            Objects.requireNonNull(model, "setModel is missing");
            Objects.requireNonNull(labels, "setLabels is missing");
            if (labels.size() < 2 || new HashSet<>(labels).size() < labels.size()) {
                throw new IllegalArgumentException(
                        "labels must be at least two, all different, not " + labels);
            }
            for (String label : labels) {
                if (label.isEmpty() || !label.equals(label.strip())) {
                    throw new IllegalArgumentException(
                            "the label \""
                                    + label
                                    + "\" is empty or has blanks around it; put those into the"
                                    + " prompt");
                }
            }
            if (batchSize < 1) {
                throw new IllegalArgumentException(
                        "the batch size must be positive, not " + batchSize);
            }
            return new LabelScoring(this);
        }
    }
}

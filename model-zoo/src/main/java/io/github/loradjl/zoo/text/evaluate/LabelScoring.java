package io.github.loradjl.zoo.text.evaluate;

import io.github.loradjl.zoo.text.generate.TokenScorer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Lets a model choose among labels: the one that it finds most probable after the prompt, by the
 * sum of the log-probabilities of the label's tokens.
 *
 * <p>For a causal model prompt and label are tokenised together, as for training. Where a token
 * stands across the end of the prompt, all labels are scored from before it, so that their
 * probabilities compare. A label that begins with another one can never win over it.
 *
 * <p>For an encoder with a decoder a label is a text of its own, and the end token counts as one of
 * its tokens: what is compared are whole answers, so that a label may win over one that it begins
 * with. Each prompt is read once for all labels.
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
public final class LabelScoring extends LabelEvaluation {

    private final TokenScorer scorer;

    private LabelScoring(Builder builder) {
        super(builder);
        scorer = new TokenScorer(builder.model);
        checkMaxLength(scorer.isEncoderDecoder());
    }

    /**
     * Creates a builder.
     *
     * @return the builder
     */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    List<Outcome> outcomes(List<Example> batch) {
        return likeliest(batch, score(batch.stream().map(Example::prompt).toList()));
    }

    /**
     * Scores all labels after prompts, as one batch.
     *
     * @param prompts the prompts
     * @return for each prompt the log-probability of each label, in nats
     */
    public List<double[]> score(List<String> prompts) {
        double[] sums = scorer.isEncoderDecoder() ? scoreAnswers(prompts) : scoreEnds(prompts);
        List<double[]> scores = new ArrayList<>();
        for (int from = 0; from < sums.length; from += labels().size()) {
            scores.add(Arrays.copyOfRange(sums, from, from + labels().size()));
        }
        return scores;
    }

    private double[] scoreAnswers(List<String> prompts) {
        List<long[]> answers = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            labels().forEach(label -> answers.add(answer(label)));
        }
        return scorer.logProbabilities(prompts.stream().map(this::encodePrompt).toList(), answers);
    }

    private double[] scoreEnds(List<String> prompts) {
        List<long[]> rows = new ArrayList<>();
        int[] starts = new int[prompts.size() * labels().size()];
        for (String prompt : prompts) {
            int first = rows.size();
            long[] before = encode(prompt);
            int shared = before.length;
            for (String label : labels()) {
                long[] row = encode(prompt + label);
                shared = Math.min(shared, shared(prompt, before, row));
                rows.add(row);
            }
            Arrays.fill(starts, first, rows.size(), shared);
        }
        return scorer.logProbabilities(rows, starts);
    }

    /** Builds a {@link LabelScoring}. */
    public static final class Builder extends LabelEvaluationBuilder<Builder> {

        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /**
         * Builds the evaluation.
         *
         * @return the evaluation
         * @throws IllegalArgumentException if the labels are not at least two different ones, a
         *     number is not positive, or a maximum length is set for a model without an encoder
         */
        public LabelScoring build() {
            check();
            return new LabelScoring(this);
        }
    }
}

package io.github.loradjl.zoo.text.evaluate;

import io.github.loradjl.zoo.text.generate.TokenScorer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Gives a model the right label and looks at what it predicts in the place of each token, in the
 * two ways in which the <a href="https://github.com/Outsider565/LoRA-GA">authors of LoRA-GA</a>
 * count.
 *
 * <ul>
 *   <li>{@link AnswerMode#HARD}: the most probable token in every place of the label, and behind it
 *       the end token, is the right one. The authors also look at the padding behind it, so that
 *       their number depends on the batch; here padding is left out.
 *   <li>{@link AnswerMode#SOFT}, for two labels: the logit of the first token of the right label is
 *       larger than that of the other one's. Nothing else that the model might say counts, so this
 *       is the most lenient of all modes.
 * </ul>
 *
 * <p>Labels are tokenised as for training: after a causal model's prompt and together with it, or
 * as a text of their own for a decoder.
 *
 * <p>The output of an outcome is what was predicted, in HARD mode with special tokens.
 */
public final class TeacherForcedAccuracy extends LabelEvaluation {

    private final TokenScorer scorer;
    private final AnswerMode mode;

    private TeacherForcedAccuracy(Builder builder) {
        super(builder);
        scorer = new TokenScorer(builder.model);
        checkMaxLength(scorer.isEncoderDecoder());
        mode = builder.mode;
        if (mode == AnswerMode.SOFT && scorer.isEncoderDecoder()) {
            checkFirst(answer(labels().get(0))[0], answer(labels().get(1))[0]);
        }
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
     * Returns how answers are counted.
     *
     * @return HARD or SOFT
     */
    public AnswerMode getMode() {
        return mode;
    }

    @Override
    List<Outcome> outcomes(List<Example> batch) {
        return mode == AnswerMode.HARD ? hard(batch) : soft(batch);
    }

    private List<Outcome> hard(List<Example> batch) {
        List<long[]> wanted = new ArrayList<>();
        List<long[]> likeliest;
        if (scorer.isEncoderDecoder()) {
            batch.forEach(example -> wanted.add(answer(example.gold().strip())));
            likeliest = scorer.likeliest(encodePrompts(batch), wanted);
        } else {
            List<long[]> rows = new ArrayList<>();
            int[] starts = new int[batch.size()];
            for (Example example : batch) {
                long[] row = ended(encode(example.prompt() + example.gold().strip()));
                int start = shared(example.prompt(), encode(example.prompt()), row);
                starts[rows.size()] = start;
                rows.add(row);
                wanted.add(Arrays.copyOfRange(row, start, row.length));
            }
            likeliest = scorer.likeliest(rows, starts);
        }
        List<Outcome> outcomes = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
            Example example = batch.get(i);
            boolean right = Arrays.equals(likeliest.get(i), wanted.get(i));
            String output = text(likeliest.get(i));
            String gold = example.gold().strip();
            outcomes.add(
                    new Outcome(
                            example.id(),
                            example.prompt(),
                            output,
                            right ? gold : output,
                            gold,
                            right));
        }
        return outcomes;
    }

    /** Models may have more tokens than their tokenizer; such a one is shown by its number. */
    private String text(long[] ids) {
        long known = tokenizer().getVocabularySize();
        if (Arrays.stream(ids).allMatch(id -> id < known)) {
            return tokenizer().decode(ids, false);
        }
        return Arrays.stream(ids)
                .mapToObj(
                        id ->
                                id < known
                                        ? tokenizer().decode(new long[] {id}, false)
                                        : "<" + id + ">")
                .collect(Collectors.joining(" "));
    }

    private List<Outcome> soft(List<Example> batch) {
        double[] first = scorer.isEncoderDecoder() ? firstOfAnswers(batch) : firstOfEnds(batch);
        List<Outcome> outcomes = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
            // After the same tokens, log-probabilities differ as logits do.
            double difference = first[2 * i + 1] - first[2 * i];
            if (Double.isNaN(difference)) {
                throw new IllegalStateException(
                        "the model predicts NaN; its weights or its adapter are broken");
            }
            int right = labels().indexOf(batch.get(i).gold().strip());
            boolean isLarger = right == 1 ? difference > 0 : difference < 0;
            outcomes.add(chosen(batch.get(i), labels().get(isLarger ? right : 1 - right)));
        }
        return outcomes;
    }

    private double[] firstOfAnswers(List<Example> batch) {
        List<long[]> answers = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
            labels().forEach(label -> answers.add(Arrays.copyOf(answer(label), 1)));
        }
        return scorer.logProbabilities(encodePrompts(batch), answers);
    }

    private double[] firstOfEnds(List<Example> batch) {
        List<long[]> rows = new ArrayList<>();
        int[] starts = new int[2 * batch.size()];
        for (Example example : batch) {
            String prompt = example.prompt();
            long[] before = encode(prompt);
            List<long[]> both = labels().stream().map(label -> encode(prompt + label)).toList();
            int start =
                    Math.min(
                            shared(prompt, before, both.get(0)),
                            shared(prompt, before, both.get(1)));
            checkFirst(both.get(0)[start], both.get(1)[start]);
            for (long[] row : both) {
                starts[rows.size()] = start;
                rows.add(Arrays.copyOf(row, start + 1));
            }
        }
        return scorer.logProbabilities(rows, starts);
    }

    private void checkFirst(long one, long other) {
        if (one == other) {
            throw new IllegalArgumentException(
                    "SOFT compares first tokens, but the labels "
                            + labels()
                            + " both begin with \""
                            + tokenizer().decode(new long[] {one}, false)
                            + "\": use other labels, HARD or LabelScoring");
        }
    }

    /** Builds a {@link TeacherForcedAccuracy}. */
    public static final class Builder extends LabelEvaluationBuilder<Builder> {

        private AnswerMode mode;

        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets how answers are counted.
         *
         * @param mode {@link AnswerMode#HARD} or {@link AnswerMode#SOFT}
         * @return this builder
         */
        public Builder setMode(AnswerMode mode) {
            this.mode = mode;
            return this;
        }

        /**
         * Builds the evaluation.
         *
         * @return the evaluation
         * @throws IllegalArgumentException if the mode is neither, the labels are not at least two
         *     different ones, or not exactly two for SOFT, or begin alike, a number is not
         *     positive, or a maximum length is set for a model without an encoder
         */
        public TeacherForcedAccuracy build() {
            check();
            if (mode != AnswerMode.HARD && mode != AnswerMode.SOFT) {
                throw new IllegalArgumentException(
                        "setMode takes HARD or SOFT here, not "
                                + mode
                                + ": LabelScoring chooses among labels, ExactMatch lets the model"
                                + " write");
            }
            if (mode == AnswerMode.SOFT && labels.size() != 2) {
                throw new IllegalArgumentException(
                        "SOFT compares two labels, not the "
                                + labels.size()
                                + " of "
                                + labels
                                + ": use HARD or LabelScoring");
            }
            return new TeacherForcedAccuracy(this);
        }
    }
}

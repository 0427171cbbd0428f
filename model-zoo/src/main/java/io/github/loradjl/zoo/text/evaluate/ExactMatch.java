package io.github.loradjl.zoo.text.evaluate;

import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TextGenerator;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Lets a model answer and counts the answers that are exactly right.
 *
 * <pre>{@code
 * ExactMatch match = ExactMatch.builder()
 *         .setGenerator(new TextGenerator(model, tokenizer))
 *         .optExtractor(AnswerExtractor.OFFICIAL)
 *         .build();
 * double accuracy = Outcome.accuracy(match.evaluate(examples));
 * }</pre>
 */
public final class ExactMatch {

    private final TextGenerator generator;
    private final AnswerExtractor extractor;
    private final GenerationConfig config;
    private final int batchSize;
    private final Runnable step;

    private ExactMatch(Builder builder) {
        generator = builder.generator;
        extractor = builder.extractor;
        config = builder.config;
        batchSize = builder.batchSize;
        step = builder.step;
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
     * Evaluates examples.
     *
     * @param examples the examples
     * @return their outcomes, in the same order
     * @throws IllegalArgumentException as {@link #evaluate(List, Consumer)}
     */
    public List<Outcome> evaluate(List<Example> examples) {
        return evaluate(examples, outcome -> {});
    }

    /**
     * Evaluates examples and tells each outcome once its batch is done.
     *
     * @param examples the examples
     * @param listener called with each outcome, in the order of the examples
     * @return their outcomes, in the same order
     * @throws IllegalArgumentException if the extractor finds no answer in what should be right;
     *     nothing is generated then
     */
    public List<Outcome> evaluate(List<Example> examples, Consumer<Outcome> listener) {
        for (Example example : examples) {
            if (extractor.extract(example.gold()).equals(AnswerExtractor.INVALID)) {
                throw new IllegalArgumentException(
                        "example "
                                + example.id()
                                + ": the extractor "
                                + extractor
                                + " finds no answer in what should be right, \""
                                + example.gold()
                                + "\"");
            }
        }
        List<Outcome> outcomes = new ArrayList<>();
        for (int from = 0; from < examples.size(); from += batchSize) {
            int to = Math.min(examples.size(), from + batchSize);
            List<Example> batch = examples.subList(from, to);
            List<String> prompts = batch.stream().map(Example::prompt).toList();
            List<String> outputs = generator.generate(prompts, config, step);
            for (int i = 0; i < batch.size(); i++) {
                Outcome outcome = outcome(batch.get(i), outputs.get(i));
                outcomes.add(outcome);
                listener.accept(outcome);
            }
        }
        return outcomes;
    }

    private Outcome outcome(Example example, String output) {
        String extracted = extractor.extract(output);
        String gold = extractor.extract(example.gold());
        return new Outcome(
                example.id(), example.prompt(), output, extracted, gold, extracted.equals(gold));
    }

    /** Builds an {@link ExactMatch}. */
    public static final class Builder {

        private TextGenerator generator;
        private AnswerExtractor extractor = AnswerExtractor.TEXT;
        private GenerationConfig config = GenerationConfig.builder().build();
        private int batchSize = 8;
        private Runnable step = () -> {};

        private Builder() {}

        /**
         * Sets what answers.
         *
         * @param generator the generator
         * @return this builder
         */
        public Builder setGenerator(TextGenerator generator) {
            this.generator = generator;
            return this;
        }

        /**
         * Sets how answers are found, {@link AnswerExtractor#TEXT} by default.
         *
         * @param extractor the extractor
         * @return this builder
         */
        public Builder optExtractor(AnswerExtractor extractor) {
            this.extractor = extractor;
            return this;
        }

        /**
         * Sets how tokens are chosen: up to 128, the most probable one each time, by default.
         *
         * @param config the configuration
         * @return this builder
         */
        public Builder optGeneration(GenerationConfig config) {
            this.config = config;
            return this;
        }

        /**
         * Sets how many examples are answered together, 8 by default.
         *
         * @param batchSize a positive number
         * @return this builder
         */
        public Builder optBatchSize(int batchSize) {
            this.batchSize = batchSize;
            return this;
        }

        /**
         * Sets what is called after each token of an answer, nothing by default.
         *
         * @param step may throw to stop the evaluation
         * @return this builder
         */
        public Builder optStep(Runnable step) {
            this.step = step;
            return this;
        }

        /**
         * Builds the evaluation.
         *
         * @return the evaluation
         * @throws IllegalArgumentException if the batch size is not positive
         */
        public ExactMatch build() {
            Objects.requireNonNull(generator, "setGenerator is missing");
            if (batchSize < 1) {
                throw new IllegalArgumentException(
                        "the batch size must be positive, not " + batchSize);
            }
            return new ExactMatch(this);
        }
    }
}

package io.github.loradjl.zoo.text.generate;

/**
 * How to choose tokens: up to 128 of them, each the most probable one, unless set otherwise.
 *
 * <p>Setting a temperature, a top k or a top p switches to sampling. The logits are then divided by
 * the temperature; of the result the k largest are kept, of those the smallest set whose
 * probability reaches p, and one is drawn. This is the order and meaning of transformers.
 *
 * <p>Setting a number of beams switches to a search for the most probable text as a whole, whose
 * tokens need not each be the most probable one.
 *
 * @see <a href="https://arxiv.org/abs/1904.09751">The Curious Case of Neural Text Degeneration</a>
 */
public final class GenerationConfig {

    private final int maxNewTokens;
    private final boolean sampled;
    private final float temperature;
    private final int topK;
    private final float topP;
    private final long seed;
    private final int beams;
    private final double lengthPenalty;
    private final boolean stopAtEnd;

    private GenerationConfig(Builder builder) {
        maxNewTokens = builder.maxNewTokens;
        sampled = builder.sampled;
        temperature = builder.temperature;
        topK = builder.topK;
        topP = builder.topP;
        seed = builder.seed;
        beams = builder.beams;
        lengthPenalty = builder.lengthPenalty;
        stopAtEnd = builder.stopAtEnd;
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
     * Returns the largest number of tokens to generate.
     *
     * @return the number of tokens
     */
    public int getMaxNewTokens() {
        return maxNewTokens;
    }

    /**
     * Tells whether generation ends at an end token.
     *
     * @return true if it does
     */
    public boolean isStopAtEnd() {
        return stopAtEnd;
    }

    /** Returns the same configuration with another largest number of tokens. */
    GenerationConfig withMaxNewTokens(int tokens) {
        if (tokens == maxNewTokens) {
            return this;
        }
        Builder builder = new Builder();
        builder.maxNewTokens = tokens;
        builder.sampled = sampled;
        builder.temperature = temperature;
        builder.topK = topK;
        builder.topP = topP;
        builder.seed = seed;
        builder.beams = beams;
        builder.lengthPenalty = lengthPenalty;
        builder.stopAtEnd = stopAtEnd;
        return builder.build();
    }

    boolean isSampled() {
        return sampled;
    }

    float getTemperature() {
        return temperature;
    }

    int getTopK() {
        return topK;
    }

    float getTopP() {
        return topP;
    }

    long getSeed() {
        return seed;
    }

    int getBeams() {
        return beams;
    }

    double getLengthPenalty() {
        return lengthPenalty;
    }

    /** Builds a {@link GenerationConfig}. */
    public static final class Builder {

        private int maxNewTokens = 128;
        private boolean sampled;
        private float temperature = 1;
        private int topK;
        private float topP = 1;
        private long seed;
        private int beams = 1;
        private double lengthPenalty = 1;
        private boolean stopAtEnd = true;

        private Builder() {}

        /**
         * Sets the largest number of tokens to generate, 128 by default.
         *
         * @param tokens a positive number
         * @return this builder
         */
        public Builder optMaxNewTokens(int tokens) {
            maxNewTokens = tokens;
            return this;
        }

        /**
         * Sets whether to draw tokens rather than take the most probable one, false by default.
         *
         * @param sample true to draw
         * @return this builder
         */
        public Builder optSample(boolean sample) {
            sampled = sample;
            return this;
        }

        /**
         * Sets the temperature, 1 by default, and draws.
         *
         * @param value a positive number; below 1 sharpens, above 1 flattens
         * @return this builder
         */
        public Builder optTemperature(float value) {
            temperature = value;
            return optSample(true);
        }

        /**
         * Keeps the most probable tokens only, all by default, and draws.
         *
         * @param k the number of tokens, 0 for all
         * @return this builder
         */
        public Builder optTopK(int k) {
            topK = k;
            return optSample(true);
        }

        /**
         * Keeps the smallest set of tokens that reaches a probability, 1 by default, and draws.
         *
         * @param p the probability, in (0, 1]
         * @return this builder
         */
        public Builder optTopP(float p) {
            topP = p;
            return optSample(true);
        }

        /**
         * Sets where the random draws start, 0 by default: the same seed draws the same tokens.
         *
         * @param value the seed
         * @return this builder
         */
        public Builder optSeed(long value) {
            seed = value;
            return this;
        }

        /**
         * Sets how many texts a beam search writes for each prompt at once, 1 by default, which is
         * no search. Does not go with drawing.
         *
         * @param count the number of beams
         * @return this builder
         */
        public Builder optBeams(int count) {
            beams = count;
            return this;
        }

        /**
         * Sets the power of a text's length by which a beam search divides the logarithm of its
         * probability, 1 by default.
         *
         * @param power above 0 favours long texts, as log-probabilities are negative; below 0 short
         *     ones
         * @return this builder
         */
        public Builder optLengthPenalty(double power) {
            lengthPenalty = power;
            return this;
        }

        /**
         * Sets whether to stop at the model's end tokens, true by default.
         *
         * @param stop false to go on to the largest number of tokens
         * @return this builder
         */
        public Builder optStopAtEnd(boolean stop) {
            stopAtEnd = stop;
            return this;
        }

        /**
         * Builds the configuration.
         *
         * @return the configuration
         * @throws IllegalArgumentException if a value is out of its range, or two contradict each
         *     other
         */
        public GenerationConfig build() {
            check(maxNewTokens > 0, "maxNewTokens must be positive, not " + maxNewTokens);
            check(
                    temperature > 0 && Float.isFinite(temperature),
                    "temperature must be positive, not " + temperature + "; greedy needs none");
            check(topK >= 0, "topK must not be negative: " + topK);
            check(topP > 0 && topP <= 1, "topP must be in (0, 1], not " + topP);
            check(beams > 0, "beams must be positive, not " + beams);
            check(
                    beams == 1 || !sampled,
                    "a search with "
                            + beams
                            + " beams draws no tokens; leave out temperature, topK and topP, or"
                            + " the beams");
            check(Double.isFinite(lengthPenalty), "lengthPenalty must be finite");
            check(
                    beams > 1 || lengthPenalty == 1,
                    "lengthPenalty "
                            + lengthPenalty
                            + " weighs the texts of a beam search; set beams to more than 1");
            return new GenerationConfig(this);
        }

        private static void check(boolean valid, String message) {
            if (!valid) {
                throw new IllegalArgumentException(message);
            }
        }
    }
}

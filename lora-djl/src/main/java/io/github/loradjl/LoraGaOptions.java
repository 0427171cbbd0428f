package io.github.loradjl;

import ai.djl.util.Progress;

import io.github.loradjl.gradient.GradientSvd;

/**
 * How {@link LoraGa} finds the gradient: layer by layer where the model is a chain of stages, else
 * the whole model at once, silently, with seed 0, unless set otherwise.
 */
public final class LoraGaOptions {

    private final GradientSvd strategy;
    private final Progress progress;
    private final long seed;

    private LoraGaOptions(Builder builder) {
        strategy = builder.strategy;
        progress = builder.progress;
        seed = builder.seed;
    }

    /**
     * Returns the defaults.
     *
     * @return the options
     */
    public static LoraGaOptions defaults() {
        return builder().build();
    }

    /**
     * Creates a builder with the defaults.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns how the gradient is found.
     *
     * @return the strategy
     */
    public GradientSvd getStrategy() {
        return strategy;
    }

    /**
     * Returns who is told about the progress.
     *
     * @return the listener, or null
     */
    public Progress getProgress() {
        return progress;
    }

    /**
     * Returns the seed of dropout during the pass.
     *
     * @return the seed
     */
    public long getSeed() {
        return seed;
    }

    /** Builds {@link LoraGaOptions}. */
    public static final class Builder {

        private GradientSvd strategy = GradientSvd.automatic();
        private Progress progress;
        private long seed;

        private Builder() {}

        /**
         * Sets how the gradient is found.
         *
         * @param strategy the strategy
         * @return this builder
         */
        public Builder optStrategy(GradientSvd strategy) {
            this.strategy = strategy;
            return this;
        }

        /**
         * Sets who is told about the progress.
         *
         * @param progress the listener
         * @return this builder
         */
        public Builder optProgress(Progress progress) {
            this.progress = progress;
            return this;
        }

        /**
         * Sets the seed of dropout during the pass.
         *
         * @param seed the seed
         * @return this builder
         */
        public Builder optSeed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Builds the options.
         *
         * @return the options
         */
        public LoraGaOptions build() {
            return new LoraGaOptions(this);
        }
    }
}

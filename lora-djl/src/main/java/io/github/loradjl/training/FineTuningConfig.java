package io.github.loradjl.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;

/**
 * How {@link FineTuning} trains: one epoch, gradients clipped to norm 1, validated before the first
 * step and after each epoch, unless set otherwise.
 */
public final class FineTuningConfig {

    private final int epochs;
    private final long maxSteps;
    private final double maxGradientNorm;
    private final long validationInterval;
    private final TokenCounter tokenCounter;
    private final ValidationLoss validationLoss;
    private final FineTuningListener listener;

    /** A cheaper way to the loss of a validation batch than by its predictions. */
    @FunctionalInterface
    public interface ValidationLoss {

        /**
         * Computes the loss in evaluation mode.
         *
         * @param data the batch's data
         * @param labels the batch's labels
         * @return the scalar loss, owned by the data's manager
         */
        NDArray evaluate(NDList data, NDList labels);
    }

    private FineTuningConfig(Builder builder) {
        epochs = builder.epochs;
        maxSteps = builder.maxSteps;
        maxGradientNorm = builder.maxGradientNorm;
        validationInterval = builder.validationInterval;
        tokenCounter = builder.tokenCounter;
        validationLoss = builder.validationLoss;
        listener = builder.listener;
    }

    /**
     * Creates a builder with the defaults.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    int epochs() {
        return epochs;
    }

    long maxSteps() {
        return maxSteps;
    }

    double maxGradientNorm() {
        return maxGradientNorm;
    }

    long validationInterval() {
        return validationInterval;
    }

    TokenCounter tokenCounter() {
        return tokenCounter;
    }

    ValidationLoss validationLoss() {
        return validationLoss;
    }

    FineTuningListener listener() {
        return listener;
    }

    /** Builds a {@link FineTuningConfig}. */
    public static final class Builder {

        private int epochs = 1;
        private long maxSteps = Long.MAX_VALUE;
        private double maxGradientNorm = 1;
        private long validationInterval;
        private TokenCounter tokenCounter = TokenCounter.rows();
        private ValidationLoss validationLoss;
        private FineTuningListener listener = new FineTuningListener() {};

        private Builder() {}

        /**
         * Sets how often the data is read, once by default.
         *
         * @param epochs a positive number
         * @return this builder
         */
        public Builder optEpochs(int epochs) {
            this.epochs = epochs;
            return this;
        }

        /**
         * Sets the number of steps after which training ends, in whichever epoch it is.
         *
         * @param maxSteps a positive number
         * @return this builder
         */
        public Builder optMaxSteps(long maxSteps) {
            this.maxSteps = maxSteps;
            return this;
        }

        /**
         * Sets the largest global norm of a step's gradient, 1 by default.
         *
         * @param maxGradientNorm a positive number
         * @return this builder
         */
        public Builder optMaxGradientNorm(double maxGradientNorm) {
            this.maxGradientNorm = maxGradientNorm;
            return this;
        }

        /**
         * Validates every so many steps as well; by default only before the first step and after
         * each epoch.
         *
         * @param steps a positive number, or 0 for the default
         * @return this builder
         */
        public Builder optValidationInterval(long steps) {
            validationInterval = steps;
            return this;
        }

        /**
         * Sets how tokens are counted; by default a row counts as one.
         *
         * @param tokenCounter the counter
         * @return this builder
         */
        public Builder optTokenCounter(TokenCounter tokenCounter) {
            this.tokenCounter = tokenCounter;
            return this;
        }

        /**
         * Sets how the loss of a validation batch is computed; by default the trainer's loss of the
         * trainer's predictions.
         *
         * @param validationLoss computes the loss
         * @return this builder
         */
        public Builder optValidationLoss(ValidationLoss validationLoss) {
            this.validationLoss = validationLoss;
            return this;
        }

        /**
         * Sets who hears how the run goes.
         *
         * @param listener the listener
         * @return this builder
         */
        public Builder optListener(FineTuningListener listener) {
            this.listener = listener;
            return this;
        }

        /**
         * Builds the configuration.
         *
         * @return the configuration
         * @throws IllegalArgumentException if a number is out of its range
         */
        public FineTuningConfig build() {
            if (epochs < 1 || maxSteps < 1) {
                throw new IllegalArgumentException(
                        "epochs and steps must be positive, not " + epochs + " and " + maxSteps);
            }
            if (!(maxGradientNorm > 0)) {
                throw new IllegalArgumentException(
                        "the largest gradient norm must be positive, not " + maxGradientNorm);
            }
            if (validationInterval < 0) {
                throw new IllegalArgumentException(
                        "the interval of validations must not be negative: " + validationInterval);
            }
            return new FineTuningConfig(this);
        }
    }
}

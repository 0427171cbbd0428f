package io.github.loradjl.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;

import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * How {@link FineTuning} trains: one epoch, gradients clipped to norm 1, validated before the first
 * step and after each epoch, unless set otherwise.
 */
public final class FineTuningConfig {

    private final int epochs;
    private final long maxSteps;
    private final int accumulation;
    private final double maxGradientNorm;
    private final long validationInterval;
    private final TokenCounter tokenCounter;
    private final ValidationLoss validationLoss;
    private final FineTuningListener listener;
    private final Long seed;
    private final Checkpoints checkpoints;
    private final Checkpoint resume;
    private final int patience;
    private final long sampleInterval;
    private final Supplier<String> sampler;
    private final BooleanSupplier stopRequest;

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
        accumulation = builder.accumulation;
        maxGradientNorm = builder.maxGradientNorm;
        validationInterval = builder.validationInterval;
        tokenCounter = builder.tokenCounter;
        validationLoss = builder.validationLoss;
        listener = builder.listener;
        seed = builder.seed;
        checkpoints = builder.checkpoints;
        resume = builder.resume;
        patience = builder.patience;
        sampleInterval = builder.sampleInterval;
        sampler = builder.sampler;
        stopRequest = builder.stopRequest;
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

    int accumulation() {
        return accumulation;
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

    Long seed() {
        return seed;
    }

    Checkpoints checkpoints() {
        return checkpoints;
    }

    Checkpoint resume() {
        return resume;
    }

    int patience() {
        return patience;
    }

    long sampleInterval() {
        return sampleInterval;
    }

    Supplier<String> sampler() {
        return sampler;
    }

    BooleanSupplier stopRequest() {
        return stopRequest;
    }

    /** Builds a {@link FineTuningConfig}. */
    public static final class Builder {

        private int epochs = 1;
        private long maxSteps = Long.MAX_VALUE;
        private int accumulation = 1;
        private double maxGradientNorm = 1;
        private long validationInterval;
        private TokenCounter tokenCounter = TokenCounter.rows();
        private ValidationLoss validationLoss;
        private FineTuningListener listener = new FineTuningListener() {};
        private Long seed;
        private Checkpoints checkpoints;
        private Checkpoint resume;
        private int patience;
        private long sampleInterval;
        private Supplier<String> sampler;
        private BooleanSupplier stopRequest = () -> false;

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
         * Sets how many batches make a step, one by default. Each counts by its targets, so the
         * gradient is that of one large batch. The last step of an epoch may have fewer.
         *
         * @param batches a positive number
         * @return this builder
         */
        public Builder optAccumulation(int batches) {
            accumulation = batches;
            return this;
        }

        /**
         * Sets the largest global norm of a step's gradient, 1 by default.
         *
         * @param maxGradientNorm a positive number; infinity only measures the norm
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
         * Sets the seed of dropout and of the order of data sets that draw it; by default the
         * engine's seed, or 0 if it has none.
         *
         * @param seed the seed
         * @return this builder
         */
        public Builder optSeed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Saves checkpoints; none by default. With early stopping the best one is kept as well.
         *
         * @param checkpoints where and how often
         * @return this builder
         */
        public Builder optCheckpoints(Checkpoints checkpoints) {
            this.checkpoints = checkpoints;
            return this;
        }

        /**
         * Goes on from a checkpoint, whose adapter the model must have.
         *
         * @param checkpoint the checkpoint, or null for a new run
         * @return this builder
         */
        public Builder optResume(Checkpoint checkpoint) {
            resume = checkpoint;
            return this;
        }

        /**
         * Stops when the validation loss has not fallen for a number of validations; never by
         * default.
         *
         * @param validations a positive number, or 0 for never
         * @return this builder
         */
        public Builder optEarlyStopping(int validations) {
            patience = validations;
            return this;
        }

        /**
         * Gives the listener a generated text every so many steps.
         *
         * @param steps a positive number
         * @param sampler generates a text
         * @return this builder
         */
        public Builder optSampler(long steps, Supplier<String> sampler) {
            sampleInterval = steps;
            this.sampler = sampler;
            return this;
        }

        /**
         * Sets what is asked after each step whether to stop, as when Ctrl-C was pressed. The run
         * is then saved, if it has checkpoints.
         *
         * @param stopRequest true to stop
         * @return this builder
         */
        public Builder optStopRequest(BooleanSupplier stopRequest) {
            this.stopRequest = stopRequest;
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
            if (accumulation < 1) {
                throw new IllegalArgumentException(
                        "a step needs at least one batch, not " + accumulation);
            }
            if (patience < 0) {
                throw new IllegalArgumentException(
                        "early stopping waits a positive number of validations, not " + patience);
            }
            if (sampler != null && sampleInterval < 1) {
                throw new IllegalArgumentException(
                        "the interval of samples must be positive, not " + sampleInterval);
            }
            if (resume != null && checkpoints == null) {
                throw new IllegalArgumentException(
                        "a run that goes on from a checkpoint needs optCheckpoints: it says which"
                                + " optimizer takes up the stored state");
            }
            if (validationInterval < 0) {
                throw new IllegalArgumentException(
                        "the interval of validations must not be negative: " + validationInterval);
            }
            return new FineTuningConfig(this);
        }
    }
}

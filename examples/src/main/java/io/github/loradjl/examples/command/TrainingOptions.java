package io.github.loradjl.examples.command;

import picocli.CommandLine.Option;

/** How long and in which steps a model is trained. */
final class TrainingOptions {

    @Option(
            names = "--epochs",
            paramLabel = "N",
            converter = Numbers.Positive.class,
            description =
                    "Passes over the data (default: 1; 3 for the data that ship; with --max-steps"
                            + " as many as those take).")
    private Integer epochs;

    @Option(
            names = "--max-steps",
            paramLabel = "N",
            converter = Numbers.Positive.class,
            description = "End after so many optimizer steps (default: when the epochs are over).")
    private Integer maxSteps;

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            defaultValue = "8",
            converter = Numbers.Positive.class,
            description = "Rows that go through the model at once (default: ${DEFAULT-VALUE}).")
    private int batchSize;

    @Option(
            names = "--gradient-accumulation-steps",
            paramLabel = "N",
            defaultValue = "1",
            converter = Numbers.Positive.class,
            description =
                    "Batches in an optimizer step; with 4, batches of 2 rows act as one of 8 in a"
                            + " quarter of the memory (default: ${DEFAULT-VALUE}).")
    private int gradientAccumulationSteps;

    @Option(
            names = "--gradient-checkpointing",
            fallbackValue = "true",
            description = "Recompute activations layer by layer: less memory, more time.")
    private boolean gradientCheckpointing;

    @Option(
            names = "--calibration-batches",
            paramLabel = "N",
            defaultValue = "8",
            converter = Numbers.Positive.class,
            description =
                    "Batches of LoRA-GA's gradient pass before the first step (default:"
                            + " ${DEFAULT-VALUE}).")
    private int calibrationBatches;

    @Option(
            names = "--early-stopping-patience",
            paramLabel = "N",
            converter = Numbers.Positive.class,
            description =
                    "End after so many validations in a row without a better loss (default:"
                            + " never).")
    private Integer earlyStoppingPatience;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "Seed of everything random: same seed and machine, same numbers (default:"
                            + " ${DEFAULT-VALUE}).")
    private int seed;

    Integer epochs() {
        return epochs;
    }

    Integer maxSteps() {
        return maxSteps;
    }

    int batchSize() {
        return batchSize;
    }

    int gradientAccumulationSteps() {
        return gradientAccumulationSteps;
    }

    boolean gradientCheckpointing() {
        return gradientCheckpointing;
    }

    int calibrationBatches() {
        return calibrationBatches;
    }

    Integer earlyStoppingPatience() {
        return earlyStoppingPatience;
    }

    int seed() {
        return seed;
    }
}

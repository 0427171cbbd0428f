package io.github.loradjl.examples.command;

import picocli.CommandLine.Option;

/** How high the learning rate is. */
final class RateOptions {

    @Option(
            names = {"--learning-rate", "--lr"},
            paramLabel = "RATE",
            converter = Numbers.PositiveReal.class,
            description = "Highest learning rate (default: 2e-4; 1e-3 for the model that ships).")
    private Double learningRate;

    @Option(
            names = "--loraplus-lr-ratio",
            paramLabel = "X",
            defaultValue = "1",
            converter = Numbers.AtLeastOneReal.class,
            description =
                    "LoRA+: learning rate of B as a multiple of that of A (default:"
                            + " ${DEFAULT-VALUE}).")
    private double loraplusLrRatio;

    /** Returns the highest rate, or null if it is not given. */
    Double learningRate() {
        return learningRate;
    }

    double loraplusLrRatio() {
        return loraplusLrRatio;
    }
}

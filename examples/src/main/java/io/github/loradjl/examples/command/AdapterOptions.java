package io.github.loradjl.examples.command;

import io.github.loradjl.LoraConfig;
import picocli.CommandLine.Option;

/** What is adapted, and how large an adapter is. */
final class AdapterOptions {

    @Option(
            names = "--rank",
            paramLabel = "R",
            defaultValue = "8",
            converter = Numbers.Positive.class,
            description = "Rank of the adapter (default: ${DEFAULT-VALUE}).")
    private int rank;

    @Option(
            names = "--alpha",
            paramLabel = "A",
            defaultValue = "16",
            converter = Numbers.PositiveReal.class,
            description = "Scaling numerator alpha (default: ${DEFAULT-VALUE}).")
    private double alpha;

    @Option(
            names = "--dropout",
            paramLabel = "P",
            defaultValue = "0",
            converter = Numbers.ShareBelowOne.class,
            description = "Dropout before the adapter (default: ${DEFAULT-VALUE}).")
    private double dropout;

    @Option(
            names = "--target-modules",
            paramLabel = "NAME",
            split = ",",
            defaultValue = "all-linear",
            description =
                    "Layers to adapt, by the end of their names, such as q_proj,v_proj (default:"
                            + " ${DEFAULT-VALUE}).")
    private String[] targetModules;

    @Option(
            names = "--target-pattern",
            paramLabel = "REGEX",
            description = "Layers to adapt, by an expression for their whole name.")
    private String targetPattern;

    @Option(
            names = "--exclude-modules",
            paramLabel = "NAME",
            split = ",",
            description = "Layers to leave out, by the end of their names.")
    private String[] excludeModules;

    /** Begins the configuration of an adapter. */
    LoraConfig.Builder builder() {
        LoraConfig.Builder builder =
                LoraConfig.builder().optRank(rank).optAlpha(alpha).optDropout(dropout);
        if (targetPattern == null) {
            builder.optTargetModules(targetModules);
        } else {
            builder.optTargetPattern(targetPattern);
        }
        if (excludeModules != null) {
            builder.optExcludeModules(excludeModules);
        }
        return builder;
    }

    int rank() {
        return rank;
    }
}

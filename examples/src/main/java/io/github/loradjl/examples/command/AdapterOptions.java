package io.github.loradjl.examples.command;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.init.Scale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** How an adapter is made. */
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
            names = "--init",
            paramLabel = "NAME",
            defaultValue = "lora-ga",
            converter = StartName.class,
            description =
                    "Start: lora-ga, kaiming, gaussian, orthogonal, pissa or olora (default:"
                            + " ${DEFAULT-VALUE}).")
    private String init;

    @Option(
            names = "--gamma",
            paramLabel = "G",
            defaultValue = "16",
            converter = Numbers.PositiveReal.class,
            description =
                    "LoRA-GA's gamma; a larger one starts smaller (default: ${DEFAULT-VALUE}).")
    private double gamma;

    @Option(
            names = "--rank-stabilized",
            negatable = true,
            fallbackValue = "true",
            description =
                    "Scale by alpha / sqrt(rank) instead of alpha / rank (default: with lora-ga"
                            + " only).")
    private Boolean rankStabilized;

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

    boolean isRankStabilized() {
        return rankStabilized == null ? start().needsGradient() : rankStabilized;
    }

    LoraConfig config(long seed) {
        LoraInit start = start();
        LoraConfig.Builder builder =
                LoraConfig.builder()
                        .optRank(rank)
                        .optAlpha(alpha)
                        .optDropout(dropout)
                        .optInit(start)
                        .optSeed(seed)
                        .optRankStabilized(isRankStabilized());
        if (targetPattern == null) {
            builder.optTargetModules(targetModules);
        } else {
            builder.optTargetPattern(targetPattern);
        }
        if (excludeModules != null) {
            builder.optExcludeModules(excludeModules);
        }
        return builder.build();
    }

    private LoraInit start() {
        LoraInit named = named(init);
        if (named instanceof LoraGaInit) {
            return LoraGaInit.builder().optScale(Scale.stable(gamma)).build();
        }
        return named;
    }

    private static LoraInit named(String init) {
        return LoraInit.named(
                switch (init) {
                    case "kaiming" -> "kaiming_uniform";
                    case "orthogonal" -> "orthonormal";
                    default -> init;
                });
    }

    /** The name of a start. */
    static final class StartName implements ITypeConverter<String> {

        /** {@inheritDoc} */
        @Override
        public String convert(String text) {
            try {
                named(text);
                return text;
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }

    String describe() {
        return init + ", rank " + rank;
    }
}

package io.github.loradjl.examples.command;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.init.Scale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** How an adapter starts. */
final class StartOptions {

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

    boolean isRankStabilized() {
        return rankStabilized == null ? start().needsGradient() : rankStabilized;
    }

    LoraConfig config(AdapterOptions adapter, long seed) {
        return adapter.builder()
                .optInit(start())
                .optRankStabilized(isRankStabilized())
                .optSeed(seed)
                .build();
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

    String name() {
        return init;
    }
}

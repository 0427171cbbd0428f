package io.github.loradjl.examples.command;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.init.GradientKind;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.init.Scale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
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
            converter = Numbers.PositiveReal.class,
            description = "LoRA-GA's gamma; a larger one starts smaller (default: 16).")
    private Double gamma;

    @Option(
            names = "--gradient-kind",
            paramLabel = "NAME",
            defaultValue = "sgd",
            description =
                    "What LoRA-GA's first step follows: the gradient (sgd), its signs as Adam does"
                            + " (sign), or the same fitted numerically (adam, which has a size of"
                            + " its own in place of gamma) (default: ${DEFAULT-VALUE}).")
    private GradientKind gradientKind;

    @Option(
            names = "--rank-stabilized",
            negatable = true,
            fallbackValue = "true",
            description =
                    "Scale by alpha / sqrt(rank) instead of alpha / rank (default: with lora-ga"
                            + " only).")
    private Boolean rankStabilized;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** Checks what no option can check alone. */
    void check() {
        boolean isLoraGa = named(init) instanceof LoraGaInit;
        refuse(gamma != null && !isLoraGa, "--gamma goes with --init lora-ga");
        refuse(
                gradientKind != GradientKind.SGD && !isLoraGa,
                "--gradient-kind goes with --init lora-ga");
        refuse(
                gamma != null && gradientKind == GradientKind.ADAM,
                "--gradient-kind adam finds the size of the start itself: leave --gamma out");
    }

    private void refuse(boolean isWrong, String why) {
        if (isWrong) {
            throw new ParameterException(command.commandLine(), why);
        }
    }

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
        if (!(named instanceof LoraGaInit)) {
            return named;
        }
        LoraGaInit.Builder builder = LoraGaInit.builder().optGradientKind(gradientKind);
        if (gamma != null) {
            builder.optScale(Scale.stable(gamma));
        }
        return builder.build();
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

package io.github.loradjl.examples.compare;

import io.github.loradjl.init.Direction;
import io.github.loradjl.init.GradientKind;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.init.Scale;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/** The options of LoRA-GA as a method of a comparison. */
final class LoraGaOfMethod {

    /** The paper's gamma. */
    static final String GAMMA = "gamma";

    /** The number of batches of the gradient pass. */
    static final String BATCHES = "batches";

    private static final List<String> SCALES =
            List.of(GAMMA, "zeta", "zeta-forward", "zeta-backward", "scale");

    static final List<String> KEYS =
            List.of(
                    GAMMA,
                    "zeta",
                    "zeta-forward",
                    "zeta-backward",
                    "scale",
                    "direction",
                    "gradient",
                    BATCHES);

    private static final double PAPER = 16;

    private LoraGaOfMethod() {}

    /** Returns the gamma of a method that names none; none where something else says the size. */
    static OptionalDouble commonGamma(Method method) {
        boolean isSized =
                SCALES.stream().anyMatch(method.options()::containsKey)
                        || "adam".equals(method.options().get("gradient"));
        return isSized ? OptionalDouble.empty() : OptionalDouble.of(PAPER);
    }

    static LoraGaInit init(Method method) {
        LoraGaInit.Builder builder = LoraGaInit.builder();
        List<String> scales = SCALES.stream().filter(method.options()::containsKey).toList();
        if (scales.size() > 1) {
            throw new IllegalArgumentException(
                    method + ": " + scales + " say the same thing twice; give one");
        }
        if (!scales.isEmpty()) {
            builder.optScale(scale(method, scales.get(0)));
        }
        String direction = method.options().get("direction");
        if (direction != null) {
            builder.optDirection(
                    switch (direction) {
                        case "ArB2r" -> Direction.AR_B2R;
                        case "A2rBr" -> Direction.A2R_BR;
                        case "ArBr" -> Direction.AR_BR;
                        case "random" -> Direction.RANDOM;
                        default ->
                                throw new IllegalArgumentException(
                                        method + ": direction is ArB2r, A2rBr, ArBr or random");
                    });
        }
        String gradient = method.options().get("gradient");
        if (gradient != null) {
            builder.optGradientKind(kind(method, gradient));
        }
        return builder.build();
    }

    private static Scale scale(Method method, String key) {
        return switch (key) {
            case GAMMA -> Scale.stable(method.number(key, PAPER));
            case "zeta" -> Scale.zeta(method.number(key, 1));
            case "zeta-forward" -> Scale.zetaForward(method.number(key, 1));
            case "zeta-backward" -> Scale.zetaBackward(method.number(key, 1));
            default ->
                    switch (method.options().get("scale")) {
                        case "gd" -> Scale.gd();
                        case "unit" -> Scale.unit();
                        case "weight" -> Scale.weight();
                        default ->
                                throw new IllegalArgumentException(
                                        method + ": scale is gd, unit or weight");
                    };
        };
    }

    private static GradientKind kind(Method method, String name) {
        return Arrays.stream(GradientKind.values())
                .filter(kind -> kind.name().toLowerCase(Locale.ROOT).equals(name))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        method
                                                + ": gradient is one of "
                                                + Arrays.toString(GradientKind.values())
                                                        .toLowerCase(Locale.ROOT)));
    }
}

package io.github.loradjl.examples.command;

import io.github.loradjl.training.AdamW;
import io.github.loradjl.training.LearningRateSchedule;
import io.github.loradjl.training.LearningRateSchedule.Fall;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.math.BigDecimal;

/** AdamW, and how the learning rate goes over the steps, whatever its height. */
final class OptimizerOptions {

    @Option(
            names = "--schedule",
            paramLabel = "NAME",
            defaultValue = "cosine",
            description =
                    "How the rate falls after the warm-up: cosine, linear or constant (default:"
                            + " ${DEFAULT-VALUE}).")
    private Schedule schedule;

    @Option(
            names = "--warmup-ratio",
            paramLabel = "SHARE",
            converter = Numbers.Share.class,
            description = "Share of the steps in which the rate rises (default: 0.03).")
    private Double warmupRatio;

    @Option(
            names = "--warmup-steps",
            paramLabel = "N",
            converter = Numbers.NotNegative.class,
            description = "Steps in which the rate rises, in place of the share.")
    private Integer warmupSteps;

    @Option(
            names = "--min-lr-ratio",
            paramLabel = "SHARE",
            defaultValue = "0",
            converter = Numbers.Share.class,
            description = "Last rate as a share of the highest (default: ${DEFAULT-VALUE}).")
    private double minLrRatio;

    @Option(
            names = "--max-grad-norm",
            paramLabel = "NORM",
            defaultValue = "1",
            converter = Numbers.PositiveOrInfinite.class,
            description =
                    "Largest global gradient norm; a longer gradient is scaled down to it (default:"
                            + " ${DEFAULT-VALUE}).")
    private double maxGradNorm;

    @Option(
            names = "--weight-decay",
            paramLabel = "X",
            defaultValue = "0",
            converter = Numbers.NotNegativeReal.class,
            description = "AdamW's weight decay (default: ${DEFAULT-VALUE}).")
    private double weightDecay;

    @Option(
            names = "--adam-beta1",
            paramLabel = "X",
            defaultValue = "0.9",
            converter = Numbers.ShareBelowOne.class,
            description = "Decay of AdamW's mean of the gradient (default: ${DEFAULT-VALUE}).")
    private double adamBeta1;

    @Option(
            names = "--adam-beta2",
            paramLabel = "X",
            defaultValue = "0.999",
            converter = Numbers.ShareBelowOne.class,
            description = "Decay of AdamW's mean of its square (default: ${DEFAULT-VALUE}).")
    private double adamBeta2;

    @Option(
            names = "--adam-epsilon",
            paramLabel = "X",
            defaultValue = "1e-8",
            converter = Numbers.PositiveReal.class,
            description = "Added to the root of that mean (default: ${DEFAULT-VALUE}).")
    private double adamEpsilon;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** How the learning rate falls. */
    enum Schedule {
        cosine(Fall.COSINE),
        linear(Fall.LINEAR),
        constant(Fall.CONSTANT);

        private final Fall fall;

        Schedule(Fall fall) {
            this.fall = fall;
        }
    }

    /** Checks what no option can check alone. */
    void check() {
        if (warmupRatio != null && warmupSteps != null) {
            throw new ParameterException(
                    command.commandLine(),
                    "--warmup-ratio and --warmup-steps do not go together: give one");
        }
    }

    /** Returns the rates of a run whose highest is given. */
    LearningRateSchedule schedule(double peak, long totalSteps) {
        return new LearningRateSchedule(
                schedule.fall, peak, warmup(totalSteps), totalSteps, minLrRatio);
    }

    /** Returns in a few words how the rate goes. */
    String describe(double peak, long totalSteps) {
        return number(peak)
                + (schedule == Schedule.constant
                        ? ", constant"
                        : ", " + schedule + " to " + number(peak * minLrRatio))
                + " after "
                + warmup(totalSteps)
                + " steps of warm-up";
    }

    private static String number(double value) {
        return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
    }

    /** Returns the number of steps in which the rate rises. */
    private long warmup(long totalSteps) {
        if (warmupSteps != null) {
            return Math.min(warmupSteps, totalSteps);
        }
        return Math.round((warmupRatio == null ? 0.03 : warmupRatio) * totalSteps);
    }

    double maxGradNorm() {
        return maxGradNorm;
    }

    /** Begins an optimizer, which lacks its learning rate. */
    AdamW.Builder adamW() {
        return AdamW.builder()
                .optWeightDecays((float) weightDecay)
                .optBeta1(adamBeta1)
                .optBeta2(adamBeta2)
                .optEpsilon(adamEpsilon);
    }
}

package io.github.loradjl.examples.command;

import io.github.loradjl.examples.compare.Grid;
import io.github.loradjl.examples.compare.Method;
import io.github.loradjl.examples.compare.diagnose.Diagnostics;
import io.github.loradjl.zoo.text.evaluate.AnswerMode;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

import java.util.List;
import java.util.Locale;

/** Which methods are compared, how often, and how long. */
final class CompareOptions {

    private static final String REFERENCE = "lora";
    private static final String TOKEN_ACCURACY = "token-accuracy";
    private static final List<String> METRICS = List.of(TOKEN_ACCURACY, "labels", "hard", "soft");

    @Option(
            names = "--methods",
            paramLabel = "METHOD",
            split = ",",
            converter = MethodConverter.class,
            defaultValue = "full,lora,lora-ga",
            description =
                    "Methods: full, lora, rslora, lora+, pissa, olora, orthogonal, lora-ga; with"
                            + " options behind colons, as lora:rank=16, lora:init=gaussian,"
                            + " lora:data=0.25 (a quarter of the rows), lora-ga:gamma=4096,"
                            + " lora-ga:direction=A2rBr, lora-ga:gradient=sign,"
                            + " full:rates=1e-5+1e-4:seeds=0 (rates and seeds of its own) (default:"
                            + " ${DEFAULT-VALUE}).")
    private List<Method> methods;

    @Option(
            names = "--learning-rates",
            paramLabel = "RATE",
            split = ",",
            converter = Numbers.PositiveReal.class,
            defaultValue = "1e-4,1e-3,5e-3",
            description = "Highest learning rates to try (default: ${DEFAULT-VALUE}).")
    private List<Double> learningRates;

    @Option(
            names = "--seeds",
            paramLabel = "N",
            split = ",",
            converter = Numbers.NotNegative.class,
            defaultValue = "0,1",
            description =
                    "Seeds of the order of rows, dropout and the draws of a start (default:"
                            + " ${DEFAULT-VALUE}).")
    private List<Integer> seeds;

    @Option(
            names = "--max-steps",
            paramLabel = "N",
            converter = Numbers.Positive.class,
            defaultValue = "100",
            description = "Optimizer steps of each run (default: ${DEFAULT-VALUE}).")
    private int maxSteps;

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            converter = Numbers.Positive.class,
            defaultValue = "8",
            description = "Rows of a step (default: ${DEFAULT-VALUE}).")
    private int batchSize;

    @Option(
            names = "--eval-steps",
            paramLabel = "N",
            converter = Numbers.Positive.class,
            description = "Validate every N steps (default: twenty times in a run).")
    private Integer evalSteps;

    @Option(
            names = "--calibration-batches",
            paramLabel = "N",
            converter = Numbers.Positive.class,
            defaultValue = "8",
            description =
                    "Batches of LoRA-GA's gradient pass, or all where the training rows make fewer"
                            + " (default: ${DEFAULT-VALUE}).")
    private int calibrationBatches;

    @Option(
            names = "--gradient-checkpointing",
            fallbackValue = "true",
            description =
                    "Recompute activations layer by layer: less memory, more time. The method full"
                            + " does without.")
    private boolean gradientCheckpointing;

    @Option(
            names = "--reference",
            paramLabel = "METHOD",
            converter = MethodConverter.class,
            description =
                    "The method whose final loss the others are to reach, one of --methods with its"
                            + " options (default: "
                            + REFERENCE
                            + ").")
    private Method reference;

    @Option(
            names = "--common-rate",
            paramLabel = "RATE",
            converter = Numbers.PositiveReal.class,
            description =
                    "The rate at which all methods are shown beside each other (default: the best"
                            + " one of full, or without that the smallest that all have).")
    private Double commonRate;

    @Option(
            names = "--metric",
            paramLabel = "NAME",
            converter = MetricName.class,
            description =
                    "What is measured of a trained model beside its loss: token-accuracy; or, with"
                            + " --task and --validation, labels, hard or soft, as evaluate does"
                            + " (default: nothing).")
    private String metric;

    @Option(
            names = "--diagnostics",
            paramLabel = "NAME",
            split = ",",
            description =
                    "Look behind the results too: spectra of the gradient, alignment of each"
                        + " method's first steps with those of full fine-tuning (takes memory for"
                        + " up to fifteen copies of the model in float32), moments of LoRA-GA's"
                        + " start (default: none).")
    private List<Diagnostics.Kind> diagnostics = List.of();

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** The name of a metric. */
    static final class MetricName extends Choice<String> {

        MetricName() {
            super(METRICS);
        }
    }

    /** Reads a method. */
    static final class MethodConverter implements ITypeConverter<Method> {
        /** {@inheritDoc} */
        @Override
        public Method convert(String text) {
            try {
                return Method.parse(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }

    /** Makes the grid, of which the reference and the common rate are to be part. */
    Grid grid() {
        try {
            Grid grid = new Grid(methods, learningRates, seeds);
            if (reference != null) {
                grid.requireMethod("--reference", reference);
            }
            if (commonRate != null) {
                grid.requireRate("--common-rate", commonRate);
            }
            return grid;
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), e.getMessage(), e);
        }
    }

    /** Checks what no option can check alone. */
    void check(boolean hasTask, boolean hasValidation) {
        boolean isOfTask = metric != null && !metric.equals(TOKEN_ACCURACY);
        if (isOfTask && !(hasTask && hasValidation)) {
            throw new ParameterException(
                    command.commandLine(), "--metric " + metric + " needs --task and --validation");
        }
    }

    boolean isTokenAccuracy() {
        return TOKEN_ACCURACY.equals(metric);
    }

    /** Returns how labels are counted, or null where they are not. */
    AnswerMode labelMode() {
        return metric == null || isTokenAccuracy()
                ? null
                : AnswerMode.valueOf(metric.toUpperCase(Locale.ROOT));
    }

    int maxSteps() {
        return maxSteps;
    }

    int batchSize() {
        return batchSize;
    }

    int evalSteps() {
        return evalSteps == null ? Math.max(1, maxSteps / 20) : evalSteps;
    }

    int calibrationBatches() {
        return calibrationBatches;
    }

    boolean gradientCheckpointing() {
        return gradientCheckpointing;
    }

    List<Diagnostics.Kind> diagnostics() {
        return diagnostics;
    }

    /** Returns the label of the method that the others are measured against. */
    String reference() {
        return reference == null ? REFERENCE : reference.label();
    }

    Double commonRate() {
        return commonRate;
    }
}

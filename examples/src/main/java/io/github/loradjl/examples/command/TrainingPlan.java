package io.github.loradjl.examples.command;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.tracker.ParameterTracker;

import io.github.loradjl.LoraGaOptions;
import io.github.loradjl.LoraModel;
import io.github.loradjl.examples.report.ConsoleProgress;
import io.github.loradjl.examples.report.Counts;
import io.github.loradjl.training.AdamW;
import io.github.loradjl.training.FineTuningConfig;
import io.github.loradjl.training.LearningRateSchedule;
import io.github.loradjl.training.LoraGaListener;
import io.github.loradjl.training.LoraPlus;
import io.github.loradjl.zoo.block.LanguageModel;
import io.github.loradjl.zoo.text.TextReport;

import java.io.IOException;
import java.io.PrintStream;
import java.util.Locale;

/** What a run will do, worked out from its options and its data. */
final class TrainingPlan {

    private final FinetuneOptions options;
    private final DataOptions.Data data;
    private final LoraModel lora;
    private final long stepsPerEpoch;
    private final long totalSteps;
    private final LearningRateSchedule schedule;

    TrainingPlan(FinetuneOptions options, DataOptions.Data data, LoraModel lora)
            throws IOException {
        this.options = options;
        this.data = data;
        this.lora = lora;
        stepsPerEpoch = steps(0);
        totalSteps = countSteps();
        schedule = options.optimizer().schedule(options.learningRate(), totalSteps);
    }

    /** Counts the steps of all epochs, which differ a little where rows are packed. */
    private long countSteps() throws IOException {
        Integer most = options.training().maxSteps();
        long limit = most == null ? Long.MAX_VALUE : most;
        long steps = 0;
        for (int epoch = 0; epoch < options.epochs() && steps < limit; epoch++) {
            steps += steps(epoch);
        }
        return Math.min(steps, limit);
    }

    private long steps(int epoch) throws IOException {
        int accumulation = options.training().gradientAccumulationSteps();
        return (data.train().getEpochReport(epoch).batches() + accumulation - 1L) / accumulation;
    }

    DataOptions.Data data() {
        return data;
    }

    long totalSteps() {
        return totalSteps;
    }

    LearningRateSchedule schedule() {
        return schedule;
    }

    AdamW optimizer() {
        double ratio = options.rate().loraplusLrRatio();
        ParameterTracker rate = ratio == 1 ? schedule : new LoraPlus(lora, schedule, ratio);
        return options.optimizer().adamW().optLearningRateTracker(rate).build();
    }

    /** Makes the trainer; LoRA-GA's gradient pass runs here if the adapter waits for it. */
    Trainer trainer(AdamW optimizer, PrintStream err) throws IOException {
        TrainingOptions chosen = options.training();
        int calibration = Math.min(chosen.calibrationBatches(), data.train().getCalibrationLimit());
        Loss loss = block().newLoss();
        if (chosen.gradientCheckpointing()) {
            loss = lora.checkpointActivations(loss);
        }
        Device device = lora.getModel().getNDManager().getDevice();
        try (ConsoleProgress progress = new ConsoleProgress(err, "LoRA-GA", 1)) {
            LoraGaOptions start =
                    LoraGaOptions.builder()
                            .optSeed(chosen.seed())
                            .optProgress(new GradientProgress(progress))
                            .build();
            return lora.getModel()
                    .newTrainer(
                            new DefaultTrainingConfig(loss)
                                    .optDevices(new Device[] {device})
                                    .optOptimizer(optimizer)
                                    .addTrainingListeners(
                                            new LoraGaListener(
                                                    lora,
                                                    data.train().calibration(calibration),
                                                    calibration,
                                                    start)));
        }
    }

    private LanguageModel block() {
        return (LanguageModel) lora.getBase();
    }

    /** Begins the configuration of the recipe. */
    FineTuningConfig.Builder recipe() {
        FineTuningConfig.Builder builder =
                FineTuningConfig.builder()
                        .optEpochs(options.epochs())
                        .optMaxSteps(totalSteps)
                        .optSeed(options.training().seed())
                        .optMaxGradientNorm(options.optimizer().maxGradNorm())
                        .optTokenCounter(block().newTokenCounter())
                        .optValidationLoss(this::evaluate);
        Integer patience = options.training().earlyStoppingPatience();
        return patience == null ? builder : builder.optEarlyStopping(patience);
    }

    /** Computes the loss of a batch without training. */
    NDArray evaluate(NDList input, NDList labels) {
        ParameterStore store = new ParameterStore(input.head().getManager(), false);
        return block().evaluateLoss(store, input, labels);
    }

    /** Says in five lines what will be done. */
    void print(PrintStream err) throws IOException {
        TrainingOptions training = options.training();
        line(
                err,
                "model    %s, %,d parameters, %s",
                options.model().name(),
                Counts.parameters(lora.getBase()) - lora.getTrainableCount(),
                options.model().describe());
        TextReport held = data.validation() == null ? null : data.validation().getReport();
        line(
                err,
                "data     %s; validation %s",
                data.train().getReport(),
                held == null ? "none" : held);
        line(
                err,
                "adapter  %s: %,d trainable parameters in %d layers",
                options.describeStart(),
                lora.getTrainableCount(),
                lora.getTargets(LoraModel.DEFAULT_ADAPTER).size());
        int accumulation = training.gradientAccumulationSteps();
        line(
                err,
                "schedule %,d steps of %s%d %s, %.2f epochs, seed %d; learning rate %s",
                totalSteps,
                accumulation == 1 ? "" : accumulation + " x ",
                training.batchSize(),
                options.rows().isPacking() ? "packed sequences" : "rows",
                (double) totalSteps / stepsPerEpoch,
                training.seed(),
                options.optimizer().describe(options.learningRate(), totalSteps));
        line(err, "results  %s", options.run().describe());
    }

    private static void line(PrintStream err, String format, Object... values) {
        err.println(String.format(Locale.ROOT, format, values));
    }
}

package io.github.loradjl.examples.compare;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.tracker.ParameterTracker;
import ai.djl.translate.TranslateException;

import io.github.loradjl.LoraGaOptions;
import io.github.loradjl.LoraGaReport;
import io.github.loradjl.LoraModel;
import io.github.loradjl.examples.report.Counts;
import io.github.loradjl.examples.report.MemoryGauge;
import io.github.loradjl.examples.report.NativeHeap;
import io.github.loradjl.training.AdamW;
import io.github.loradjl.training.FineTuning;
import io.github.loradjl.training.FineTuningConfig;
import io.github.loradjl.training.FineTuningListener;
import io.github.loradjl.training.FineTuningResult;
import io.github.loradjl.training.LearningRateSchedule;
import io.github.loradjl.training.LoraGaListener;
import io.github.loradjl.zoo.block.LanguageModel;
import io.github.loradjl.zoo.text.TextDataset;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.IntConsumer;

/** Trains a model by one method, at one rate, from one seed. */
final class CellRun implements FineTuningListener {

    /** Steps between two trims, each of which costs some percent of a step. */
    private static final int TRIM_INTERVAL = 4;

    private final Setup setup;
    private final Setup.Recipe recipe;
    private final Cell cell;
    private final IntConsumer progress;
    private final MemoryGauge memory = new MemoryGauge();
    private final List<Double> losses = new ArrayList<>();
    private final List<Double> seconds = new ArrayList<>();
    private final List<Long> validationSteps = new ArrayList<>();
    private final List<Double> validationLosses = new ArrayList<>();

    /**
     * Creates a run.
     *
     * @param progress told the number of each step that is done
     */
    CellRun(Setup setup, Cell cell, IntConsumer progress) {
        this.setup = setup;
        this.cell = cell;
        this.progress = progress;
        recipe = setup.recipe();
    }

    /**
     * Trains. A method that the model cannot take, and a training that does not stay finite, are
     * results too.
     *
     * @param base the model for adapters, which comes out as it went in
     */
    CellResult run(ZooModel<NDList, NDList> base)
            throws IOException, MalformedModelException, TranslateException {
        if (cell.method().kind() == Method.Kind.FULL) {
            try (ZooModel<NDList, NDList> model = setup.models().trainable()) {
                return measured(train(model, null, System.nanoTime()), model);
            }
        }
        base.getNDManager().getEngine().setRandomSeed(cell.seed());
        memory.begin();
        long begin = System.nanoTime();
        LoraModel lora;
        try {
            lora = MethodSetup.attach(base, cell.method(), recipe.adapter(), cell.seed());
        } catch (IllegalStateException | IllegalArgumentException e) {
            return CellResult.failed(cell, e.getMessage());
        }
        try (lora) {
            return measured(train(base, lora, begin), base);
        }
    }

    private CellResult train(Model model, LoraModel lora, long begin)
            throws IOException, TranslateException {
        try {
            return fit(model, lora, begin);
        } catch (CancellationException e) {
            throw e; // An IllegalStateException too, but no result.
        } catch (IllegalStateException | IllegalArgumentException e) {
            return CellResult.failed(cell, e.getMessage());
        }
    }

    /** Adds the metric, whose errors are not the run's. */
    private CellResult measured(CellResult result, Model model) throws IOException {
        return result.failure() != null || setup.metric() == null
                ? result
                : new CellResult(
                        result.method(),
                        result.rate(),
                        result.seed(),
                        null,
                        result.start(),
                        result.training(),
                        setup.metric().measure(model));
    }

    private CellResult fit(Model model, LoraModel lora, long begin)
            throws IOException, TranslateException {
        LanguageModel block = (LanguageModel) (lora == null ? model.getBlock() : lora.getBase());
        TextDataset data = MethodSetup.rows(setup.data(), cell.method(), cell.seed());
        LoraGaListener starter = lora == null ? null : starter(lora, data);
        try (AdamW optimizer = optimizer(lora);
                Trainer trainer = model.newTrainer(config(block, lora, optimizer, starter))) {
            CellResult.Start start =
                    new CellResult.Start(
                            lora == null ? Counts.parameters(block) : lora.getTrainableCount(),
                            (System.nanoTime() - begin) / 1e9,
                            memory.peakMegabytes(),
                            starter == null ? null : captured(starter.getReport()),
                            lora == null ? null : ConditionNumbers.of(lora));
            memory.begin();
            FineTuningResult ended =
                    FineTuning.fit(trainer, fitting(block), data, setup.data().validation());
            if (ended.end() == FineTuningResult.End.INTERRUPTED) {
                throw new CancellationException("interrupted");
            }
            CellResult.Training training =
                    new CellResult.Training(
                            losses,
                            validationSteps,
                            validationLosses,
                            Figures.median(seconds),
                            memory.peakMegabytes(),
                            lora == null ? null : ConditionNumbers.of(lora));
            return new CellResult(
                    cell.method().label(), cell.rate(), cell.seed(), null, start, training, null);
        }
    }

    private LoraGaListener starter(LoraModel lora, TextDataset data) throws IOException {
        int wanted = cell.method().calibrationBatches(recipe.calibrationBatches());
        int batches = Math.min(wanted, data.getCalibrationLimit());
        LoraGaOptions options = LoraGaOptions.builder().optSeed(cell.seed()).build();
        return new LoraGaListener(lora, data.calibration(batches), batches, options);
    }

    private AdamW optimizer(LoraModel lora) {
        LearningRateSchedule schedule = recipe.schedule().apply(cell.rate());
        ParameterTracker rate = MethodSetup.rate(lora, cell.method(), schedule);
        return recipe.optimizer().get().optLearningRateTracker(rate).build();
    }

    private DefaultTrainingConfig config(
            LanguageModel block, LoraModel lora, AdamW optimizer, LoraGaListener starter) {
        Loss loss = block.newLoss();
        if (lora != null && recipe.checkpointing()) {
            loss = lora.checkpointActivations(loss);
        }
        Device device = block.getParameters().get(0).getValue().getArray().getDevice();
        DefaultTrainingConfig config =
                new DefaultTrainingConfig(loss)
                        .optDevices(new Device[] {device})
                        .optOptimizer(optimizer);
        return starter == null ? config : config.addTrainingListeners(starter);
    }

    private FineTuningConfig fitting(LanguageModel block) {
        return FineTuningConfig.builder()
                .optEpochs(Integer.MAX_VALUE)
                .optMaxSteps(recipe.steps())
                .optSeed(cell.seed())
                .optMaxGradientNorm(recipe.maxGradientNorm())
                .optValidationInterval(recipe.evalSteps())
                .optTokenCounter(block.newTokenCounter())
                .optValidationLoss(
                        (data, labels) ->
                                block.evaluateLoss(
                                        new ParameterStore(data.getManager(), false), data, labels))
                .optListener(this)
                .optStopRequest(setup.stop())
                .build();
    }

    private static Double captured(LoraGaReport report) {
        return report.targets().isEmpty()
                ? null
                : Figures.mean(
                        report.targets().values().stream()
                                .map(LoraGaReport.Target::capturedEnergy)
                                .toList());
    }

    /** {@inheritDoc} */
    @Override
    public void onFirstValidation(double loss) {
        addValidation(0, loss);
    }

    /** {@inheritDoc} */
    @Override
    public void onStep(Step step) {
        losses.add(step.loss());
        seconds.add(step.seconds());
        // The end of an epoch is no time of its own to compare at.
        boolean isDue = step.number() % recipe.evalSteps() == 0 || step.number() == recipe.steps();
        if (isDue) {
            addValidation(step.number(), step.validationLoss());
        }
        if (step.number() % TRIM_INTERVAL == 0) {
            NativeHeap.trim();
        }
        progress.accept((int) step.number());
    }

    private void addValidation(long step, double loss) {
        if (!Double.isFinite(loss)) {
            throw new IllegalStateException(
                    "the validation loss after step " + step + " is " + loss);
        }
        validationSteps.add(step);
        validationLosses.add(loss);
    }
}

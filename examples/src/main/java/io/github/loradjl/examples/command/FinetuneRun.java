package io.github.loradjl.examples.command;

import ai.djl.training.Trainer;
import ai.djl.translate.TranslateException;

import io.github.loradjl.LoraModel;
import io.github.loradjl.examples.report.ConsoleProgress;
import io.github.loradjl.examples.report.LossPlot;
import io.github.loradjl.examples.report.MetricsWriter;
import io.github.loradjl.examples.report.StepMetrics;
import io.github.loradjl.internal.AtomicFile;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.peft.SaveOptions;
import io.github.loradjl.training.AdamW;
import io.github.loradjl.training.Checkpoint;
import io.github.loradjl.training.Checkpoints;
import io.github.loradjl.training.FineTuning;
import io.github.loradjl.training.FineTuningConfig;
import io.github.loradjl.training.FineTuningResult;
import io.github.loradjl.zoo.block.LanguageModel;

import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/** One run: trains an adapter, and leaves it with the records of the run. */
final class FinetuneRun {

    private final FinetuneOptions options;
    private final TrainingPlan plan;
    private final LoraModel lora;
    private final Samples samples;
    private final String configuration;
    private final SaveOptions saveOptions;
    private final Path out;

    FinetuneRun(
            FinetuneOptions options,
            TrainingPlan plan,
            LoraModel lora,
            Samples samples,
            String configuration) {
        this.options = options;
        this.plan = plan;
        this.lora = lora;
        this.samples = samples;
        this.configuration = configuration;
        boolean isEncoderDecoder = ((LanguageModel) lora.getBase()).isEncoderDecoder();
        saveOptions =
                SaveOptions.builder()
                        .optBaseModel(options.model().name())
                        .optBaseRevision(options.model().revision())
                        .optTaskType(isEncoderDecoder ? "SEQ_2_SEQ_LM" : "CAUSAL_LM")
                        .build();
        out = options.run().out();
    }

    /** Trains from the beginning or from a checkpoint, and returns the exit code. */
    int train(Checkpoint resumed, PrintWriter result, PrintStream err)
            throws IOException, TranslateException {
        if (resumed == null) {
            // The adapter changes nothing yet, so this is what the model says by itself.
            show("before", err);
        }
        FineTuningResult ended;
        List<Double> validations;
        try (AdamW optimizer = plan.optimizer();
                Trainer trainer = plan.trainer(optimizer, err)) {
            options.run().clear(resumed);
            AtomicFile.writeString(out.resolve(RunOptions.CONFIGURATION), configuration);
            Path file = out.resolve(RunOptions.METRICS);
            try (MetricsWriter metrics =
                            resumed == null
                                    ? new MetricsWriter(file)
                                    : MetricsWriter.resume(file, resumed.getStep());
                    ConsoleProgress progress =
                            new ConsoleProgress(err, "training", plan.totalSteps())) {
                RunLog log =
                        new RunLog(
                                progress, metrics, plan.schedule(), options.run().loggingSteps());
                try {
                    Interruption.setFinishing(true);
                    FineTuningConfig config = recipe(resumed, optimizer).optListener(log).build();
                    ended =
                            FineTuning.fit(
                                    trainer, config, plan.data().train(), plan.data().validation());
                } finally {
                    log.write();
                    Interruption.setFinishing(false);
                }
                validations =
                        metrics.written().stream()
                                .map(StepMetrics::evalLoss)
                                .filter(Objects::nonNull)
                                .toList();
                LossPlot.write(
                        metrics.written(),
                        options.model().name() + ", " + options.describeStart(),
                        out.resolve("loss.png"));
            }
        }
        if (ended.end() == FineTuningResult.End.INTERRUPTED) {
            err.printf(
                    "stopped after step %d; go on with: examples/lora finetune --config %s"
                            + " --resume%n",
                    ended.steps(), out.resolve(RunOptions.CONFIGURATION));
            return Interruption.EXIT_CODE;
        }
        saveAdapter(ended, err);
        show("after", err);
        if (!validations.isEmpty()) {
            err.printf(
                    Locale.ROOT,
                    "validation loss %.4f before, %.4f after%n",
                    validations.get(0),
                    validations.get(validations.size() - 1));
        }
        err.printf("wrote adapter, metrics.jsonl, loss.png and config.yaml to %s%n", out);
        result.println(options.run().adapter());
        return 0;
    }

    private FineTuningConfig.Builder recipe(Checkpoint resumed, AdamW optimizer) {
        RunOptions run = options.run();
        FineTuningConfig.Builder recipe = plan.recipe();
        if (run.sampleSteps() > 0) {
            recipe.optSampler(run.sampleSteps(), () -> samples.continueFirst(lora.getModel()));
        }
        return recipe.optAccumulation(options.training().gradientAccumulationSteps())
                .optValidationInterval(run.evalSteps())
                .optStopRequest(Interruption::isRequested)
                .optCheckpoints(
                        Checkpoints.builder()
                                .setTraining(lora, optimizer)
                                .setFolder(run.checkpoints())
                                .optInterval(run.saveSteps())
                                .optKeep(run.saveTotalLimit())
                                .optSaveOptions(saveOptions)
                                .optConfiguration(configuration)
                                .build())
                .optResume(resumed);
    }

    /** Saves the adapter; that of the best validation if early stopping has looked for it. */
    private void saveAdapter(FineTuningResult ended, PrintStream err) throws IOException {
        Path adapter = options.run().adapter();
        Optional<Checkpoint> best =
                options.training().earlyStoppingPatience() == null
                        ? Optional.empty()
                        : Checkpoint.best(options.run().checkpoints());
        if (best.isEmpty() || best.get().getStep() == ended.steps()) {
            PeftAdapter.save(lora, adapter, saveOptions);
            return;
        }
        PeftAdapter.load(lora, best.get().getAdapter(), "best");
        lora.setActive("best");
        PeftAdapter.save(lora, "best", adapter, saveOptions);
        err.printf(
                "%s after step %d; the adapter is that of step %d, which has the lowest validation"
                        + " loss%n",
                ended.end() == FineTuningResult.End.STOPPED_EARLY ? "stopped early" : "ended",
                ended.steps(),
                best.get().getStep());
    }

    private void show(String when, PrintStream err) {
        err.printf(
                "%n%s: ... %s >>> %s%n",
                when, samples.lastWords(), samples.continueFirst(lora.getModel()));
        if (options.data().isShipped()) {
            err.printf(
                    "%s: %d of %d validation questions answered right%n%n",
                    when, samples.countRight(lora.getModel()), samples.size());
        }
    }
}

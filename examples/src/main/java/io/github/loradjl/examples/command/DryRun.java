package io.github.loradjl.examples.command;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.translate.TranslateException;
import ai.djl.util.Progress;

import io.github.loradjl.LoraModel;
import io.github.loradjl.examples.report.ResidentMemory;
import io.github.loradjl.training.AdamW;
import io.github.loradjl.training.FineTuning;
import io.github.loradjl.training.FineTuningListener;
import io.github.loradjl.zoo.text.EpochReport;
import io.github.loradjl.zoo.text.RenderedExample;
import io.github.loradjl.zoo.text.TextDataset;
import io.github.loradjl.zoo.text.TextReport;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Shows what a run would do, and measures what it would need by doing its most expensive parts: the
 * start of the adapter, a step on the longest batch, a few ordinary ones, and the longest batch of
 * the validation. Writes no file.
 */
final class DryRun {

    private static final int ORDINARY_STEPS = 5;

    private final FinetuneOptions options;
    private final TrainingPlan plan;
    private final LoraModel lora;

    DryRun(FinetuneOptions options, TrainingPlan plan, LoraModel lora) {
        this.options = options;
        this.plan = plan;
        this.lora = lora;
    }

    void show(PrintStream err) throws IOException, TranslateException {
        TextDataset train = plan.data().train();
        TextReport report = train.getReport();
        EpochReport epoch = train.getEpochReport(0);
        String lengths =
                report.lengths().entrySet().stream()
                        .map(entry -> entry.getKey() + "%: " + entry.getValue())
                        .collect(Collectors.joining(", "));
        line(err, "%ntokens of a row: %s", lengths);
        line(
                err,
                "masked: %.1f%% of the tokens are read but not learnt",
                100 * report.maskedShare());
        line(err, "an epoch: %s", epoch);
        RenderedExample example = train.render(0);
        line(err, "%nrow %s, what is masked in [[ ]]:", example.name());
        err.println(example.toString().stripTrailing());
        measure(err, epoch);
    }

    private void measure(PrintStream err, EpochReport epoch)
            throws IOException, TranslateException {
        err.println();
        List<FineTuningListener.Step> steps = new ArrayList<>();
        FineTuningListener listener =
                new FineTuningListener() {

                    @Override
                    public void onStep(Step step) {
                        Interruption.check();
                        steps.add(step);
                    }
                };
        long start = System.nanoTime();
        double startSeconds;
        try (AdamW optimizer = plan.optimizer();
                Trainer trainer = plan.trainer(optimizer, err)) {
            startSeconds = (System.nanoTime() - start) / 1e9;
            FineTuning.fit(
                    trainer,
                    plan.recipe().optEpochs(1).optEarlyStopping(0).optListener(listener).build(),
                    new Probe(plan.data().train()),
                    null);
        }
        validateLongest();
        // The first step warms up besides being the longest.
        List<FineTuningListener.Step> ordinary =
                steps.size() > 1 ? steps.subList(1, steps.size()) : steps;
        double seconds = ordinary.stream().mapToDouble(FineTuningListener.Step::seconds).sum();
        long tokens = ordinary.stream().mapToLong(FineTuningListener.Step::tokens).sum();
        int batches = options.training().gradientAccumulationSteps();
        double stepSeconds = seconds / tokens * epoch.tokens() / epoch.batches() * batches;
        line(
                err,
                "time: %.2f s per step (%,.0f tokens/s); %s for %,d steps, after %s for the start",
                stepSeconds,
                tokens / seconds,
                duration(stepSeconds * plan.totalSteps()),
                plan.totalSteps(),
                duration(startSeconds));
        Double peak = ResidentMemory.peakMegabytes();
        if (peak == null) {
            line(err, "peak memory: not known on this system");
        } else {
            line(err, "peak memory: about %,.0f MB in this process", peak);
        }
        line(err, "nothing was written");
    }

    private void validateLongest() throws IOException {
        if (plan.data().validation() == null) {
            return;
        }
        try (NDManager scope = lora.getModel().getNDManager().newSubManager();
                Batch batch = plan.data().validation().longestBatch(scope);
                NDArray loss = plan.evaluate(batch.getData(), batch.getLabels())) {
            loss.getFloat();
        }
    }

    private static String duration(double seconds) {
        Duration time = Duration.ofSeconds(Math.round(seconds));
        return time.toHours() > 0
                ? time.toHours() + " h " + time.toMinutesPart() + " min"
                : time.toMinutes() > 0
                        ? time.toMinutes() + " min " + time.toSecondsPart() + " s"
                        : time.toSeconds() + " s";
    }

    private static void line(PrintStream err, String format, Object... values) {
        err.println(String.format(Locale.ROOT, format, values));
    }

    /** The longest batch, then the first ones of the first epoch. */
    private record Probe(TextDataset data) implements Dataset {

        /** {@inheritDoc} */
        @Override
        public Iterable<Batch> getData(NDManager manager) throws IOException {
            Iterator<Batch> ordinary = data.getEpoch(manager, 0, 0).iterator();
            Batch longest = data.longestBatch(manager);
            return () ->
                    new Iterator<>() {

                        private int given;

                        /** {@inheritDoc} */
                        @Override
                        public boolean hasNext() {
                            return given == 0 || given <= ORDINARY_STEPS && ordinary.hasNext();
                        }

                        /** {@inheritDoc} */
                        @Override
                        public Batch next() {
                            return given++ == 0 ? longest : ordinary.next();
                        }
                    };
        }

        /** {@inheritDoc} */
        @Override
        public void prepare(Progress progress) {
            // The data set is prepared.
        }
    }
}

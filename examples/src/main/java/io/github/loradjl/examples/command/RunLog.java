package io.github.loradjl.examples.command;

import io.github.loradjl.examples.report.ConsoleProgress;
import io.github.loradjl.examples.report.MetricsWriter;
import io.github.loradjl.examples.report.NativeHeap;
import io.github.loradjl.examples.report.ResidentMemory;
import io.github.loradjl.examples.report.StepMetrics;
import io.github.loradjl.training.FineTuningListener;
import io.github.loradjl.training.LearningRateSchedule;

import java.util.Locale;

/** Shows a training run on the terminal and writes its metrics. */
final class RunLog implements FineTuningListener {

    /** Steps between two trims, each of which costs some percent of a step. */
    private static final int TRIM_INTERVAL = 4;

    private final ConsoleProgress progress;
    private final MetricsWriter metrics;
    private final LearningRateSchedule schedule;
    private final int interval;

    private double lossSum;
    private double accuracySum;
    private long tokens;
    private double seconds;
    private int steps;
    private Step last;

    RunLog(
            ConsoleProgress progress,
            MetricsWriter metrics,
            LearningRateSchedule schedule,
            int interval) {
        this.progress = progress;
        this.metrics = metrics;
        this.schedule = schedule;
        this.interval = interval;
    }

    /** {@inheritDoc} */
    @Override
    public void onStep(Step step) {
        if (step.number() % TRIM_INTERVAL == 0) {
            NativeHeap.trim();
        }
        lossSum += step.loss();
        accuracySum += step.accuracy();
        tokens += step.tokens();
        seconds += step.seconds();
        steps++;
        last = step;
        progress.update(
                step.number(),
                String.format(
                        Locale.ROOT,
                        "loss %.3f, %,.0f tokens/s",
                        lossSum / steps,
                        tokens / seconds));
        boolean validated = !Double.isNaN(step.validationLoss());
        if (steps == interval || validated) {
            write();
        }
        if (validated) {
            show(step.number(), step.validationLoss());
        }
    }

    /** {@inheritDoc} */
    @Override
    public void onFirstValidation(double loss) {
        metrics.write(StepMetrics.evaluation(0, loss));
        show(0, loss);
        Interruption.check();
    }

    /** {@inheritDoc} */
    @Override
    public void onSample(long step, String text) {
        progress.println("after " + step + " steps: " + text);
    }

    /** {@inheritDoc} */
    @Override
    public void onCheckpoint(long step) {
        write();
    }

    private void show(long step, double loss) {
        progress.println(
                String.format(
                        Locale.ROOT,
                        "validation loss %.4f, perplexity %.2f after %d steps",
                        loss,
                        Math.exp(loss),
                        step));
    }

    /** Writes down the steps since the last line, if there are any. */
    void write() {
        if (steps == 0) {
            return;
        }
        StepMetrics line =
                new StepMetrics(
                        last.number(),
                        last.epoch(),
                        last.totalTokens(),
                        lossSum / steps,
                        Double.isNaN(accuracySum) ? null : accuracySum / steps,
                        schedule.at(last.number()),
                        last.gradientNorm(),
                        tokens / seconds,
                        ResidentMemory.peakMegabytes(),
                        null,
                        null);
        boolean validated = !Double.isNaN(last.validationLoss());
        metrics.write(validated ? line.withEvaluation(last.validationLoss()) : line);
        lossSum = 0;
        accuracySum = 0;
        tokens = 0;
        seconds = 0;
        steps = 0;
    }
}

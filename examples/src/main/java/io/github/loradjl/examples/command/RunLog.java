package io.github.loradjl.examples.command;

import io.github.loradjl.examples.report.ConsoleProgress;
import io.github.loradjl.examples.report.MetricsWriter;
import io.github.loradjl.examples.report.ResidentMemory;
import io.github.loradjl.examples.report.StepMetrics;
import io.github.loradjl.training.FineTuningListener;
import io.github.loradjl.training.LearningRateSchedule;

import java.io.IOException;
import java.util.Locale;

/** Shows a training run on the terminal and writes its metrics. */
final class RunLog implements FineTuningListener, AutoCloseable {

    private final ConsoleProgress progress;
    private final MetricsWriter metrics;
    private final LearningRateSchedule schedule;
    private final int interval;

    private double lossSum;
    private double accuracySum;
    private long tokens;
    private double seconds;
    private int steps;
    private double firstValidation = Double.NaN;
    private double lastValidation = Double.NaN;

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
        lossSum += step.loss();
        accuracySum += step.accuracy();
        tokens += step.tokens();
        seconds += step.seconds();
        steps++;
        double speed = tokens / seconds;
        double mean = lossSum / steps;
        progress.update(
                step.number(),
                String.format(Locale.ROOT, "loss %.3f, %,.0f tokens/s", mean, speed));
        Double validation = Double.isNaN(step.validationLoss()) ? null : step.validationLoss();
        if (steps == interval || validation != null) {
            StepMetrics line =
                    new StepMetrics(
                            step.number(),
                            step.epoch(),
                            step.totalTokens(),
                            mean,
                            Double.isNaN(accuracySum) ? null : accuracySum / steps,
                            schedule.at(step.number()),
                            step.gradientNorm(),
                            speed,
                            ResidentMemory.peakMegabytes(),
                            null,
                            null);
            metrics.write(validation == null ? line : line.withEvaluation(validation));
            accuracySum = 0;
            lossSum = 0;
            tokens = 0;
            seconds = 0;
            steps = 0;
        }
        if (validation != null) {
            show(step.number(), validation);
        }
        Interruption.check();
    }

    /** {@inheritDoc} */
    @Override
    public void onFirstValidation(double loss) {
        metrics.write(StepMetrics.evaluation(0, loss));
        firstValidation = loss;
        show(0, loss);
        Interruption.check();
    }

    private void show(long step, double loss) {
        lastValidation = loss;
        progress.println(
                String.format(Locale.ROOT, "validation loss %.4f after %d steps", loss, step));
    }

    double firstValidation() {
        return firstValidation;
    }

    double lastValidation() {
        return lastValidation;
    }

    /** {@inheritDoc} */
    @Override
    public void close() throws IOException {
        progress.close();
        metrics.close();
    }
}

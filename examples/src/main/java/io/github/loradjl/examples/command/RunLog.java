package io.github.loradjl.examples.command;

import io.github.loradjl.examples.report.ConsoleProgress;
import io.github.loradjl.examples.report.MetricsWriter;
import io.github.loradjl.examples.report.StepMetrics;
import io.github.loradjl.training.CosineSchedule;
import io.github.loradjl.training.FineTuningListener;

import java.io.IOException;
import java.util.Locale;

/** Shows a training run on the terminal and writes its metrics. */
final class RunLog implements FineTuningListener, AutoCloseable {

    private final ConsoleProgress progress;
    private final MetricsWriter metrics;
    private final CosineSchedule schedule;
    private final int interval;

    private double lossSum;
    private long tokens;
    private double seconds;
    private int steps;
    private StepMetrics pending;
    private double firstValidation = Double.NaN;
    private double lastValidation = Double.NaN;

    RunLog(ConsoleProgress progress, MetricsWriter metrics, CosineSchedule schedule, int interval) {
        this.progress = progress;
        this.metrics = metrics;
        this.schedule = schedule;
        this.interval = interval;
    }

    /** {@inheritDoc} */
    @Override
    public void onStep(Step step) {
        lossSum += step.loss();
        tokens += step.tokens();
        seconds += step.seconds();
        steps++;
        double speed = tokens / seconds;
        double mean = lossSum / steps;
        progress.update(
                step.number(),
                String.format(Locale.ROOT, "loss %.3f, %,.0f tokens/s", mean, speed));
        if (steps == interval) {
            flush();
            // Held back, because a validation of this step belongs to the same line.
            pending = new StepMetrics(step.number(), mean, schedule.at(step.number()), speed, null);
            lossSum = 0;
            tokens = 0;
            seconds = 0;
            steps = 0;
        }
        Interruption.check();
    }

    /** {@inheritDoc} */
    @Override
    public void onValidation(long step, double loss) {
        if (Double.isNaN(firstValidation)) {
            firstValidation = loss;
        }
        lastValidation = loss;
        if (pending != null && pending.globalStep() == step) {
            pending =
                    new StepMetrics(
                            step,
                            pending.loss(),
                            pending.learningRate(),
                            pending.tokensPerSecond(),
                            loss);
            flush();
        } else {
            flush();
            metrics.write(StepMetrics.evaluation(step, loss));
        }
        progress.println(
                String.format(Locale.ROOT, "validation loss %.4f after %d steps", loss, step));
        Interruption.check();
    }

    double firstValidation() {
        return firstValidation;
    }

    double lastValidation() {
        return lastValidation;
    }

    private void flush() {
        if (pending != null) {
            metrics.write(pending);
            pending = null;
        }
    }

    /** {@inheritDoc} */
    @Override
    public void close() throws IOException {
        flush();
        progress.close();
        metrics.close();
    }
}

package io.github.loradjl.examples.report;

import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Shows how far a task is: a moving bar on a terminal, a plain line now and then elsewhere, each
 * with the time that is left.
 *
 * <p>The system property {@code lora.progress} decides ({@code bar} or {@code plain}); without it
 * the presence of a console does.
 */
public final class ConsoleProgress implements AutoCloseable {

    private static final int LINES = 10;
    private static final long MOST_SECONDS = 60;

    private final PrintStream out;
    private final String task;
    private long steps;
    private final ProgressBar bar;
    private final LongSupplier nanos;
    private long nextLine;
    private long lastLine;
    private long firstStep = -1;
    private long firstTime;

    /**
     * Starts to show a task.
     *
     * @param out where to show it, usually standard error
     * @param task what is being done, in a word or two
     * @param steps the number of steps
     */
    public ConsoleProgress(PrintStream out, String task, long steps) {
        this(out, task, steps, System::nanoTime);
    }

    ConsoleProgress(PrintStream out, String task, long steps, LongSupplier nanos) {
        this.nanos = nanos;
        this.out = out;
        this.task = task;
        this.steps = steps;
        bar = isTerminal() ? newBar() : null;
    }

    private static boolean isTerminal() {
        String choice = System.getProperty("lora.progress", "");
        return choice.isEmpty() ? System.console() != null : choice.equals("bar");
    }

    private ProgressBar newBar() {
        return new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(steps)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(200)
                .setConsumer(new ConsoleProgressBarConsumer(out, width()))
                .build();
    }

    /** The launcher knows the width of the terminal; Java would have to ask a program for it. */
    private static int width() {
        return Math.max(40, Integer.getInteger("lora.columns", 80) - 1);
    }

    /**
     * Sets the number of steps, where it is known only later.
     *
     * @param steps the number of steps
     */
    public void setSteps(long steps) {
        this.steps = steps;
        if (bar != null) {
            bar.maxHint(steps);
        }
    }

    /**
     * Shows that a step is done.
     *
     * @param step the number of steps done
     * @param message a few figures, short enough for one line
     */
    public void update(long step, String message) {
        long now = nanos.getAsLong();
        if (firstStep < 0) {
            firstStep = step;
            firstTime = now;
            lastLine = now;
        }
        if (bar != null) {
            bar.setExtraMessage(message);
            bar.stepTo(step);
        } else if (step >= nextLine
                || step == steps
                || now - lastLine >= TimeUnit.SECONDS.toNanos(MOST_SECONDS)) {
            String line = String.format(Locale.ROOT, "%s %d/%d  %s", task, step, steps, message);
            out.println(line.stripTrailing() + left(step, now));
            nextLine = step + Math.max(1, steps / LINES);
            lastLine = now;
        }
    }

    /** Estimates by the steps since the first one, before which there may have been a pause. */
    private String left(long step, long now) {
        if (step <= firstStep || step >= steps) {
            return "";
        }
        double each = (double) (now - firstTime) / (step - firstStep);
        long seconds = Math.round(each * (steps - step) / 1e9);
        return String.format(
                Locale.ROOT,
                "  (%d:%02d:%02d left)",
                seconds / 3600,
                seconds / 60 % 60,
                seconds % 60);
    }

    /**
     * Writes a line of its own, above the bar if there is one.
     *
     * @param line the line
     */
    public void println(String line) {
        if (bar != null) {
            // The bar's thread redraws it below; the escape clears what stands on the line now.
            out.print("\r\033[K");
        }
        out.println(line);
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}

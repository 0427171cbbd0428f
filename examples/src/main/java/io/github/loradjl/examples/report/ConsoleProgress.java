package io.github.loradjl.examples.report;

import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

import java.io.PrintStream;
import java.util.Locale;

/**
 * Shows how far a task is: a moving bar on a terminal, a plain line now and then elsewhere.
 *
 * <p>The system property {@code lora.progress} decides ({@code bar} or {@code plain}); without it
 * the presence of a console does.
 */
public final class ConsoleProgress implements AutoCloseable {

    private static final int LINES = 10;

    private final PrintStream out;
    private final String task;
    private long steps;
    private final ProgressBar bar;
    private long nextLine;

    /**
     * Starts to show a task.
     *
     * @param out where to show it, usually standard error
     * @param task what is being done, in a word or two
     * @param steps the number of steps
     */
    public ConsoleProgress(PrintStream out, String task, long steps) {
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
        if (bar != null) {
            bar.setExtraMessage(message);
            bar.stepTo(step);
        } else if (step >= nextLine || step == steps) {
            String line = String.format(Locale.ROOT, "%s %d/%d  %s", task, step, steps, message);
            out.println(line.stripTrailing());
            nextLine = step + Math.max(1, steps / LINES);
        }
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

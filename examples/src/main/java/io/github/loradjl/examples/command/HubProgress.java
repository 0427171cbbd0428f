package io.github.loradjl.examples.command;

import ai.djl.util.Progress;

import io.github.loradjl.examples.report.ConsoleProgress;

import java.io.PrintStream;
import java.util.Locale;

/** Shows a download, once it is known that there is something to fetch. */
final class HubProgress implements Progress, AutoCloseable {

    private static final long KILO = 1000;
    private static final long MEGA = 1_000_000;

    private final PrintStream err;
    private ConsoleProgress progress;
    private long unit = KILO;
    private long done;
    private long startNanos;

    HubProgress(PrintStream err) {
        this.err = err;
    }

    /** {@inheritDoc} */
    @Override
    public void reset(String message, long max, String trailingMessage) {
        unit = max < 100 * MEGA ? KILO : MEGA;
        startNanos = System.nanoTime();
        progress = new ConsoleProgress(err, message, ceil(max));
    }

    private long ceil(long bytes) {
        return (bytes + unit - 1) / unit;
    }

    /** {@inheritDoc} */
    @Override
    public void start(long initialProgress) {
        update(initialProgress, null);
    }

    /** {@inheritDoc} */
    @Override
    public void end() {
        // Closed by whoever made it.
    }

    /** {@inheritDoc} */
    @Override
    public void increment(long increment) {
        update(done + increment, null);
    }

    /** {@inheritDoc} */
    @Override
    public void update(long bytes, String message) {
        Interruption.check();
        boolean isStep = ceil(bytes) != ceil(done) || bytes == 0;
        done = bytes;
        if (isStep) {
            double seconds = (System.nanoTime() - startNanos) / 1e9;
            progress.update(
                    ceil(bytes),
                    String.format(
                            Locale.ROOT,
                            "%s, %.1f MB/s",
                            unit == KILO ? "kB" : "MB",
                            seconds > 0 ? bytes / seconds / MEGA : 0));
        }
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        if (progress != null) {
            progress.close();
        }
    }
}

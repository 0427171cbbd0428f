package io.github.loradjl.examples.command;

import ai.djl.util.Progress;

import io.github.loradjl.examples.report.ConsoleProgress;

/** Shows a gradient pass. */
final class GradientProgress implements Progress {

    private final ConsoleProgress progress;
    private long done;

    GradientProgress(ConsoleProgress progress) {
        this.progress = progress;
    }

    /** {@inheritDoc} */
    @Override
    public void reset(String message, long max, String trailingMessage) {
        done = 0;
        progress.setSteps(max);
    }

    /** {@inheritDoc} */
    @Override
    public void start(long initialProgress) {
        update(initialProgress, null);
    }

    /** {@inheritDoc} */
    @Override
    public void end() {
        // Whoever made the bar closes it.
    }

    /** {@inheritDoc} */
    @Override
    public void increment(long increment) {
        update(done + increment, null);
    }

    /** {@inheritDoc} */
    @Override
    public void update(long step, String message) {
        Interruption.check();
        done = step;
        progress.update(done, message == null ? "" : message);
    }
}

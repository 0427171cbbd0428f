package io.github.loradjl.torch;

import ai.djl.pytorch.jni.JniUtils;

/**
 * Switches the recording of gradients on or off for the calling thread until it is closed.
 *
 * <p>LibTorch keeps this mode per thread, and DJL switches it off only in the thread that loads the
 * engine: everywhere else a prediction would build a graph as soon as one parameter requires a
 * gradient.
 */
public final class GradientMode implements AutoCloseable {

    private final boolean before;

    private GradientMode(boolean recording) {
        before = JniUtils.isGradMode();
        if (before != recording) {
            JniUtils.setGradMode(recording);
        }
    }

    /**
     * Stops recording in this thread.
     *
     * @return the scope that restores the previous mode when closed
     */
    public static GradientMode off() {
        return new GradientMode(false);
    }

    /**
     * Starts recording in this thread.
     *
     * @return the scope that restores the previous mode when closed
     */
    public static GradientMode on() {
        return new GradientMode(true);
    }

    /**
     * Tells whether operations of this thread are being recorded.
     *
     * @return true if they are
     */
    public static boolean isOn() {
        return JniUtils.isGradMode();
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        if (JniUtils.isGradMode() != before) {
            JniUtils.setGradMode(before);
        }
    }
}

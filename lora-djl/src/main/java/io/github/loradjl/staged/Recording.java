package io.github.loradjl.staged;

import ai.djl.ndarray.NDList;

/**
 * A stage's forward pass that has been run and can be run backward, once: by formulas, on what the
 * stage has chosen to keep, without a graph and without running the stage again.
 *
 * <p>It owns what it keeps, until it is closed.
 */
public interface Recording extends AutoCloseable {

    /**
     * Returns the output of the stage.
     *
     * @return the arrays that the stage made, which stay the recording's, and those that it handed
     *     on as they came
     */
    NDList output();

    /**
     * Runs the stage backward.
     *
     * @param gradients the gradients of the output's entries, with null for those that have none;
     *     left open
     * @param wanted whether the gradients of the input are wanted
     * @param sink what takes the gradients of parameters
     * @return the gradients of the input's entries, which are the caller's, with null for those
     *     that have none; empty if none are wanted
     */
    NDList backward(NDList gradients, boolean wanted, GradientSink sink);

    /** Releases what was kept. */
    @Override
    void close();
}

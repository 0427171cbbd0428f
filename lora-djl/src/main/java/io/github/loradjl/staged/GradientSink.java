package io.github.loradjl.staged;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;

/** Takes gradients of parameters that were computed by formulas. */
public interface GradientSink {

    /**
     * Adds to the gradient of a parameter; one that is not trained is ignored.
     *
     * @param parameter the parameter
     * @param gradient the gradient in the parameter's type, the sink's from now on
     */
    void add(Parameter parameter, NDArray gradient);
}

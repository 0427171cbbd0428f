package io.github.loradjl.zoo.block;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;

import io.github.loradjl.torch.BackwardOps;

/**
 * An {@link RmsNorm} between its forward and its backward pass by formulas. It keeps a number for
 * each row; the normalised rows are computed again where they are needed.
 */
public final class RecordedNorm {

    private final NDArray weight;
    private final NDArray scale;
    private final NDArray output;

    private RecordedNorm(NDArray weight, NDArray scale, NDArray output) {
        this.weight = weight;
        this.scale = scale;
        this.output = output;
    }

    /**
     * Tells whether a norm can be recorded.
     *
     * @param norm the norm
     * @return false if its weight is trained
     */
    public static boolean isPossible(RmsNorm norm) {
        return norm.getDirectParameters().values().stream().noneMatch(Parameter::requiresGradient);
    }

    /**
     * Normalises.
     *
     * @param norm the norm
     * @param store the parameter store
     * @param x a matrix, which the backward pass needs again
     * @param manager the owner of the output and of what is kept
     * @return the recording
     */
    public static RecordedNorm run(
            RmsNorm norm, ParameterStore store, NDArray x, NDManager manager) {
        NDArray weight = norm.weight(store, x, true);
        NDList result = BackwardOps.rmsNorm(x, weight, norm.getEpsilon());
        result.attach(manager);
        return new RecordedNorm(weight, result.get(1), result.get(0));
    }

    /**
     * Returns the normalised rows.
     *
     * @return a matrix, which the caller may close
     */
    public NDArray output() {
        return output;
    }

    /**
     * Computes the normalised rows again.
     *
     * @param x the rows
     * @return a new matrix
     */
    public NDArray again(NDArray x) {
        return BackwardOps.rmsNormAgain(x, weight, scale);
    }

    /**
     * Runs backward.
     *
     * @param dy the gradient of the normalised rows; overwritten
     * @param x the rows
     * @param residual a gradient that reaches the rows on another way
     * @return the sum of both gradients of the rows
     */
    public NDArray backward(NDArray dy, NDArray x, NDArray residual) {
        return BackwardOps.rmsNormBackward(dy, x, weight, scale, residual);
    }
}

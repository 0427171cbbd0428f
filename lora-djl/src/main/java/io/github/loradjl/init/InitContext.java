package io.github.loradjl.init;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/**
 * What a start is computed from: one target of an adapter.
 *
 * @param target the path of the target in the model, for messages
 * @param weight the frozen weight W0, of shape (m, n) = (out, in), in any floating point type;
 *     never changed
 * @param rank the rank r of the update, at least 1
 * @param scaling eta, the factor of the update eta B A
 * @param seed the seed of this target's random draws
 * @param manager the owner of the result
 * @param gradient what is kept of dL/dW0, or null where the start does not ask for it; never
 *     changed
 * @see LoraInit#needsGradient()
 */
public record InitContext(
        String target,
        NDArray weight,
        int rank,
        double scaling,
        long seed,
        NDManager manager,
        GradientFactors gradient) {

    /**
     * Returns the outputs of the target.
     *
     * @return m
     */
    public long outputs() {
        return weight.getShape().get(0);
    }

    /**
     * Returns the inputs of the target.
     *
     * @return n
     */
    public long inputs() {
        return weight.getShape().get(1);
    }
}

package io.github.loradjl.zoo.block;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

import io.github.loradjl.torch.TorchOps;

/**
 * Normalisation by the root mean square, with a learned scale and no bias.
 *
 * @see <a href="https://arxiv.org/abs/1910.07467">Root Mean Square Layer Normalization</a>
 */
public final class RmsNorm extends ModelBlock {

    private final Parameter weight;
    private final float epsilon;

    /**
     * Creates a norm without weights.
     *
     * @param size the width of the hidden states
     * @param epsilon the number added to the mean square
     */
    public RmsNorm(int size, float epsilon) {
        this.epsilon = epsilon;
        weight =
                addParameter(
                        Parameter.builder()
                                .setName("weight")
                                .setType(Parameter.Type.GAMMA)
                                .optShape(new Shape(size))
                                .build());
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore store,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray x = inputs.singletonOrThrow();
        return new NDList(TorchOps.rmsNorm(x, weight(store, x, training), epsilon));
    }

    /**
     * Returns the scale.
     *
     * @param store the parameter store
     * @param like an array on the device that is wanted
     * @param training true to run in training mode
     * @return an array of shape (size)
     */
    public NDArray weight(ParameterStore store, NDArray like, boolean training) {
        return store.getValue(weight, like.getDevice(), training);
    }

    /**
     * Returns the number added to the mean square.
     *
     * @return the number
     */
    public float getEpsilon() {
        return epsilon;
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputs) {
        return inputs;
    }
}

package io.github.loradjl.zoo.block;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;

/** What the blocks of the models have in common. */
public abstract class ModelBlock extends AbstractBlock {

    /**
     * {@inheritDoc}
     *
     * <p>DJL asks at every level of each training step and would walk all parameters below. Ours
     * have their shapes from the start, so that initialising is all or nothing.
     */
    @Override
    public boolean isInitialized() {
        return inputShapes != null;
    }

    /**
     * Runs a child that takes and gives one array.
     *
     * @param block the child
     * @param store the parameter store
     * @param x its input
     * @param training true to run in training mode
     * @return its output
     */
    public static NDArray apply(Block block, ParameterStore store, NDArray x, boolean training) {
        return block.forward(store, new NDList(x), training).singletonOrThrow();
    }

    /**
     * Makes a projection that knows its shape before it has weights.
     *
     * @param in the width of its input
     * @param out the width of its output
     * @param bias whether it has a bias
     * @return the projection
     */
    protected static Linear linear(int in, int out, boolean bias) {
        Linear linear = Linear.builder().setUnits(out).optBias(bias).build();
        linear.prepare(new Shape[] {new Shape(1, in)});
        return linear;
    }
}

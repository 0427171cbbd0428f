package io.github.loradjl.zoo.t5;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.NormalInitializer;
import ai.djl.util.PairList;

import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.block.ModelBlock;

/** What the parts of the model have in common: they are run by the stages, each in its own way. */
abstract class T5Block extends ModelBlock {

    /** Makes a projection without a bias, and with the random weights of transformers. */
    static Linear projection(int in, int out, double deviation) {
        Linear linear = linear(in, out, false);
        linear.setInitializer(new NormalInitializer((float) deviation), Parameter.Type.WEIGHT);
        return linear;
    }

    /** Zeroes a share of the elements in training; what it replaces is closed. */
    static NDArray dropout(NDArray x, float share, boolean training) {
        if (!training || share == 0) {
            return x;
        }
        try (x) {
            return TorchOps.dropout(x, share);
        }
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore store,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        throw new UnsupportedOperationException(
                "run the model that holds this block, which knows how");
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(NDManager manager, DataType dataType, Shape... shapes) {
        getChildren()
                .values()
                .forEach(
                        child -> {
                            // A projection is told the shape that it knows.
                            Shape[] known =
                                    child instanceof Linear linear
                                            ? new Shape[] {new Shape(1, width(linear))}
                                            : shapes;
                            child.initialize(manager, dataType, known);
                        });
    }

    private static long width(Linear linear) {
        return linear.getDirectParameters().get("weight").getShape().get(1);
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputs) {
        return inputs;
    }
}

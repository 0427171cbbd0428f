package io.github.loradjl.zoo.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.block.ModelBlock;

/**
 * The SwiGLU feed-forward layer: down(silu(gate(x)) * up(x)).
 *
 * @see <a href="https://arxiv.org/abs/2002.05202">GLU Variants Improve Transformer</a>
 */
final class LlamaMlp extends ModelBlock {

    // Not final: an adapter takes the place of a projection.
    private Linear gateProj;
    private Linear upProj;
    private Linear downProj;

    private final int hiddenSize;
    private final int innerSize;

    LlamaMlp(LlamaConfig config) {
        hiddenSize = config.getHiddenSize();
        innerSize = config.getIntermediateSize();
        boolean bias = config.hasMlpBias();
        gateProj = addChildBlock("gate_proj", linear(hiddenSize, innerSize, bias));
        upProj = addChildBlock("up_proj", linear(hiddenSize, innerSize, bias));
        downProj = addChildBlock("down_proj", linear(innerSize, hiddenSize, bias));
    }

    Linear gate() {
        return gateProj;
    }

    Linear up() {
        return upProj;
    }

    Linear down() {
        return downProj;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore store,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray x = inputs.singletonOrThrow();
        NDArray inner;
        try (NDArray gate = apply(gateProj, store, x, training);
                NDArray up = apply(upProj, store, x, training)) {
            inner = TorchOps.siluProduct(gate, up);
        }
        try (inner) {
            return new NDList(apply(downProj, store, inner, training));
        }
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(NDManager manager, DataType dataType, Shape... shapes) {
        gateProj.initialize(manager, dataType, new Shape(1, hiddenSize));
        upProj.initialize(manager, dataType, new Shape(1, hiddenSize));
        downProj.initialize(manager, dataType, new Shape(1, innerSize));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputs) {
        return inputs;
    }
}

package io.github.loradjl.zoo.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;

import io.github.loradjl.adapter.RecordedLinears;
import io.github.loradjl.staged.GradientSink;
import io.github.loradjl.staged.Recording;
import io.github.loradjl.torch.BackwardOps;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.block.RecordedNorm;

import java.util.List;

/**
 * A decoder layer between its forward and its backward pass by formulas.
 *
 * <p>Of each token it keeps what products of matrices gave: queries and keys as they were turned,
 * values, what was attended to, the state between attention and feed-forward, gate and up. What is
 * cheap to compute again is: norms, scores of attention, the product of gate and up.
 */
final class RecordedLayer implements Recording {

    private final NDManager manager;
    private final NDList inputs;
    private final NDArray x;
    private final RecordedNorm inputNorm;
    private final RecordedLinears qkv;
    private final NDArray queries;
    private final NDArray keys;
    private final NDArray values;
    private final NDArray attended;
    private final RecordedLinears o;
    private final NDArray middle;
    private final RecordedNorm innerNorm;
    private final RecordedLinears gateAndUp;
    private final NDArray gate;
    private final NDArray up;
    private final RecordedLinears down;
    private final NDList output;

    /**
     * Runs the layer forward.
     *
     * @param layer the layer
     * @param inputs hidden states, cosines, sines, and the lengths of the texts
     */
    RecordedLayer(LlamaDecoderLayer layer, ParameterStore store, NDList inputs, NDManager parent) {
        this.inputs = inputs;
        manager = parent.newSubManager();
        LlamaAttention attention = layer.attention();
        LlamaMlp mlp = layer.mlp();
        Shape shape = inputs.get(0).getShape();
        x = rows(inputs.get(0));

        inputNorm = RecordedNorm.run(layer.inputNorm(), store, x, manager);
        try (NDArray normed = inputNorm.output()) {
            List<Linear> three = List.of(attention.query(), attention.key(), attention.value());
            qkv = RecordedLinears.run(three, store, normed, manager);
        }
        queries = heads(qkv.output(0), attention.headSize());
        keys = heads(qkv.output(1), attention.headSize());
        values = heads(qkv.output(2), attention.headSize());
        BackwardOps.rotary(queries, inputs.get(1), inputs.get(2));
        BackwardOps.rotary(keys, inputs.get(1), inputs.get(2));
        attended = TorchOps.textAttention(queries, keys, values, inputs.get(3));
        o = RecordedLinears.run(List.of(attention.output()), store, attended, manager);
        middle = o.output(0).addi(x);

        innerNorm = RecordedNorm.run(layer.innerNorm(), store, middle, manager);
        try (NDArray normed = innerNorm.output()) {
            List<Linear> two = List.of(mlp.gate(), mlp.up());
            gateAndUp = RecordedLinears.run(two, store, normed, manager);
        }
        gate = gateAndUp.output(0);
        up = gateAndUp.output(1);
        try (NDArray product = BackwardOps.siluProduct(gate, up)) {
            down = RecordedLinears.run(List.of(mlp.down()), store, product, manager);
        }
        output = new NDList(inputs);
        output.set(0, down.output(0).addi(middle).reshape(shape));
    }

    /** {@inheritDoc} */
    @Override
    public NDList output() {
        return output;
    }

    /** {@inheritDoc} */
    @Override
    public NDList backward(NDList gradients, boolean wanted, GradientSink sink) {
        try (NDManager scope = manager.newSubManager()) {
            NDArray dy = gradients.get(0).reshape(x.getShape());
            dy.attach(scope);
            NDArray dMiddle = feedForwardBackward(dy, sink);
            dMiddle.attach(scope);
            NDArray dx = attentionBackward(dMiddle, wanted, sink);
            if (!wanted) {
                return new NDList();
            }
            try (dx) {
                NDList result = new NDList(dx.reshape(gradients.get(0).getShape()));
                result.attach(manager.getParentManager());
                for (int i = 1; i < inputs.size(); i++) {
                    result.add(null);
                }
                return result;
            }
        }
    }

    private NDArray feedForwardBackward(NDArray dy, GradientSink sink) {
        NDArray dn;
        NDList again = BackwardOps.siluProductAgain(gate, up);
        try (NDArray silu = again.get(0);
                NDArray product = again.get(1);
                NDArray dp = down.backward(List.of(dy), product, true, sink);
                NDList both = BackwardOps.siluProductBackward(dp, silu, gate, up);
                NDArray normed = innerNorm.again(middle)) {
            dn = gateAndUp.backward(both, normed, true, sink);
        }
        try (dn) {
            return innerNorm.backward(dn, middle, dy);
        }
    }

    private NDArray attentionBackward(NDArray dMiddle, boolean wanted, GradientSink sink) {
        NDList each;
        try (NDArray dAttended = o.backward(List.of(dMiddle), attended, true, sink)) {
            each =
                    BackwardOps.textAttentionBackward(
                            dAttended, queries, keys, values, inputs.get(3));
        }
        try (each;
                NDArray normed = inputNorm.again(x)) {
            turnBack(each.get(0));
            turnBack(each.get(1));
            try (NDArray dn = qkv.backward(each, normed, wanted, sink)) {
                return wanted ? inputNorm.backward(dn, x, dMiddle) : null;
            }
        }
    }

    private void turnBack(NDArray gradient) {
        try (NDArray split = gradient.reshape(gradient.getShape().get(0), -1, headSize())) {
            BackwardOps.rotaryBackward(split, inputs.get(1), inputs.get(2));
        }
    }

    private long headSize() {
        return queries.getShape().get(2);
    }

    private NDArray rows(NDArray hidden) {
        NDArray rows = hidden.reshape(-1, hidden.getShape().get(2));
        rows.attach(manager);
        return rows;
    }

    private static NDArray heads(NDArray projected, long size) {
        return projected.reshape(projected.getShape().get(0), -1, size);
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        manager.close();
    }
}

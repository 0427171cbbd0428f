package io.github.loradjl.zoo.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;

import io.github.loradjl.adapter.RecordedLinear;
import io.github.loradjl.staged.GradientSink;
import io.github.loradjl.staged.Recording;
import io.github.loradjl.torch.BackwardOps;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.block.RecordedNorm;

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
    private final RecordedLinear q;
    private final RecordedLinear k;
    private final RecordedLinear v;
    private final NDArray queries;
    private final NDArray keys;
    private final NDArray values;
    private final NDArray attended;
    private final RecordedLinear o;
    private final NDArray middle;
    private final RecordedNorm innerNorm;
    private final RecordedLinear gate;
    private final RecordedLinear up;
    private final RecordedLinear down;
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
            q = RecordedLinear.run(attention.query(), store, normed, manager);
            k = RecordedLinear.run(attention.key(), store, normed, manager);
            v = RecordedLinear.run(attention.value(), store, normed, manager);
        }
        queries = heads(q.output(), attention.headSize());
        keys = heads(k.output(), attention.headSize());
        values = heads(v.output(), attention.headSize());
        BackwardOps.rotary(queries, inputs.get(1), inputs.get(2));
        BackwardOps.rotary(keys, inputs.get(1), inputs.get(2));
        attended = TorchOps.textAttention(queries, keys, values, inputs.get(3));
        o = RecordedLinear.run(attention.output(), store, attended, manager);
        middle = o.output().addi(x);

        innerNorm = RecordedNorm.run(layer.innerNorm(), store, middle, manager);
        try (NDArray normed = innerNorm.output()) {
            gate = RecordedLinear.run(mlp.gate(), store, normed, manager);
            up = RecordedLinear.run(mlp.up(), store, normed, manager);
        }
        try (NDArray product = BackwardOps.siluProduct(gate.output(), up.output())) {
            down = RecordedLinear.run(mlp.down(), store, product, manager);
        }
        output = new NDList(inputs);
        output.set(0, down.output().addi(middle).reshape(shape));
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
        NDList again = BackwardOps.siluProductAgain(gate.output(), up.output());
        try (NDArray silu = again.get(0);
                NDArray product = again.get(1);
                NDArray dp = down.backward(dy, product, sink);
                NDList both =
                        BackwardOps.siluProductBackward(dp, silu, gate.output(), up.output());
                NDArray normed = innerNorm.again(middle)) {
            dn = gate.backward(both.get(0), normed, sink);
            up.backward(both.get(1), normed, dn, sink);
        }
        try (dn) {
            return innerNorm.backward(dn, middle, dy);
        }
    }

    private NDArray attentionBackward(NDArray dMiddle, boolean wanted, GradientSink sink) {
        NDList each;
        try (NDArray dAttended = o.backward(dMiddle, attended, sink)) {
            each =
                    BackwardOps.textAttentionBackward(
                            dAttended, queries, keys, values, inputs.get(3));
        }
        try (each;
                NDArray normed = inputNorm.again(x)) {
            turnBack(each.get(0));
            turnBack(each.get(1));
            if (!wanted) {
                q.backward(each.get(0), normed, null, sink);
                k.backward(each.get(1), normed, null, sink);
                v.backward(each.get(2), normed, null, sink);
                return null;
            }
            try (NDArray dn = q.backward(each.get(0), normed, sink)) {
                k.backward(each.get(1), normed, dn, sink);
                v.backward(each.get(2), normed, dn, sink);
                return inputNorm.backward(dn, x, dMiddle);
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

package io.github.loradjl.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;

import io.github.loradjl.staged.GradientSink;
import io.github.loradjl.torch.BackwardOps;

/**
 * A {@link LowRankUpdate} between its forward and its backward pass. With x' the dropped input and
 * h = eta dy B it gives
 *
 * <pre>
 *   dA = h^T x'      dB = dy^T (eta x' A^T)      dx += h A - eta dy B0 A0, where x' kept x
 * </pre>
 *
 * <p>Of each token it keeps r numbers and, with dropout, a mask; the input comes from the caller.
 *
 * @param parameters A and B, to give their gradients to
 * @param factors A, B and, if something is subtracted, A0 and B0
 * @param scaling eta
 * @param dropout the share of the input's elements that were dropped
 * @param mask where they were kept, or null without dropout
 * @param xa eta x' A<sup>T</sup>
 */
record RecordedUpdate(
        Parameter[] parameters,
        NDArray[] factors,
        double scaling,
        double dropout,
        NDArray mask,
        NDArray xa) {

    /** Adds the update's output to {@code y} in place. */
    static RecordedUpdate run(
            Parameter[] parameters,
            NDArray[] factors,
            double scaling,
            double dropout,
            NDArray y,
            NDArray x,
            NDManager manager) {
        NDArray mask = null;
        NDArray dropped = x;
        if (dropout > 0) {
            NDList result = BackwardOps.dropout(x, dropout);
            dropped = result.get(0);
            mask = result.get(1);
            mask.attach(manager);
        }
        NDArray xa =
                factors.length == 2
                        ? BackwardOps.addLora(y, dropped, factors[0], factors[1], scaling)
                        : BackwardOps.addLoraDifference(
                                y,
                                dropped,
                                factors[0],
                                factors[1],
                                factors[2],
                                factors[3],
                                scaling);
        xa.attach(manager);
        if (mask != null) {
            dropped.close();
        }
        return new RecordedUpdate(parameters, factors, scaling, dropout, mask, xa);
    }

    /** Gives the gradients of A and B, and adds that of the input to {@code dx} unless null. */
    void backward(NDArray dy, NDArray x, NDArray dx, GradientSink sink) {
        NDArray dropped = mask == null ? x : BackwardOps.dropped(x, mask, dropout);
        NDList result = BackwardOps.loraBackward(dy, dropped, xa, factors[1], scaling);
        if (mask != null) {
            dropped.close();
        }
        sink.add(parameters[0], result.get(1));
        sink.add(parameters[1], result.get(2));
        try (NDArray h = result.get(0)) {
            if (dx == null) {
                return;
            }
            add(dx, h, factors[0]);
        }
        if (factors.length > 2) {
            try (NDArray h = BackwardOps.scaledProduct(dy, factors[3], -scaling)) {
                add(dx, h, factors[2]);
            }
        }
    }

    /** Adds h A to the gradient of the input, as far as that was not dropped. */
    private void add(NDArray dx, NDArray h, NDArray a) {
        if (mask == null) {
            BackwardOps.addProduct(dx, h, a);
        } else {
            BackwardOps.addDroppedProduct(dx, h, a, mask, dropout);
        }
    }
}

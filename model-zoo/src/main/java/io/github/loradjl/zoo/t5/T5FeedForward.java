package io.github.loradjl.zoo.t5;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Activation;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;

import io.github.loradjl.torch.TorchOps;

/**
 * The feed-forward layer: wo(relu(wi(x))), or wo(gelu(wi_0(x)) * wi_1(x)).
 *
 * @see <a href="https://arxiv.org/abs/2002.05202">GLU Variants Improve Transformer</a>
 */
final class T5FeedForward extends T5Block {

    // Not final: an adapter takes the place of a projection. Either the first is null, or the next
    // two are.
    private Linear wi;
    private Linear gate;
    private Linear up;
    private Linear wo;

    private final float dropout;

    T5FeedForward(T5Config config) {
        int size = config.getHiddenSize();
        int inner = config.getIntermediateSize();
        double in = config.getInitializerFactor() / Math.sqrt(size);
        double out = config.getInitializerFactor() / Math.sqrt(inner);
        dropout = config.getDropout();
        if (config.isGated()) {
            gate = addChildBlock("wi_0", projection(size, inner, in));
            up = addChildBlock("wi_1", projection(size, inner, in));
        } else {
            wi = addChildBlock("wi", projection(size, inner, in));
        }
        wo = addChildBlock("wo", projection(inner, size, out));
    }

    /** Runs on normalised hidden states, left open. */
    NDArray run(ParameterStore store, NDArray x, boolean training) {
        try (NDArray inner = dropout(inner(store, x, training), dropout, training)) {
            return apply(wo, store, inner, training);
        }
    }

    private NDArray inner(ParameterStore store, NDArray x, boolean training) {
        if (wi != null) {
            try (NDArray y = apply(wi, store, x, training)) {
                return Activation.relu(y);
            }
        }
        try (NDArray g = apply(gate, store, x, training);
                NDArray u = apply(up, store, x, training)) {
            return TorchOps.geluProduct(g, u);
        }
    }
}

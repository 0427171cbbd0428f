package io.github.loradjl.zoo.t5;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.NormalInitializer;

import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.block.TokenEmbedding;

/**
 * Attention to the positions of the same text, or of another. The first one of a stack holds the
 * table of relative positions.
 */
final class T5Attention extends T5Block {

    // Not final: an adapter takes the place of a projection.
    private Linear q;
    private Linear k;
    private Linear v;
    private Linear o;
    private TokenEmbedding relativeAttentionBias;

    private final int heads;
    private final int headSize;
    private final float dropout;

    T5Attention(T5Config config, boolean hasTable) {
        heads = config.getHeads();
        headSize = config.getHeadSize();
        dropout = config.getDropout();
        int size = config.getHiddenSize();
        int inner = heads * headSize;
        float factor = config.getInitializerFactor();
        // Small queries stand in for the root of the head size in the scores.
        q = addChildBlock("q", projection(size, inner, factor / Math.sqrt(size * headSize)));
        k = addChildBlock("k", projection(size, inner, factor / Math.sqrt(size)));
        v = addChildBlock("v", projection(size, inner, factor / Math.sqrt(size)));
        o = addChildBlock("o", projection(inner, size, factor / Math.sqrt(inner)));
        if (hasTable) {
            TokenEmbedding table = new TokenEmbedding(config.getBuckets(), heads);
            table.setInitializer(
                    new NormalInitializer((float) (factor / Math.sqrt(size))),
                    Parameter.Type.WEIGHT);
            relativeAttentionBias = addChildBlock("relative_attention_bias", table);
        }
    }

    TokenEmbedding relativeAttentionBias() {
        return relativeAttentionBias;
    }

    /**
     * Attends.
     *
     * @param x normalised hidden states of shape (b, t, size), left open
     * @param memory what is attended to, of shape (b, s, size), left open
     * @param bias numbers to add to the scores, broadcast to (b, heads, t, s), or null
     * @return an array of the shape of {@code x}
     */
    NDArray attend(
            ParameterStore store, NDArray x, NDArray memory, NDArray bias, boolean training) {
        try (NDArray keys = keys(store, memory, training);
                NDArray values = values(store, memory, training)) {
            return attend(store, x, keys, values, bias, training);
        }
    }

    /** Attends to keys and values of shape (b, heads, s, head size), left open. */
    NDArray attend(
            ParameterStore store,
            NDArray x,
            NDArray keys,
            NDArray values,
            NDArray bias,
            boolean training) {
        NDArray attended;
        try (NDArray queries = split(apply(q, store, x, training))) {
            attended =
                    TorchOps.biasedAttention(queries, keys, values, bias, training ? dropout : 0);
        }
        Shape shape = x.getShape();
        try (attended;
                NDArray swapped = attended.transpose(0, 2, 1, 3);
                NDArray joined = swapped.reshape(shape.get(0), shape.get(1), heads * headSize)) {
            return apply(o, store, joined, training);
        }
    }

    NDArray keys(ParameterStore store, NDArray memory, boolean training) {
        return split(apply(k, store, memory, training));
    }

    NDArray values(ParameterStore store, NDArray memory, boolean training) {
        return split(apply(v, store, memory, training));
    }

    /** Splits into heads, of shape (b, heads, t, head size), and closes what was split. */
    private NDArray split(NDArray x) {
        Shape shape = x.getShape();
        try (x;
                NDArray split = x.reshape(shape.get(0), shape.get(1), heads, headSize)) {
            return split.transpose(0, 2, 1, 3);
        }
    }
}

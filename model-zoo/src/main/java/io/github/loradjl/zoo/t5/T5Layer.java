package io.github.loradjl.zoo.t5;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;

import io.github.loradjl.zoo.block.RmsNorm;
import io.github.loradjl.zoo.text.generate.KeyValueCache;

import java.util.List;

/**
 * A layer of the encoder or the decoder: attention to the text itself, in the decoder attention to
 * the encoder's output, and feed-forward, each on the normalised hidden states and added to them.
 */
final class T5Layer extends T5Block {

    private final Part<T5Attention> self;
    // Null in the encoder.
    private final Part<T5Attention> cross;
    private final Part<T5FeedForward> feedForward;
    private final float dropout;

    /** Computes what is added to the hidden states from their normalised copy. */
    private interface Inner {

        NDArray run(NDArray normed);
    }

    T5Layer(T5Config config, boolean decoder, boolean hasTable) {
        dropout = config.getDropout();
        self = new Part<>(config, "SelfAttention", new T5Attention(config, hasTable));
        cross =
                decoder
                        ? new Part<>(config, "EncDecAttention", new T5Attention(config, false))
                        : null;
        feedForward = new Part<>(config, "DenseReluDense", new T5FeedForward(config));
        addChildBlock(
                "layer",
                new Numbered(
                        decoder ? List.of(self, cross, feedForward) : List.of(self, feedForward)));
    }

    T5Attention selfAttention() {
        return self.inner;
    }

    /**
     * Runs the layer on a whole text.
     *
     * @param x hidden states of shape (b, t, size), left open
     * @param bias what is added to the scores of attention to the text itself
     * @param memory the encoder's output, or null in the encoder
     * @param memoryBias what is added to the scores of attention to it, or null
     * @return hidden states of the same shape
     */
    NDArray run(
            ParameterStore store,
            NDArray x,
            NDArray bias,
            NDArray memory,
            NDArray memoryBias,
            boolean training) {
        NDArray y =
                add(store, self, x, training, n -> self.inner.attend(store, n, n, bias, training));
        if (cross != null) {
            try (NDArray before = y) {
                y =
                        add(
                                store,
                                cross,
                                before,
                                training,
                                n -> cross.inner.attend(store, n, memory, memoryBias, training));
            }
        }
        return feedForward(store, y, training);
    }

    /** Runs the layer of a decoder on the next positions of a generation. */
    NDArray next(ParameterStore store, NDArray x, NDArray bias, KeyValueCache cache, int layer) {
        NDArray y = add(store, self, x, false, n -> attendCached(store, n, bias, cache, layer));
        try (NDArray before = y) {
            y =
                    add(
                            store,
                            cross,
                            before,
                            false,
                            n ->
                                    cross.inner.attend(
                                            store,
                                            n,
                                            cache.memoryKeys(layer),
                                            cache.memoryValues(layer),
                                            cache.memoryBias(),
                                            false));
        }
        return feedForward(store, y, false);
    }

    private NDArray attendCached(
            ParameterStore store, NDArray x, NDArray bias, KeyValueCache cache, int layer) {
        long count = x.getShape().get(1);
        try (NDArray k = self.inner.keys(store, x, false);
                NDArray v = self.inner.values(store, x, false)) {
            cache.write(layer, k, v);
        }
        try (NDArray keys = cache.keys(layer, count);
                NDArray values = cache.values(layer, count)) {
            return self.inner.attend(store, x, keys, values, bias, false);
        }
    }

    NDArray memoryKeys(ParameterStore store, NDArray memory) {
        return cross.inner.keys(store, memory, false);
    }

    NDArray memoryValues(ParameterStore store, NDArray memory) {
        return cross.inner.values(store, memory, false);
    }

    private NDArray feedForward(ParameterStore store, NDArray x, boolean training) {
        try (x) {
            return add(
                    store,
                    feedForward,
                    x,
                    training,
                    n -> feedForward.inner.run(store, n, training));
        }
    }

    private NDArray add(
            ParameterStore store, Part<?> part, NDArray x, boolean training, Inner inner) {
        try (NDArray normed = apply(part.norm, store, x, training);
                NDArray y = dropout(inner.run(normed), dropout, training)) {
            return x.add(y);
        }
    }

    /** A part of the layer with the norm before it. */
    private static final class Part<B extends Block> extends T5Block {

        private final B inner;
        private final RmsNorm norm;

        Part(T5Config config, String name, B inner) {
            this.inner = addChildBlock(name, inner);
            norm =
                    addChildBlock(
                            "layer_norm",
                            new RmsNorm(config.getHiddenSize(), config.getNormEpsilon()));
        }
    }

    /** Blocks that are named by their number. */
    static final class Numbered extends T5Block {

        Numbered(List<? extends Block> blocks) {
            int number = 0;
            for (Block block : blocks) {
                addChildBlock(String.valueOf(number++), block);
            }
        }
    }
}

package io.github.loradjl.zoo.t5;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;

import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.block.RmsNorm;
import io.github.loradjl.zoo.block.TokenEmbedding;

import java.util.List;
import java.util.stream.IntStream;

/** The encoder or the decoder: layers and the norm behind them. */
final class T5Stack extends T5Block {

    private final List<T5Layer> layers;
    private final RmsNorm norm;
    private final RelativePositions positions;
    private final boolean decoder;

    T5Stack(T5Config config, boolean decoder) {
        this.decoder = decoder;
        int count = decoder ? config.getDecoderLayers() : config.getEncoderLayers();
        layers =
                IntStream.range(0, count)
                        .mapToObj(i -> new T5Layer(config, decoder, i == 0))
                        .toList();
        addChildBlock("block", new T5Layer.Numbered(layers));
        norm =
                addChildBlock(
                        "final_layer_norm",
                        new RmsNorm(config.getHiddenSize(), config.getNormEpsilon()));
        positions = new RelativePositions(config, !decoder);
    }

    List<T5Layer> layers() {
        return layers;
    }

    RmsNorm norm() {
        return norm;
    }

    /** Returns the table of relative positions, which the first layer holds for all. */
    TokenEmbedding table() {
        return layers.get(0).selfAttention().relativeAttentionBias();
    }

    /** Tells whether the table of relative positions is trained. */
    boolean isTableTrained() {
        return table().getDirectParameters().values().iterator().next().requiresGradient();
    }

    /**
     * Makes what every layer adds to the scores of attention to the text itself.
     *
     * @param from the position of the first query
     * @param queries hidden states of the queries, of shape (b, t, size)
     * @param mask zero at padding, of shape (b, from + t), or null for none
     * @return an array that broadcasts to (b, heads, t, from + t)
     */
    NDArray bias(ParameterStore store, int from, NDArray queries, NDArray mask, boolean training) {
        NDManager manager = queries.getManager();
        int count = Math.toIntExact(queries.getShape().get(1));
        int keys = from + count;
        NDArray bias;
        try (NDArray buckets = positions.buckets(manager, from, count, keys)) {
            bias = TorchOps.positionBias(table().table(store, queries, training), buckets);
        }
        // A single query sees all keys.
        if (decoder && count > 1) {
            bias = hidden(bias, RelativePositions.causal(manager, from, count, keys));
        }
        return mask == null ? bias : hidden(bias, mask.reshape(-1, 1, 1, keys));
    }

    /** Hides keys and closes both arguments. */
    static NDArray hidden(NDArray bias, NDArray seen) {
        try (bias;
                seen) {
            return TorchOps.hide(bias, seen);
        }
    }
}

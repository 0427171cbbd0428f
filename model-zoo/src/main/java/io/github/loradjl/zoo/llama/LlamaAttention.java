package io.github.loradjl.zoo.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

import io.github.loradjl.torch.DecodingOps;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.block.ModelBlock;
import io.github.loradjl.zoo.text.generate.KeyValueCache;

/**
 * Causal self-attention with rotary positions, in which several query heads share a key and value
 * head.
 *
 * @see <a href="https://arxiv.org/abs/2305.13245">GQA</a>
 */
final class LlamaAttention extends ModelBlock {

    // Not final: an adapter takes the place of a projection.
    private Linear qProj;
    private Linear kProj;
    private Linear vProj;
    private Linear oProj;

    private final int hiddenSize;
    private final int heads;
    private final int keyValueHeads;
    private final int headSize;

    LlamaAttention(LlamaConfig config) {
        hiddenSize = config.getHiddenSize();
        heads = config.getHeads();
        keyValueHeads = config.getKeyValueHeads();
        headSize = config.getHeadSize();
        boolean bias = config.hasInputBias();
        qProj = addChildBlock("q_proj", linear(hiddenSize, heads * headSize, bias));
        kProj = addChildBlock("k_proj", linear(hiddenSize, keyValueHeads * headSize, bias));
        vProj = addChildBlock("v_proj", linear(hiddenSize, keyValueHeads * headSize, bias));
        oProj =
                addChildBlock(
                        "o_proj", linear(heads * headSize, hiddenSize, config.hasOutputBias()));
    }

    Linear query() {
        return qProj;
    }

    Linear key() {
        return kProj;
    }

    Linear value() {
        return vProj;
    }

    Linear output() {
        return oProj;
    }

    int headSize() {
        return headSize;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore store,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        return new NDList(attend(store, inputs, training, null, 0));
    }

    /**
     * Attends to the positions of the input and to those in the cache.
     *
     * @param inputs the normalised hidden states of shape (b, t, hidden size), cosines, sines, and
     *     the lengths of the texts; with a cache in their place the mask if one is needed
     * @param cache where keys and values of earlier positions are, and these are added; or null
     * @param layer the place in the cache
     * @return an array of the shape of the hidden states
     */
    NDArray attend(
            ParameterStore store, NDList inputs, boolean training, KeyValueCache cache, int layer) {
        NDArray x = inputs.get(0);
        NDArray cos = inputs.get(1);
        NDArray sin = inputs.get(2);
        if (isStep(x, cache)) {
            return attendStep(store, inputs, cache, layer);
        }
        NDArray joined;
        try (NDArray q = turned(apply(qProj, store, x, training), heads, cos, sin);
                NDArray k = turned(apply(kProj, store, x, training), keyValueHeads, cos, sin);
                NDArray v = split(apply(vProj, store, x, training), keyValueHeads)) {
            joined =
                    cache == null
                            ? attendWithin(q, k, v, inputs.get(3))
                            : attendCached(q, k, v, inputs, cache, layer);
        }
        try (joined) {
            return apply(oProj, store, joined, training);
        }
    }

    /** Tells whether hidden states are those of one new position of each text. */
    static boolean isStep(NDArray x, KeyValueCache cache) {
        return cache != null && x.getShape().get(1) == 1;
    }

    static DecodingOps.Position position(NDList inputs, KeyValueCache cache, int layer) {
        return new DecodingOps.Position(
                inputs.get(1),
                inputs.get(2),
                cache.end(),
                inputs.size() > 3 ? inputs.get(3) : null,
                cache.openKeys(layer),
                cache.openValues(layer));
    }

    private NDArray attendStep(
            ParameterStore store, NDList inputs, KeyValueCache cache, int layer) {
        NDArray x = inputs.get(0);
        try (NDArray q = apply(qProj, store, x, false);
                NDArray k = apply(kProj, store, x, false);
                NDArray v = apply(vProj, store, x, false);
                NDArray joined = DecodingOps.attention(q, k, v, position(inputs, cache, layer))) {
            return apply(oProj, store, joined, false);
        }
    }

    private NDArray attendWithin(NDArray q, NDArray k, NDArray v, NDArray lengths) {
        try (NDArray queries = flat(q);
                NDArray keys = flat(k);
                NDArray values = flat(v);
                NDArray attended = TorchOps.textAttention(queries, keys, values, lengths)) {
            return attended.reshape(q.getShape().get(0), -1, heads * headSize);
        }
    }

    /** Brings (b, heads, t, head size) to (b t, heads, head size). */
    private NDArray flat(NDArray x) {
        try (NDArray swapped = x.transpose(0, 2, 1, 3)) {
            return swapped.reshape(-1, x.getShape().get(1), headSize);
        }
    }

    private NDArray attendCached(
            NDArray q, NDArray k, NDArray v, NDList inputs, KeyValueCache cache, int layer) {
        NDArray mask = inputs.size() > 3 ? inputs.get(3) : null;
        long added = q.getShape().get(2);
        cache.write(layer, k, v);
        try (NDArray keys = cache.keys(layer, added);
                NDArray values = cache.values(layer, added);
                NDArray attended = attention(q, keys, values, mask);
                NDArray swapped = attended.transpose(0, 2, 1, 3)) {
            return swapped.reshape(q.getShape().get(0), -1, heads * headSize);
        }
    }

    /** Several positions without a mask are the whole of a causal sequence. */
    private static NDArray attention(NDArray q, NDArray k, NDArray v, NDArray mask) {
        return mask == null ? TorchOps.causalAttention(q, k, v) : TorchOps.attention(q, k, v, mask);
    }

    /** Splits into heads, of shape (b, count, t, head size), and closes what was split. */
    private NDArray split(NDArray x, int count) {
        Shape shape = x.getShape();
        try (x;
                NDArray split = x.reshape(shape.get(0), shape.get(1), count, headSize)) {
            return split.transpose(0, 2, 1, 3);
        }
    }

    private NDArray turned(NDArray x, int count, NDArray cos, NDArray sin) {
        try (NDArray split = split(x, count)) {
            return TorchOps.rotary(split, cos, sin);
        }
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(NDManager manager, DataType dataType, Shape... shapes) {
        Shape hidden = new Shape(1, hiddenSize);
        qProj.initialize(manager, dataType, hidden);
        kProj.initialize(manager, dataType, hidden);
        vProj.initialize(manager, dataType, hidden);
        oProj.initialize(manager, dataType, new Shape(1, heads * headSize));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputs) {
        return new Shape[] {inputs[0]};
    }
}

package io.github.loradjl.zoo.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.RecordedLinears;
import io.github.loradjl.torch.DecodingOps;
import io.github.loradjl.zoo.block.ModelBlock;
import io.github.loradjl.zoo.block.RecordedNorm;
import io.github.loradjl.zoo.block.RmsNorm;
import io.github.loradjl.zoo.text.generate.KeyValueCache;

import java.util.List;

/** Attention and feed-forward, each on the normalised hidden states and added to them. */
final class LlamaDecoderLayer extends ModelBlock {

    private final LlamaAttention selfAttn;
    private final LlamaMlp mlp;
    private final RmsNorm inputNorm;
    private final RmsNorm innerNorm;

    LlamaDecoderLayer(LlamaConfig config) {
        int size = config.getHiddenSize();
        float epsilon = config.getNormEpsilon();
        selfAttn = addChildBlock("self_attn", new LlamaAttention(config));
        mlp = addChildBlock("mlp", new LlamaMlp(config));
        inputNorm = addChildBlock("input_layernorm", new RmsNorm(size, epsilon));
        innerNorm = addChildBlock("post_attention_layernorm", new RmsNorm(size, epsilon));
    }

    LlamaAttention attention() {
        return selfAttn;
    }

    LlamaMlp mlp() {
        return mlp;
    }

    RmsNorm inputNorm() {
        return inputNorm;
    }

    RmsNorm innerNorm() {
        return innerNorm;
    }

    /** Tells whether the layer can be recorded as it is now. */
    boolean isRecordable() {
        return RecordedNorm.isPossible(inputNorm)
                && RecordedNorm.isPossible(innerNorm)
                && projections().stream().allMatch(RecordedLinears::isPossible);
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore store,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        return run(store, inputs, training, null, 0);
    }

    /**
     * Runs the layer. One new position goes through in one operation if the projections do no more
     * than multiply.
     *
     * @param inputs hidden states, cosines, sines, and the lengths of the texts or, with a cache,
     *     the mask if one is needed
     * @param cache the cache of a generation, or null
     * @param layer the place of this layer in the cache
     * @return the new hidden states and the other entries as they came
     */
    NDList run(
            ParameterStore store, NDList inputs, boolean training, KeyValueCache cache, int layer) {
        NDList list = new NDList(inputs);
        NDArray x = inputs.get(0);
        if (LlamaAttention.isStep(x, cache)) {
            DecodingOps.Layer prepared = cache.prepared(layer, () -> plainWeights(store, x));
            if (prepared != null) {
                DecodingOps.Position position = LlamaAttention.position(inputs, cache, layer);
                list.set(0, DecodingOps.layer(x, prepared, position));
                return list;
            }
        }
        NDArray residual;
        try (NDArray normed = apply(inputNorm, store, x, training)) {
            list.set(0, normed);
            try (NDArray attended = selfAttn.attend(store, list, training, cache, layer)) {
                residual = x.add(attended);
            }
        }
        try (residual;
                NDArray normed = apply(innerNorm, store, residual, training);
                NDArray inner = apply(mlp, store, normed, training)) {
            list.set(0, residual.add(inner));
        }
        return list;
    }

    /** Returns the weights if they say all of what the projections do, null otherwise. */
    private DecodingOps.LayerWeights plainWeights(ParameterStore store, NDArray x) {
        NDList weights = new NDList();
        for (Linear projection : projections()) {
            NDArray weight = LoraLinear.plainWeight(projection, store, x);
            if (weight == null) {
                return null;
            }
            weights.add(weight);
        }
        return new DecodingOps.LayerWeights(
                inputNorm.weight(store, x, false),
                weights.get(0),
                weights.get(1),
                weights.get(2),
                weights.get(3),
                innerNorm.weight(store, x, false),
                weights.get(4),
                weights.get(5),
                weights.get(6),
                inputNorm.getEpsilon());
    }

    private List<Linear> projections() {
        return List.of(
                selfAttn.query(),
                selfAttn.key(),
                selfAttn.value(),
                selfAttn.output(),
                mlp.gate(),
                mlp.up(),
                mlp.down());
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(NDManager manager, DataType dataType, Shape... shapes) {
        getChildren().values().forEach(b -> b.initialize(manager, dataType, shapes));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputs) {
        return inputs;
    }
}

package io.github.loradjl.zoo.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.NormalInitializer;

import com.google.gson.JsonObject;
import io.github.loradjl.staged.Stage;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.zoo.block.LanguageModel;
import io.github.loradjl.zoo.text.generate.KeyValueCache;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A LLaMA model with a language-modelling head.
 *
 * <p>The names of its blocks and parameters are those of Hugging Face's modules, so that one path,
 * such as {@code model.layers.0.self_attn.q_proj}, is the key everywhere. A head that is tied to
 * the token vectors has no parameter of its own and no block in the tree.
 *
 * <p><b>Data</b>: {@code input_ids} of shape (b, t); optionally {@code attention_mask} of shape (b,
 * t), zero at padding and elsewhere 1, or, where several texts share a row, the number of the text,
 * for a token sees those of its own only; optionally {@code position_ids} of shape (b, t), needed
 * only for padding on the left and texts that share a row; all INT64. {@code forward(data)} gives
 * logits of shape (b, t, vocabulary), which mean nothing at padded positions. {@code forward(data,
 * labels)}, with one INT64 array of shape (b, t) that is not shifted and has {@link
 * io.github.loradjl.torch.TorchOps#IGNORE_INDEX} where nothing is to be learned, gives the mean
 * loss as a float32 scalar, and runs the head only where there are labels; the second entry of the
 * list is the number of labels that were the most probable, a float32 scalar too.
 *
 * <p>Forward passes with {@code training} false record no gradients, in whichever thread.
 *
 * @see <a href="https://arxiv.org/abs/2302.13971">LLaMA</a>
 * @see <a href="https://arxiv.org/abs/2307.09288">Llama 2</a>
 */
public final class LlamaForCausalLM extends LanguageModel {

    private final LlamaConfig config;
    private final LlamaModel model;
    // Not final: an adapter may take its place. Null where the head is tied.
    private Linear lmHead;

    private final LlamaStages stages;

    /**
     * Creates a model without weights: {@code initialize} draws random ones, matrices from a normal
     * distribution with the configuration's {@code initializer_range}.
     *
     * @param config the configuration
     */
    public LlamaForCausalLM(LlamaConfig config) {
        this.config = config;
        model = addChildBlock("model", new LlamaModel(config));
        if (!config.isTied()) {
            lmHead =
                    addChildBlock(
                            "lm_head",
                            linear(config.getHiddenSize(), config.getVocabularySize(), false));
        }
        stages = new LlamaStages(config, model, () -> lmHead);
        setInitializer(new NormalInitializer(config.getInitializerRange()), Parameter.Type.WEIGHT);
    }

    /**
     * Returns the configuration.
     *
     * @return the configuration
     */
    public LlamaConfig getConfig() {
        return config;
    }

    /** {@inheritDoc} */
    @Override
    public JsonObject toConfigJson() {
        return config.toJson();
    }

    /** {@inheritDoc} */
    @Override
    public LlamaForCausalLM newEmpty() {
        return new LlamaForCausalLM(config);
    }

    /** {@inheritDoc} */
    @Override
    public int getMaxLength() {
        return Math.min(config.getMaxPositions(), config.getMaxInputLength());
    }

    /** {@inheritDoc} */
    @Override
    public Map<String, String> getCopies() {
        return Map.of("lm_head.weight", "model.embed_tokens.weight");
    }

    /** {@inheritDoc} */
    @Override
    public boolean isUnused(String tensor) {
        // Older checkpoints store the angles, which follow from the configuration.
        return tensor.endsWith(".rotary_emb.inv_freq");
    }

    /** {@inheritDoc} */
    @Override
    public List<Stage> getStages() {
        return stages.list();
    }

    /** {@inheritDoc} */
    @Override
    protected NDList loss(ParameterStore store, NDList inputs, NDList labels, boolean training) {
        return stages.loss(store, inputs, labels, training);
    }

    /** {@inheritDoc} */
    @Override
    public KeyValueCache newCache(NDManager manager, int batch, int capacity) {
        Shape shape = new Shape(batch, config.getKeyValueHeads(), capacity, config.getHeadSize());
        return new KeyValueCache(manager, config.getLayers(), shape, model.embedTokens().sample());
    }

    /** {@inheritDoc} */
    @Override
    public NDArray nextLogits(ParameterStore parameterStore, NDArray ids, KeyValueCache cache) {
        try (GradientMode mode = GradientMode.off()) {
            return stages.next(parameterStore, ids, cache);
        }
    }

    /** {@inheritDoc} */
    @Override
    public NDArray tokenLosses(ParameterStore parameterStore, NDList data, NDArray labels) {
        try (GradientMode mode = GradientMode.off()) {
            return stages.tokenLosses(parameterStore, data, labels);
        }
    }

    /** {@inheritDoc} */
    @Override
    public Set<Long> getEndTokens() {
        return config.getEndTokens();
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(NDManager manager, DataType dataType, Shape... shapes) {
        model.initialize(manager, dataType, shapes);
        if (lmHead != null) {
            lmHead.initialize(manager, dataType, new Shape(1, config.getHiddenSize()));
        }
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputs) {
        return new Shape[] {inputs[0].add(config.getVocabularySize())};
    }
}

package io.github.loradjl.zoo.llama;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.NormalInitializer;
import ai.djl.util.PairList;

import io.github.loradjl.adapter.StoredWeights;
import io.github.loradjl.staged.Stage;
import io.github.loradjl.staged.StagedBlock;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.zoo.text.generate.AutoregressiveBlock;
import io.github.loradjl.zoo.text.generate.KeyValueCache;

import java.io.DataInputStream;
import java.io.IOException;
import java.util.List;
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
public final class LlamaForCausalLM extends LlamaBlock
        implements StagedBlock, AutoregressiveBlock, StoredWeights {

    private final LlamaConfig config;
    private final LlamaModel model;
    // Not final: an adapter may take its place. Null where the head is tied.
    private Linear lmHead;

    private final LlamaStages stages;
    private StoredWeights storedWeights;

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

    /**
     * Says which checkpoint the weights came from.
     *
     * @param storedWeights the digests of its tensors, or null for weights from nowhere
     */
    public void setStoredWeights(StoredWeights storedWeights) {
        this.storedWeights = storedWeights;
    }

    /** {@inheritDoc} */
    @Override
    public byte[] sha256(String parameterPath) {
        return storedWeights == null ? null : storedWeights.sha256(parameterPath);
    }

    /** {@inheritDoc} */
    @Override
    public void weightsChanged() {
        storedWeights = null;
    }

    /**
     * {@inheritDoc}
     *
     * <p>The weights are then no longer those of the checkpoint.
     */
    @Override
    public void loadParameters(NDManager manager, DataInputStream is)
            throws IOException, MalformedModelException {
        weightsChanged();
        super.loadParameters(manager, is);
    }

    /** {@inheritDoc} */
    @Override
    public List<Stage> getStages() {
        return stages.list();
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore store, NDList data, boolean training, PairList<String, Object> params) {
        if (training) {
            return run(store, data, null, true);
        }
        try (GradientMode mode = GradientMode.off()) {
            return run(store, data, null, false);
        }
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore store, NDList data, NDList labels, PairList<String, Object> params) {
        return run(store, data, labels, true);
    }

    /**
     * Computes the mean loss in evaluation mode, with the head only where there are labels.
     *
     * @param parameterStore the parameter store
     * @param data as for {@code forward}
     * @param labels as for {@code forward}
     * @return a float32 scalar
     */
    public NDArray evaluateLoss(ParameterStore parameterStore, NDList data, NDList labels) {
        try (GradientMode mode = GradientMode.off()) {
            NDList loss = run(parameterStore, data, labels, false);
            loss.get(1).close();
            return loss.head();
        }
    }

    /** Runs the chain and closes what each stage leaves behind. */
    private NDList run(ParameterStore store, NDList data, NDList labels, boolean training) {
        List<Stage> chain = stages.list();
        NDList inputs = data;
        for (Stage stage : chain) {
            boolean head = stage == chain.get(chain.size() - 1);
            NDList outputs =
                    head && labels != null
                            ? stages.loss(store, inputs, labels, training)
                            : stage.forward(store, inputs, training);
            for (NDArray input : inputs) {
                if (!holds(data, input) && !holds(outputs, input)) {
                    input.close();
                }
            }
            inputs = outputs;
        }
        return inputs;
    }

    private static boolean holds(NDList list, NDArray array) {
        return list.stream().anyMatch(a -> a == array);
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

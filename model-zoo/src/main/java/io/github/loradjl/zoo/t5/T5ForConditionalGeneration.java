package io.github.loradjl.zoo.t5;

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
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.block.LanguageModel;
import io.github.loradjl.zoo.block.TokenEmbedding;
import io.github.loradjl.zoo.text.Seq2SeqLoss;
import io.github.loradjl.zoo.text.generate.KeyValueCache;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A T5 model with a language-modelling head.
 *
 * <p>The names of its blocks and parameters are those of Hugging Face's modules, so that one path,
 * such as {@code encoder.block.0.layer.0.SelfAttention.q}, is the key everywhere. A head that is
 * tied to the token vectors has no parameter of its own and no block in the tree.
 *
 * <p><b>Data</b>: {@code input_ids} and {@code attention_mask}, zero at padding, both of shape (b,
 * s); for {@code forward(data)} also {@code decoder_input_ids} of shape (b, t), and optionally
 * {@code decoder_attention_mask} of the same shape, needed only for padding on the left; all INT64.
 * {@code forward(data)} gives logits of shape (b, t, vocabulary). {@code forward(data, labels)},
 * with one INT64 array of shape (b, t) that has {@link
 * io.github.loradjl.torch.TorchOps#IGNORE_INDEX} where nothing is to be learned, gives the mean
 * loss as a float32 scalar, and runs the head only where there are labels; the second entry of the
 * list is the number of labels that were the most probable, a float32 scalar too. Where the data
 * has no {@code decoder_input_ids}, they are the labels behind the start token, without the last.
 *
 * <p>Forward passes with {@code training} false record no gradients, in whichever thread, and
 * without dropout.
 *
 * @see <a href="https://arxiv.org/abs/1910.10683">T5</a>
 */
public final class T5ForConditionalGeneration extends LanguageModel {

    private final T5Config config;
    private final TokenEmbedding shared;
    private final T5Stack encoder;
    private final T5Stack decoder;
    // Not final: an adapter may take its place. Null where the head is tied.
    private Linear lmHead;

    private final T5Stages stages;

    /**
     * Creates a model without weights: {@code initialize} draws random ones as transformers does.
     *
     * @param config the configuration
     */
    public T5ForConditionalGeneration(T5Config config) {
        this.config = config;
        int size = config.getHiddenSize();
        float factor = config.getInitializerFactor();
        shared = addChildBlock("shared", new TokenEmbedding(config.getVocabularySize(), size));
        shared.setInitializer(new NormalInitializer(factor), Parameter.Type.WEIGHT);
        encoder = addChildBlock("encoder", new T5Stack(config, false));
        decoder = addChildBlock("decoder", new T5Stack(config, true));
        if (!config.isTied()) {
            lmHead =
                    addChildBlock(
                            "lm_head",
                            T5Block.projection(size, config.getVocabularySize(), factor));
        }
        stages = new T5Stages(config, shared, encoder, decoder, () -> lmHead);
    }

    /**
     * Returns the configuration.
     *
     * @return the configuration
     */
    public T5Config getConfig() {
        return config;
    }

    /** {@inheritDoc} */
    @Override
    public JsonObject toConfigJson() {
        return config.toJson();
    }

    /** {@inheritDoc} */
    @Override
    public T5ForConditionalGeneration newEmpty() {
        return new T5ForConditionalGeneration(config);
    }

    /** {@inheritDoc} */
    @Override
    public int getMaxLength() {
        return config.getMaxPositions();
    }

    /** {@inheritDoc} */
    @Override
    public Map<String, String> getCopies() {
        return Map.of(
                "encoder.embed_tokens.weight", "shared.weight",
                "decoder.embed_tokens.weight", "shared.weight",
                "lm_head.weight", "shared.weight");
    }

    /** {@inheritDoc} */
    @Override
    public boolean isUnused(String tensor) {
        // The first checkpoints hold a table for the attention to the encoder, which has none.
        return "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"
                .equals(tensor);
    }

    /** {@inheritDoc} */
    @Override
    public List<Stage> getStages() {
        return stages.list();
    }

    /** {@inheritDoc} */
    @Override
    public NDList withLabels(NDList data, NDList labels) {
        NDArray label = labels.singletonOrThrow();
        Seq2SeqLoss.checkLabels(label, config.getVocabularySize());
        if (data.size() != 2) {
            return data;
        }
        NDList inputs = new NDList(data);
        inputs.add(shiftRight(label));
        return inputs;
    }

    /**
     * Puts the start token before the labels and drops the last; the decoder reads what is left.
     */
    private NDArray shiftRight(NDArray labels) {
        int length = Math.toIntExact(labels.getShape().get(1));
        long[] ids = labels.toLongArray();
        for (int i = ids.length - 1; i >= 0; i--) {
            if (i % length == 0) {
                ids[i] = config.getStartToken();
            } else {
                ids[i] = ids[i - 1] == Seq2SeqLoss.IGNORE_INDEX ? config.getPadToken() : ids[i - 1];
            }
        }
        return TorchOps.longs(labels.getManager(), ids, labels.getShape());
    }

    /** {@inheritDoc} */
    @Override
    protected NDList loss(ParameterStore store, NDList inputs, NDList labels, boolean training) {
        return stages.loss(store, inputs, labels, training);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray tokenLosses(ParameterStore parameterStore, NDList data, NDArray labels) {
        try (GradientMode mode = GradientMode.off()) {
            T5EncoderStages.check(data);
            long times = answersPerRow(data, labels);
            List<Stage> reading = stages.encoderStages();
            List<Stage> all = stages.list();
            List<Stage> writing = all.subList(reading.size(), all.size() - 1);
            NDList inputs = withLabels(data, new NDList(labels));
            NDList states = runStages(reading, parameterStore, inputs, data, false);
            if (times > 1) {
                states = T5EncoderStages.repeatRows(states, times, data);
            }
            states = runStages(writing, parameterStore, states, data, false);
            return stages.tokenLosses(parameterStore, states, labels);
        }
    }

    private static long answersPerRow(NDList data, NDArray labels) {
        long rows = data.head().getShape().get(0);
        long answers = labels.getShape().get(0);
        if (rows == 0 || answers == 0 || answers % rows != 0) {
            throw new IllegalArgumentException(
                    answers
                            + " rows of labels do not go with "
                            + rows
                            + " of input_ids: each of these takes as many as the others");
        }
        if (answers > rows && data.size() > 2) {
            throw new IllegalArgumentException(
                    "decoder_input_ids cannot be given where a row of input_ids has several of"
                            + " labels: leave them out, and they are made from the labels");
        }
        return answers / rows;
    }

    /** {@inheritDoc} */
    @Override
    public KeyValueCache newCache(NDManager manager, int batch, int capacity) {
        Shape shape = new Shape(batch, config.getHeads(), capacity, config.getHeadSize());
        return new KeyValueCache(manager, config.getDecoderLayers(), shape, shared.sample());
    }

    /** {@inheritDoc} */
    @Override
    public boolean isEncoderDecoder() {
        return true;
    }

    /** {@inheritDoc} */
    @Override
    public long readPrompts(
            ParameterStore parameterStore, NDArray ids, NDArray mask, KeyValueCache cache) {
        try (GradientMode mode = GradientMode.off()) {
            NDList data = new NDList(ids, mask);
            NDList states = runStages(stages.encoderStages(), parameterStore, data, data, false);
            stages.remember(parameterStore, states.get(0), mask, cache);
            states.get(0).close();
            states.get(1).close();
        }
        return config.getStartToken();
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
    public Set<Long> getEndTokens() {
        return config.getEndTokens();
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(NDManager manager, DataType dataType, Shape... shapes) {
        shared.initialize(manager, dataType, shapes);
        encoder.initialize(manager, dataType, shapes);
        decoder.initialize(manager, dataType, shapes);
        if (lmHead != null) {
            lmHead.initialize(manager, dataType, new Shape(1, config.getHiddenSize()));
        }
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputs) {
        return new Shape[] {inputs[inputs.length > 2 ? 2 : 0].add(config.getVocabularySize())};
    }
}

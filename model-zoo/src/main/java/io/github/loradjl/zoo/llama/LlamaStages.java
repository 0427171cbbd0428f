package io.github.loradjl.zoo.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;

import io.github.loradjl.staged.Stage;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.block.LanguageHead;
import io.github.loradjl.zoo.block.ModelBlock;
import io.github.loradjl.zoo.text.CausalLmLoss;
import io.github.loradjl.zoo.text.generate.KeyValueCache;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * The chain of a model: embedding, layers, head. Between stages goes a list of hidden states,
 * cosines, sines, and the mask if one is needed; only the first entry is differentiated.
 */
final class LlamaStages {

    private static final Logger logger = LoggerFactory.getLogger(LlamaStages.class);

    private final LlamaConfig config;
    private final LlamaModel model;
    private final LanguageHead head;
    private final RotaryTables tables;
    private final List<Stage> list;
    private final AtomicBoolean warned = new AtomicBoolean();

    LlamaStages(LlamaConfig config, LlamaModel model, Supplier<Linear> lmHead) {
        this.config = config;
        this.model = model;
        head =
                new LanguageHead(
                        config.getVocabularySize(),
                        lmHead,
                        model.embedTokens(),
                        (store, x, training) -> ModelBlock.apply(model.norm(), store, x, training));
        tables = new RotaryTables(config.getRope().frequencies(config.getHeadSize()));
        List<Stage> stages = new ArrayList<>();
        stages.add(new EmbeddingStage());
        model.layers().forEach(layer -> stages.add(new LayerStage(layer)));
        stages.add(new HeadStage());
        list = List.copyOf(stages);
    }

    List<Stage> list() {
        return list;
    }

    /** Runs the head as far as the loss; beside it stands the number of targets predicted. */
    NDList loss(ParameterStore store, NDList inputs, NDList labels, boolean training) {
        NDArray label = labels.singletonOrThrow();
        CausalLmLoss.checkLabels(label, config.getVocabularySize());
        return head.loss(store, TorchOps.nextTokenRows(inputs.get(0), label), training);
    }

    /** Runs the whole chain as far as the loss of each label by itself. */
    NDArray tokenLosses(ParameterStore store, NDList data, NDArray labels) {
        CausalLmLoss.checkLabels(labels, config.getVocabularySize());
        NDList states = embed(store, data, 0, false);
        for (LlamaDecoderLayer layer : model.layers()) {
            NDList outputs = layer.run(store, states, false, null, 0);
            states.get(0).close();
            states = outputs;
        }
        try (NDList last = states) {
            return head.eachLoss(store, TorchOps.nextTokenRows(last.get(0), labels));
        }
    }

    /** Continues a generation. */
    NDArray next(ParameterStore store, NDArray ids, KeyValueCache cache) {
        long count = ids.getShape().get(1);
        NDList inputs =
                cache.isPadded()
                        ? embedPadded(store, ids, cache)
                        : embed(store, new NDList(ids), cache.getLength(), false);
        NDArray mask = cache.mask(ids.getManager(), count);
        if (mask != null) {
            inputs.add(mask);
        }
        int layer = 0;
        for (LlamaDecoderLayer block : model.layers()) {
            NDList outputs = block.run(store, inputs, false, cache, layer++);
            inputs.get(0).close();
            inputs = outputs;
        }
        cache.advance(count);
        try (NDArray last = inputs.get(0).get(":, -1")) {
            return head.logits(store, last, false);
        } finally {
            inputs.forEach(NDArray::close);
        }
    }

    /** Each row counts its positions from behind its padding. */
    private NDList embedPadded(ParameterStore store, NDArray ids, KeyValueCache cache) {
        long count = ids.getShape().get(1);
        long length = cache.getLength() + count;
        checkLength(length);
        NDArray hidden = ModelBlock.apply(model.embedTokens(), store, ids, false);
        NDList inputs = new NDList(hidden);
        try (NDArray positions = cache.positions(ids.getManager(), count)) {
            inputs.addAll(
                    tables.gather(hidden, model.embedTokens().owner(), positions, length - 1));
        }
        return inputs;
    }

    private NDList embed(ParameterStore store, NDList data, long from, boolean training) {
        NDArray ids = data.get(0);
        if (ids.getShape().dimension() != 2 || ids.getShape().size() == 0) {
            throw new IllegalArgumentException(
                    "input_ids must be of shape (batch, length), not " + ids.getShape());
        }
        long length = from + ids.getShape().get(1);
        checkLength(length);
        NDArray hidden = ModelBlock.apply(model.embedTokens(), store, ids, training);
        NDList outputs = new NDList(hidden);
        if (data.size() > 2) {
            NDArray positions = data.get(2);
            long largest = 0;
            for (long position : positions.toLongArray()) {
                largest = Math.max(largest, position);
            }
            outputs.addAll(tables.gather(hidden, model.embedTokens().owner(), positions, largest));
        } else {
            outputs.addAll(tables.rows(hidden, model.embedTokens().owner(), from, length));
        }
        if (data.size() > 1 && needsMask(data.get(1))) {
            outputs.add(TorchOps.causalMask(data.get(1)));
        }
        return outputs;
    }

    private void checkLength(long length) {
        if (length > config.getMaxInputLength()) {
            throw new IllegalArgumentException(
                    "an input of "
                            + length
                            + " positions is longer than the model's sliding window of "
                            + config.getMaxInputLength()
                            + ", which is not supported; shorten or split it");
        }
        if (length > config.getMaxPositions() && warned.compareAndSet(false, true)) {
            logger.warn(
                    "An input of {} positions is longer than the {} that the model was made for"
                            + " (max_position_embeddings); expect poor predictions.",
                    length,
                    config.getMaxPositions());
        }
    }

    /** Padding on the right and a single segment before it are served by causality alone. */
    private static boolean needsMask(NDArray mask) {
        int length = (int) mask.getShape().get(1);
        long[] segments = mask.toLongArray();
        for (int i = 0; i < segments.length; i++) {
            if (i % length != 0 && segments[i] != 0 && segments[i - 1] != segments[i]) {
                return true;
            }
        }
        return false;
    }

    private final class EmbeddingStage implements Stage {

        /** {@inheritDoc} */
        @Override
        public List<Block> getBlocks() {
            return List.of(model.embedTokens());
        }

        /** {@inheritDoc} */
        @Override
        public NDList forward(ParameterStore store, NDList inputs, boolean training) {
            return embed(store, inputs, 0, training);
        }

        /** {@inheritDoc} */
        @Override
        public boolean carriesGradient(int index) {
            return false;
        }
    }

    private static final class LayerStage implements Stage {

        private final LlamaDecoderLayer layer;

        LayerStage(LlamaDecoderLayer layer) {
            this.layer = layer;
        }

        /** {@inheritDoc} */
        @Override
        public List<Block> getBlocks() {
            return List.of(layer);
        }

        /** {@inheritDoc} */
        @Override
        public NDList forward(ParameterStore store, NDList inputs, boolean training) {
            return layer.forward(store, inputs, training);
        }
    }

    private final class HeadStage implements Stage {

        /** {@inheritDoc} */
        @Override
        public List<Block> getBlocks() {
            return List.of(model.norm(), head.getBlock());
        }

        /** {@inheritDoc} */
        @Override
        public NDList forward(ParameterStore store, NDList inputs, boolean training) {
            return new NDList(head.logits(store, inputs.get(0), training));
        }

        /** {@inheritDoc} */
        @Override
        public NDList forward(ParameterStore store, NDList inputs, NDList labels) {
            return loss(store, inputs, labels, true);
        }
    }
}

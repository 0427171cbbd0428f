package io.github.loradjl.zoo.llama;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;

import io.github.loradjl.staged.Recording;
import io.github.loradjl.staged.Stage;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.block.LanguageHead;
import io.github.loradjl.zoo.block.ModelBlock;
import io.github.loradjl.zoo.block.TextLayout;
import io.github.loradjl.zoo.text.CausalLmLoss;
import io.github.loradjl.zoo.text.generate.KeyValueCache;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.LongStream;

/**
 * The chain of a model: embedding, layers, head. Between stages goes a list of hidden states,
 * cosines, sines, the lengths of the texts and, where these do not fill the batch in its order, the
 * row of each place of the batch; only the first entry is differentiated. Padding is left behind at
 * the entrance: see {@link TextLayout}.
 */
final class LlamaStages {

    private static final Logger logger = LoggerFactory.getLogger(LlamaStages.class);

    /** The index of the rows of the batch's places, if they are needed. */
    private static final int ROWS = 4;

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
        return head.loss(store, nextTokenRows(inputs, label), training);
    }

    /** Runs the whole chain as far as the loss of each label by itself. */
    NDArray tokenLosses(ParameterStore store, NDList data, NDArray labels) {
        CausalLmLoss.checkLabels(labels, config.getVocabularySize());
        NDList states = embed(store, data, false);
        for (LlamaDecoderLayer layer : model.layers()) {
            NDList outputs = layer.run(store, states, false, null, 0);
            states.get(0).close();
            states = outputs;
        }
        try (NDList last = states) {
            return head.eachLoss(store, nextTokenRows(last, labels));
        }
    }

    private static NDList nextTokenRows(NDList states, NDArray labels) {
        return states.size() > ROWS
                ? TorchOps.nextTokenRows(states.get(0), labels, states.get(ROWS))
                : TorchOps.nextTokenRows(states.get(0), labels);
    }

    /** Continues a generation. */
    NDArray next(ParameterStore store, NDArray ids, KeyValueCache cache) {
        long count = ids.getShape().get(1);
        NDList inputs = embedNext(store, ids, cache);
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
            return head.nextLogits(store, last);
        } finally {
            inputs.forEach(NDArray::close);
        }
    }

    /** Each row counts its positions from behind its padding. */
    private NDList embedNext(ParameterStore store, NDArray ids, KeyValueCache cache) {
        long count = ids.getShape().get(1);
        long length = cache.getLength() + count;
        checkLength(length);
        NDManager owner = model.embedTokens().owner();
        NDArray hidden = ModelBlock.apply(model.embedTokens(), store, ids, false);
        NDList inputs = new NDList(hidden);
        if (!cache.isPadded()) {
            inputs.addAll(tables.rows(hidden, owner, cache.getLength(), length));
            return inputs;
        }
        try (NDArray positions = cache.positions(ids.getManager(), count)) {
            inputs.addAll(tables.gather(hidden, owner, positions, length - 1));
        }
        return inputs;
    }

    private NDList embed(ParameterStore store, NDList data, boolean training) {
        NDArray ids = data.get(0);
        if (ids.getShape().dimension() != 2 || ids.getShape().size() == 0) {
            throw new IllegalArgumentException(
                    "input_ids must be of shape (batch, length), not " + ids.getShape());
        }
        long columns = ids.getShape().get(1);
        checkLength(columns);
        TextLayout layout =
                data.size() > 1
                        ? TextLayout.of(data.get(1))
                        : TextLayout.full(ids.getShape().get(0), columns);
        NDArray places = layout.kept() == null ? null : vector(ids, layout.kept());
        NDArray hidden;
        try (NDArray tokens = places == null ? ids.duplicate() : taken(ids, places)) {
            hidden = ModelBlock.apply(model.embedTokens(), store, tokens, training);
        }
        NDList outputs = new NDList(hidden);
        outputs.addAll(turns(hidden, data, layout, places, columns));
        outputs.add(lengths(ids, layout));
        if (places != null) {
            places.close();
            outputs.add(rowsOfPlaces(ids, layout));
        }
        return outputs;
    }

    /** Gives cosines and sines: of the positions that came with the data, or of the columns. */
    private NDList turns(
            NDArray hidden, NDList data, TextLayout layout, NDArray places, long columns) {
        NDManager owner = model.embedTokens().owner();
        if (data.size() <= 2 && places == null) {
            return tables.rows(hidden, owner, 0, columns);
        }
        NDArray all = data.size() > 2 ? data.get(2) : null;
        long[] positions =
                all != null
                        ? all.toLongArray()
                        : LongStream.of(layout.kept()).map(place -> place % columns).toArray();
        long largest = LongStream.of(positions).max().orElseThrow();
        try (NDArray own =
                all == null
                        ? row(vector(hidden, positions))
                        : places == null ? all.duplicate() : taken(all, places)) {
            return tables.gather(hidden, owner, own, largest);
        }
    }

    /**
     * Makes an array of the shape of the batch with the number of each token, or -1 without one.
     */
    private static NDArray rowsOfPlaces(NDArray ids, TextLayout layout) {
        long[] rows = new long[(int) ids.getShape().size()];
        Arrays.fill(rows, -1);
        for (int i = 0; i < layout.kept().length; i++) {
            rows[(int) layout.kept()[i]] = i;
        }
        return TorchOps.longs(ids.getManager(), rows, ids.getShape());
    }

    /** Takes the tokens that are kept as one row. */
    private static NDArray taken(NDArray batch, NDArray places) {
        try (NDArray flat = batch.reshape(-1)) {
            return row(TorchOps.takeRows(flat, places));
        }
    }

    private static NDArray row(NDArray vector) {
        try (vector) {
            return vector.reshape(1, -1);
        }
    }

    private static NDArray vector(NDArray like, long[] values) {
        return TorchOps.longs(like.getManager(), values, new Shape(values.length));
    }

    /** The lengths stay on the CPU: attention counts by them, on whatever device it runs. */
    private static NDArray lengths(NDArray like, TextLayout layout) {
        NDManager owner = like.getManager();
        try (NDManager cpu = owner.newSubManager(Device.cpu())) {
            Shape shape = new Shape(layout.lengths().length);
            NDArray lengths = TorchOps.longs(cpu, layout.lengths(), shape);
            lengths.attach(owner);
            return lengths;
        }
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

    private final class EmbeddingStage implements Stage {

        /** {@inheritDoc} */
        @Override
        public List<Block> getBlocks() {
            return List.of(model.embedTokens());
        }

        /** {@inheritDoc} */
        @Override
        public NDList forward(ParameterStore store, NDList inputs, boolean training) {
            return embed(store, inputs, training);
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

        /** {@inheritDoc} */
        @Override
        public boolean isRecordable() {
            return layer.isRecordable();
        }

        /** {@inheritDoc} */
        @Override
        public Recording record(ParameterStore store, NDList inputs, NDManager manager) {
            return new RecordedLayer(layer, store, inputs, manager);
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
            NDArray logits = head.logits(store, inputs.get(0), training);
            if (inputs.size() <= ROWS) {
                return new NDList(logits);
            }
            try (logits) {
                return new NDList(TorchOps.spreadRows(logits, inputs.get(ROWS)));
            }
        }

        /** {@inheritDoc} */
        @Override
        public NDList forward(ParameterStore store, NDList inputs, NDList labels) {
            return loss(store, inputs, labels, true);
        }
    }
}

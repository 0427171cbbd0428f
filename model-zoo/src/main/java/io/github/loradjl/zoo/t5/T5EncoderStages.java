package io.github.loradjl.zoo.t5;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;

import io.github.loradjl.staged.Stage;
import io.github.loradjl.zoo.block.ModelBlock;
import io.github.loradjl.zoo.block.TokenEmbedding;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The part of a chain that reads: the embedding and the layers of the encoder.
 *
 * <p>Between the stages go hidden states, position bias, the mask and whatever follows it in the
 * data.
 */
final class T5EncoderStages {

    /** The place of the mask behind each stage. */
    static final int MASK = 2;

    private static final int BIAS = 1;

    private final T5Config config;
    private final TokenEmbedding shared;
    private final T5Stack encoder;
    private final List<Stage> list = new ArrayList<>();

    T5EncoderStages(T5Config config, TokenEmbedding shared, T5Stack encoder) {
        this.config = config;
        this.shared = shared;
        this.encoder = encoder;
        list.add(new EmbeddingStage());
        encoder.layers().forEach(layer -> list.add(new EncoderStage(layer)));
    }

    /** Returns the stages, the last of which gives hidden states before their norm. */
    List<Stage> list() {
        return list;
    }

    NDArray embed(ParameterStore store, NDArray ids, boolean training) {
        if (ids.getShape().dimension() != 2 || ids.getShape().size() == 0) {
            throw new IllegalArgumentException(
                    "token ids must be of shape (batch, length), not " + ids.getShape());
        }
        NDArray hidden = ModelBlock.apply(shared, store, ids, training);
        return T5Block.dropout(hidden, config.getDropout(), training);
    }

    /** Makes the encoder's output of the hidden states behind its last layer. */
    NDArray output(ParameterStore store, NDArray hidden, boolean training) {
        NDArray normed = ModelBlock.apply(encoder.norm(), store, hidden, training);
        return T5Block.dropout(normed, config.getDropout(), training);
    }

    /** Checks that there is something to read. */
    static void check(NDList data) {
        if (data.size() < 2) {
            throw new IllegalArgumentException(
                    "a T5 model reads input_ids and attention_mask, but the data has "
                            + data.size()
                            + " of these two arrays");
        }
    }

    static boolean isPadded(NDArray mask) {
        return Arrays.stream(mask.toLongArray()).anyMatch(seen -> seen == 0);
    }

    /**
     * Repeats each row of what stands behind the last layer, so that several texts to write share
     * one that is read.
     *
     * @param states the output of the last stage, closed as far as it is replaced
     * @param times how often each row comes
     * @param kept arrays that stay open
     */
    static NDList repeatRows(NDList states, long times, NDList kept) {
        NDList repeated = new NDList(states);
        for (int index : new int[] {0, MASK}) {
            NDArray once = states.get(index);
            repeated.set(index, once.repeat(0, times));
            if (kept.stream().noneMatch(array -> array == once)) {
                once.close();
            }
        }
        return repeated;
    }

    private final class EmbeddingStage implements Stage {

        /** {@inheritDoc} */
        @Override
        public List<Block> getBlocks() {
            return List.of(shared, encoder.table());
        }

        /** {@inheritDoc} */
        @Override
        public NDList forward(ParameterStore store, NDList inputs, boolean training) {
            check(inputs);
            NDArray ids = inputs.get(0);
            NDArray mask = inputs.get(1);
            if (!mask.getShape().equals(ids.getShape())) {
                throw new IllegalArgumentException(
                        "attention_mask must be of the shape of input_ids, "
                                + ids.getShape()
                                + ", not "
                                + mask.getShape());
            }
            NDArray hidden = embed(store, ids, training);
            NDArray seen = isPadded(mask) ? mask : null;
            NDList outputs = new NDList(hidden, encoder.bias(store, 0, hidden, seen, training));
            outputs.addAll(inputs.subNDList(1));
            return outputs;
        }

        /** {@inheritDoc} */
        @Override
        public boolean carriesGradient(int index) {
            return false;
        }
    }

    private final class EncoderStage implements Stage {

        private final T5Layer layer;

        EncoderStage(T5Layer layer) {
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
            NDList outputs = new NDList(inputs);
            outputs.set(0, layer.run(store, inputs.get(0), inputs.get(BIAS), null, null, training));
            return outputs;
        }

        /** {@inheritDoc} */
        @Override
        public boolean carriesGradient(int index) {
            return index == 0 || index == BIAS && encoder.isTableTrained();
        }
    }
}

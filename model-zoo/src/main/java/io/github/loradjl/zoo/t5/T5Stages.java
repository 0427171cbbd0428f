package io.github.loradjl.zoo.t5;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;

import io.github.loradjl.staged.Stage;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.block.LanguageHead;
import io.github.loradjl.zoo.block.ModelBlock;
import io.github.loradjl.zoo.block.TokenEmbedding;
import io.github.loradjl.zoo.text.generate.KeyValueCache;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * The chain of a model: embedding, encoder layers, the turn to the decoder, decoder layers, head.
 *
 * <p>Between the stages of the encoder go hidden states, position bias, the mask, the decoder's
 * tokens and perhaps their mask; between those of the decoder go hidden states, position bias, the
 * encoder's output and, where the input is padded, what hides its padding. The encoder's output
 * collects its gradient from all layers of the decoder, a position bias from all layers of its
 * stack if the table behind it is trained.
 */
final class T5Stages {

    private static final int BIAS = 1;
    private static final int MEMORY = 2;

    private final T5Config config;
    private final TokenEmbedding shared;
    private final T5Stack encoder;
    private final T5Stack decoder;
    private final T5EncoderStages reading;
    private final LanguageHead head;
    private final List<Stage> list;

    T5Stages(
            T5Config config,
            TokenEmbedding shared,
            T5Stack encoder,
            T5Stack decoder,
            Supplier<Linear> lmHead) {
        this.config = config;
        this.shared = shared;
        this.encoder = encoder;
        this.decoder = decoder;
        head = new LanguageHead(config.getVocabularySize(), lmHead, shared, this::finish);
        reading = new T5EncoderStages(config, shared, encoder);
        List<Stage> stages = new ArrayList<>(reading.list());
        stages.add(new TurnStage());
        decoder.layers().forEach(layer -> stages.add(new DecoderStage(layer)));
        stages.add(new HeadStage());
        list = List.copyOf(stages);
    }

    List<Stage> list() {
        return list;
    }

    /** Returns the stages that end with the encoder's hidden states, before their norm. */
    List<Stage> encoderStages() {
        return reading.list();
    }

    /** Runs the head as far as the loss. */
    NDList loss(ParameterStore store, NDList inputs, NDList labels, boolean training) {
        NDList rows = TorchOps.labelledRows(inputs.get(0), labels.singletonOrThrow());
        return head.loss(store, rows, training);
    }

    /** Runs the head as far as the loss of each label, and closes the hidden states. */
    NDArray tokenLosses(ParameterStore store, NDList inputs, NDArray labels) {
        try (inputs) {
            return head.eachLoss(store, TorchOps.labelledRows(inputs.get(0), labels));
        }
    }

    /** Computes the keys and values of the encoder's output once for all steps of a generation. */
    void remember(ParameterStore store, NDArray hidden, NDArray mask, KeyValueCache cache) {
        NDList keys = new NDList();
        NDList values = new NDList();
        NDArray bias = T5EncoderStages.isPadded(mask) ? memoryBias(hidden, mask) : null;
        try (NDArray memory = ModelBlock.apply(encoder.norm(), store, hidden, false)) {
            for (T5Layer layer : decoder.layers()) {
                keys.add(layer.memoryKeys(store, memory));
                values.add(layer.memoryValues(store, memory));
            }
        }
        cache.setMemory(keys, values, bias);
    }

    /** Continues a generation. */
    NDArray next(ParameterStore store, NDArray ids, KeyValueCache cache) {
        NDArray x = ModelBlock.apply(shared, store, ids, false);
        try (NDArray bias = decoder.bias(store, cache.getLength(), x, null, false)) {
            int number = 0;
            for (T5Layer layer : decoder.layers()) {
                try (NDArray before = x) {
                    x = layer.next(store, before, bias, cache, number++);
                }
            }
        }
        cache.advance(ids.getShape().get(1));
        try (NDArray all = x;
                NDArray last = all.get(":, -1")) {
            return head.nextLogits(store, last);
        }
    }

    /** The norm behind the decoder, and the scale that goes with a tied head. */
    private NDArray finish(ParameterStore store, NDArray hidden, boolean training) {
        NDArray normed = ModelBlock.apply(decoder.norm(), store, hidden, training);
        NDArray finished = T5Block.dropout(normed, config.getDropout(), training);
        if (!config.isScaled()) {
            return finished;
        }
        try (finished) {
            return TorchOps.scale(finished, Math.pow(config.getHiddenSize(), -0.5));
        }
    }

    /** Makes what hides the padding of the input from the decoder, of shape (b, 1, 1, s). */
    private static NDArray memoryBias(NDArray like, NDArray mask) {
        long length = mask.getShape().get(1);
        Shape one = new Shape(1, 1, 1, length);
        return T5Stack.hidden(
                TorchOps.zerosLike(like.getManager(), one, like), mask.reshape(-1, 1, 1, length));
    }

    /** From the encoder's hidden states to its output, and from the decoder's tokens to vectors. */
    private final class TurnStage implements Stage {

        /** {@inheritDoc} */
        @Override
        public List<Block> getBlocks() {
            return List.of(encoder.norm(), shared, decoder.table());
        }

        /** {@inheritDoc} */
        @Override
        public NDList forward(ParameterStore store, NDList inputs, boolean training) {
            if (inputs.size() < 4) {
                throw new IllegalArgumentException(
                        "the decoder of a T5 model reads decoder_input_ids, third in the data, or"
                                + " the labels: give one of them");
            }
            NDArray mask = inputs.get(T5EncoderStages.MASK);
            NDArray own = inputs.size() > 4 ? inputs.get(4) : null;
            NDArray hidden = reading.embed(store, inputs.get(3), training);
            NDArray bias = decoder.bias(store, 0, hidden, own, training);
            NDArray memory = reading.output(store, inputs.get(0), training);
            NDList outputs = new NDList(hidden, bias, memory);
            if (T5EncoderStages.isPadded(mask)) {
                outputs.add(memoryBias(memory, mask));
            }
            return outputs;
        }
    }

    private final class DecoderStage implements Stage {

        private final T5Layer layer;

        DecoderStage(T5Layer layer) {
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
            NDArray memoryBias = inputs.size() > 3 ? inputs.get(3) : null;
            NDList outputs = new NDList(inputs);
            outputs.set(
                    0,
                    layer.run(
                            store,
                            inputs.get(0),
                            inputs.get(BIAS),
                            inputs.get(MEMORY),
                            memoryBias,
                            training));
            return outputs;
        }

        /** {@inheritDoc} */
        @Override
        public boolean carriesGradient(int index) {
            return index == 0 || index == MEMORY || index == BIAS && decoder.isTableTrained();
        }
    }

    private final class HeadStage implements Stage {

        /** {@inheritDoc} */
        @Override
        public List<Block> getBlocks() {
            return List.of(decoder.norm(), head.getBlock());
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

package io.github.loradjl.zoo.t5;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.training.initializer.NormalInitializer;
import ai.djl.training.loss.Loss;

import io.github.loradjl.staged.Stage;
import io.github.loradjl.training.TokenCounter;
import io.github.loradjl.zoo.block.ClassificationHead;
import io.github.loradjl.zoo.block.StagedModel;
import io.github.loradjl.zoo.block.TokenEmbedding;
import io.github.loradjl.zoo.text.SequenceClassificationLoss;
import io.github.loradjl.zoo.text.SequenceClassificationTokens;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * The encoder of a T5 model with a linear classifier on the mean of its output.
 *
 * <p>The names below {@code encoder} and that of {@code shared} are those of Hugging Face's
 * modules; the classifier is {@code classifier}. An adapter for all linear layers leaves the
 * classifier out; {@code LoraConfig.Builder.optModulesToSave("classifier")} trains it whole and
 * saves it with the adapter.
 *
 * <p><b>Data</b>: {@code input_ids} and {@code attention_mask}, zero at padding, both INT64 of
 * shape (b, s). {@code forward(data)} gives float32 logits of shape (b, classes). {@code
 * forward(data, labels)}, with one INT64 array of shape (b) that holds the numbers of classes,
 * gives the mean cross-entropy as a float32 scalar; the second entry of the list is the number of
 * rows whose class has the largest logit, a float32 scalar too.
 *
 * <p>Forward passes with {@code training} false record no gradients, in whichever thread, and
 * without dropout.
 *
 * @see <a href="https://arxiv.org/abs/2108.08877">Sentence-T5, for the mean of the output</a>
 */
public final class T5EncoderClassifier extends StagedModel {

    private final T5Config config;
    private final int classes;
    private final TokenEmbedding shared;
    private final T5Stack encoder;
    // Not final: an adapter may take its place.
    private Linear classifier;

    private final T5EncoderStages reading;
    private final ClassificationHead head;
    private final List<Stage> stages;

    /**
     * Creates a model without weights: {@code initialize} draws random ones as transformers does.
     * For the classifier these are normally distributed with the deviation of 1 / sqrt(hidden
     * size), times the configuration's {@code initializer_factor}; its biases are zero.
     *
     * @param config the configuration
     * @param classes the number of classes, at least 2
     * @param seed the seed of the classifier, which is drawn by itself
     */
    public T5EncoderClassifier(T5Config config, int classes, long seed) {
        if (classes < 2) {
            throw new IllegalArgumentException(
                    "a classifier needs at least 2 classes, not " + classes);
        }
        this.config = config;
        this.classes = classes;
        int size = config.getHiddenSize();
        float factor = config.getInitializerFactor();
        shared = addChildBlock("shared", new TokenEmbedding(config.getVocabularySize(), size));
        shared.setInitializer(new NormalInitializer(factor), Parameter.Type.WEIGHT);
        encoder = addChildBlock("encoder", new T5Stack(config, false));
        classifier = addChildBlock("classifier", linear(size, classes, true));
        double deviation = factor / Math.sqrt(size);
        classifier.setInitializer(
                (manager, shape, type) -> normal(manager, shape, deviation, seed),
                Parameter.Type.WEIGHT);
        classifier.setInitializer(Initializer.ZEROS, Parameter.Type.BIAS);
        reading = new T5EncoderStages(config, shared, encoder);
        head = new ClassificationHead(() -> classifier, classes);
        List<Stage> all = new ArrayList<>(reading.list());
        all.add(new HeadStage());
        stages = List.copyOf(all);
    }

    private static NDArray normal(NDManager manager, Shape shape, double deviation, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[Math.toIntExact(shape.size())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
        }
        return manager.create(values, shape);
    }

    /**
     * Returns the configuration of the T5 model.
     *
     * @return the configuration
     */
    public T5Config getConfig() {
        return config;
    }

    /**
     * Returns the number of classes.
     *
     * @return the number of classes
     */
    public int getClasses() {
        return classes;
    }

    /** {@inheritDoc} */
    @Override
    public Map<String, String> getCopies() {
        Map<String, String> copies = new HashMap<>();
        copies.put("encoder.embed_tokens.weight", "shared.weight");
        copies.put("decoder.embed_tokens.weight", "shared.weight");
        if (config.isTied()) {
            copies.put("lm_head.weight", "shared.weight");
        }
        return copies;
    }

    /** {@inheritDoc} */
    @Override
    public boolean isUnused(String tensor) {
        return tensor.startsWith("decoder.") || "lm_head.weight".equals(tensor);
    }

    /** {@inheritDoc} */
    @Override
    public Set<String> getOwnParameters() {
        return Set.of("classifier.weight", "classifier.bias");
    }

    /** {@inheritDoc} */
    @Override
    public Loss newLoss() {
        return new SequenceClassificationLoss();
    }

    /** {@inheritDoc} */
    @Override
    public TokenCounter newTokenCounter() {
        return new SequenceClassificationTokens();
    }

    /** {@inheritDoc} */
    @Override
    public List<Stage> getStages() {
        return stages;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList loss(ParameterStore store, NDList inputs, NDList labels, boolean training) {
        NDArray mask = inputs.get(T5EncoderStages.MASK);
        try (NDArray output = reading.output(store, inputs.head(), training)) {
            return head.loss(store, output, mask, labels.singletonOrThrow(), training);
        }
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(NDManager manager, DataType dataType, Shape... shapes) {
        shared.initialize(manager, dataType, shapes);
        encoder.initialize(manager, dataType, shapes);
        classifier.initialize(manager, dataType, new Shape(1, config.getHiddenSize()));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputs) {
        return new Shape[] {new Shape(inputs[0].get(0), classes)};
    }

    private final class HeadStage implements Stage {

        /** {@inheritDoc} */
        @Override
        public List<Block> getBlocks() {
            return List.of(encoder.norm(), head.getBlock());
        }

        /** {@inheritDoc} */
        @Override
        public NDList forward(ParameterStore store, NDList inputs, boolean training) {
            NDArray mask = inputs.get(T5EncoderStages.MASK);
            try (NDArray output = reading.output(store, inputs.head(), training)) {
                return new NDList(head.logits(store, output, mask, training));
            }
        }

        /** {@inheritDoc} */
        @Override
        public NDList forward(ParameterStore store, NDList inputs, NDList labels) {
            return loss(store, inputs, labels, true);
        }
    }
}

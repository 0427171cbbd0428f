package io.github.loradjl.zoo.text.evaluate;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;

import io.github.loradjl.adapter.AdaptedBlock;
import io.github.loradjl.zoo.text.generate.AutoregressiveBlock;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Lets a model with a classifier choose among labels, which stand in the order of its classes: the
 * one with the largest logit.
 *
 * <pre>{@code
 * ClassifierScoring scoring = ClassifierScoring.builder()
 *         .setModel(model, tokenizer)
 *         .setLabels(task.getLabelTexts())
 *         .build();
 * Map<String, Double> metrics =
 *         TaskMetrics.of(task, scoring.evaluate(examples), AnswerMode.CLASSIFIER);
 * }</pre>
 *
 * @see io.github.loradjl.zoo.t5.T5EncoderClassifier
 */
public final class ClassifierScoring extends LabelEvaluation {

    private final Model model;

    private ClassifierScoring(Builder builder) {
        super(builder);
        model = builder.model;
    }

    /**
     * Creates a builder.
     *
     * @return the builder
     */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    List<Outcome> outcomes(List<Example> batch) {
        return likeliest(batch, score(batch.stream().map(Example::prompt).toList()));
    }

    /**
     * Computes the logits of all classes for prompts, as one batch.
     *
     * @param prompts the prompts
     * @return for each prompt the logit of each class
     * @throws IllegalArgumentException if the model does not have as many classes as there are
     *     labels
     */
    public List<double[]> score(List<String> prompts) {
        List<long[]> rows = prompts.stream().map(this::encodePrompt).toList();
        int width = rows.stream().mapToInt(row -> row.length).max().orElse(0);
        long[] ids = new long[rows.size() * width];
        long[] mask = new long[ids.length];
        for (int i = 0; i < rows.size(); i++) {
            int length = rows.get(i).length;
            System.arraycopy(rows.get(i), 0, ids, i * width, length);
            Arrays.fill(mask, i * width, i * width + length, 1);
        }
        Shape shape = new Shape(rows.size(), width);
        Shape wanted = new Shape(rows.size(), labels().size());
        double[] all;
        try (NDManager manager = model.getNDManager().newSubManager()) {
            NDList data = new NDList(manager.create(ids, shape), manager.create(mask, shape));
            NDArray logits =
                    model.getBlock()
                            .forward(new ParameterStore(manager, false), data, false)
                            .head();
            if (!logits.getShape().equals(wanted)) {
                throw new IllegalArgumentException(
                        "model "
                                + model.getName()
                                + " gives "
                                + logits.getShape()
                                + " for "
                                + rows.size()
                                + " prompts, not a logit for each of the labels "
                                + labels());
            }
            float[] floats = logits.toFloatArray();
            all = IntStream.range(0, floats.length).mapToDouble(i -> floats[i]).toArray();
        }
        List<double[]> scores = new ArrayList<>();
        for (int from = 0; from < all.length; from += labels().size()) {
            scores.add(Arrays.copyOfRange(all, from, from + labels().size()));
        }
        return scores;
    }

    /** Builds a {@link ClassifierScoring}. */
    public static final class Builder extends LabelEvaluationBuilder<Builder> {

        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /**
         * Builds the evaluation.
         *
         * @return the evaluation
         * @throws IllegalArgumentException if the labels are not at least two different ones, a
         *     number is not positive, or the model predicts tokens
         */
        public ClassifierScoring build() {
            check();
            Block block = model.getBlock();
            Block base = block instanceof AdaptedBlock adapted ? adapted.getBase() : block;
            if (base instanceof AutoregressiveBlock) {
                throw new IllegalArgumentException(
                        "model "
                                + model.getName()
                                + " has no classifier, it predicts tokens: use LabelScoring or"
                                + " TeacherForcedAccuracy, or load it with"
                                + " HuggingFaceFolder.loadClassifier");
            }
            return new ClassifierScoring(this);
        }
    }
}

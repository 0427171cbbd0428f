package io.github.loradjl.zoo.block;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;

import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.text.SequenceClassificationLoss;

import java.util.function.Supplier;

/**
 * The end of a model that tells classes of texts apart: the mean of a text's hidden states, and a
 * linear layer on it. It computes in float32, whatever type the hidden states have.
 */
public final class ClassificationHead {

    private final Supplier<Linear> classifier;
    private final int classes;

    /**
     * Creates a head.
     *
     * @param classifier gives the layer that makes the logits; asked each time, as an adapter may
     *     have taken its place
     * @param classes the number of classes
     */
    public ClassificationHead(Supplier<Linear> classifier, int classes) {
        this.classifier = classifier;
        this.classes = classes;
    }

    /**
     * Returns the layer that makes the logits.
     *
     * @return the layer
     */
    public Linear getBlock() {
        return classifier.get();
    }

    /**
     * Computes logits.
     *
     * @param store the parameter store
     * @param hidden hidden states of shape (b, s, size), left open
     * @param mask an INT64 array of shape (b, s), zero at padding
     * @param training true to run in training mode
     * @return a float32 array of shape (b, classes)
     * @throws IllegalArgumentException if a row is all padding
     */
    public NDArray logits(ParameterStore store, NDArray hidden, NDArray mask, boolean training) {
        try (NDArray mean = mean(hidden, mask)) {
            return ModelBlock.apply(classifier.get(), store, mean, training);
        }
    }

    /**
     * Computes the mean loss; beside it stands the number of rows whose class has the largest
     * logit.
     *
     * @param store the parameter store
     * @param hidden hidden states of shape (b, s, size), left open
     * @param mask an INT64 array of shape (b, s), zero at padding
     * @param labels an INT64 array of shape (b) with the numbers of classes
     * @param training true to run in training mode
     * @return two float32 scalars
     * @throws IllegalArgumentException if a label is no number of a class, or a row is all padding
     */
    public NDList loss(
            ParameterStore store, NDArray hidden, NDArray mask, NDArray labels, boolean training) {
        SequenceClassificationLoss.checkLabels(labels, classes);
        try (NDArray logits = logits(store, hidden, mask, training);
                NDArray plain = logits.stopGradient()) {
            return new NDList(
                    TorchOps.crossEntropy(logits, labels), TorchOps.countLargest(plain, labels));
        }
    }

    /** Averages over what is not padding, as one product with weights that sum to 1. */
    private static NDArray mean(NDArray hidden, NDArray mask) {
        try (NDArray seen = mask.toType(DataType.FLOAT32, false);
                NDArray counts = seen.sum(new int[] {1}, true)) {
            float[] each = counts.toFloatArray();
            for (int row = 0; row < each.length; row++) {
                if (each[row] == 0) {
                    throw new IllegalArgumentException(
                            "row " + row + " of the batch is all padding: it has nothing to judge");
                }
            }
            try (NDArray shares = seen.div(counts);
                    NDArray weights = shares.expandDims(1);
                    NDArray wide = TorchOps.toFloat32(hidden);
                    NDArray mean = weights.matMul(wide)) {
                return mean.squeeze(1);
            }
        }
    }
}

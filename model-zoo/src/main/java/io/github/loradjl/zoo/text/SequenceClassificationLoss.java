package io.github.loradjl.zoo.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.torch.TorchOps;

/**
 * The loss of a model that tells classes of texts apart: the mean cross-entropy of each row's
 * class, in nats, computed in float32.
 *
 * <p>A block may give the logits, or, where its {@code forward(data, labels)} computes the loss
 * itself, that scalar, which passes through. DJL asks for the loss of a training batch twice, once
 * to differentiate it and once to log it; the second time the first value is used.
 *
 * <p>Over several batches the accumulated value is the mean over all rows.
 */
public final class SequenceClassificationLoss extends TokenLoss {

    /** Creates the loss. */
    public SequenceClassificationLoss() {
        super("SequenceClassificationLoss");
    }

    /** {@inheritDoc} */
    @Override
    void checkShapes(Shape logits, Shape labels) {
        if (logits.dimension() != 2 || !logits.slice(0, 1).equals(labels)) {
            throw new IllegalArgumentException(
                    getName()
                            + " needs logits of shape (b, classes) and labels of shape (b), or a"
                            + " scalar loss; got predictions "
                            + logits
                            + " and labels "
                            + labels);
        }
    }

    /** {@inheritDoc} */
    @Override
    NDList rows(NDArray logits, NDArray labels) {
        return TorchOps.labelledRows(logits, labels);
    }

    /** {@inheritDoc} */
    @Override
    long check(NDArray labels, long classes) {
        return checkLabels(labels, classes);
    }

    /**
     * Checks labels before they index anything: LibTorch would fail without naming the label, or,
     * on a GPU, take the whole process down.
     *
     * @param labels an INT64 array of shape (b)
     * @param classes the number of classes
     * @return the number of labels
     * @throws IllegalArgumentException if there is none, or one is not in [0, classes)
     */
    public static long checkLabels(NDArray labels, long classes) {
        if (labels.getShape().dimension() != 1 || labels.size() == 0) {
            throw new IllegalArgumentException(
                    "labels of classes must be of shape (batch), not " + labels.getShape());
        }
        long[] numbers = labels.toLongArray();
        for (int row = 0; row < numbers.length; row++) {
            if (numbers[row] < 0 || numbers[row] >= classes) {
                throw new IllegalArgumentException(
                        "label "
                                + numbers[row]
                                + " of row "
                                + row
                                + " is none of the "
                                + classes
                                + " classes, which are numbered from 0");
            }
        }
        return numbers.length;
    }
}

package io.github.loradjl.zoo.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.loss.Loss;

import io.github.loradjl.torch.TorchOps;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The mean cross-entropy of kept labels, under logits or as a scalar that is known already. */
abstract class TokenLoss extends Loss {

    private final Map<String, Double> sums = new ConcurrentHashMap<>();
    private volatile Evaluated last;

    /** The loss of the latest predictions, known by the identity of their array. */
    private record Evaluated(String predictions, NDArray loss) {}

    TokenLoss(String name) {
        super(name);
    }

    /** Gathers the logits of the kept labels, of shape (k, classes), and these. */
    abstract NDList rows(NDArray logits, NDArray labels);

    /** Checks that logits and labels belong together. */
    void checkShapes(Shape logits, Shape labels) {
        if (logits.dimension() != 3 || !logits.slice(0, 2).equals(labels)) {
            throw new IllegalArgumentException(
                    getName()
                            + " needs logits of shape (b, t, vocabulary) and labels of shape"
                            + " (b, t), or a scalar loss; got predictions "
                            + logits
                            + " and labels "
                            + labels);
        }
    }

    /** Checks the labels and counts the kept ones. */
    abstract long check(NDArray labels, long vocabularySize);

    /**
     * Computes the loss of one batch.
     *
     * @param labels one INT64 array, of shape (b, t) for tokens or (b) for classes of texts
     * @param predictions the logits, of the labels' shape with one number more, that of all tokens
     *     or classes; or an already computed scalar
     * @return a float32 scalar; the same array if the prediction was a scalar
     * @throws IllegalArgumentException if the shapes do not fit, a label is outside the vocabulary,
     *     or no label is kept
     */
    @Override
    public NDArray evaluate(NDList labels, NDList predictions) {
        NDArray prediction = predictions.head();
        if (prediction.getShape().dimension() == 0) {
            return prediction;
        }
        NDArray label = labels.singletonOrThrow();
        Shape shape = prediction.getShape();
        checkShapes(shape, label.getShape());
        check(label, shape.get(shape.dimension() - 1));
        try (NDList rows = rows(prediction, label)) {
            NDArray loss = TorchOps.crossEntropy(rows.get(0), rows.get(1));
            last = new Evaluated(prediction.getUid(), loss);
            return loss;
        }
    }

    /**
     * Checks labels before they index anything: LibTorch would fail without naming the label, or,
     * on a GPU, take the whole process down.
     *
     * @param first the first position of a row whose label is kept
     * @return the number of kept labels
     */
    static long check(NDArray labels, long vocabularySize, int first) {
        long columns = labels.getShape().get(1);
        long[] ids = labels.toLongArray();
        long kept = 0;
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] == TorchOps.IGNORE_INDEX) {
                continue;
            }
            if (ids[i] < 0 || ids[i] >= vocabularySize) {
                throw new IllegalArgumentException(
                        "Label "
                                + ids[i]
                                + " in row "
                                + i / columns
                                + ", position "
                                + i % columns
                                + " is outside the vocabulary of "
                                + vocabularySize
                                + " tokens ("
                                + TorchOps.IGNORE_INDEX
                                + " marks a position to ignore): do tokenizer and model belong"
                                + " together?");
            }
            if (i % columns >= first) {
                kept++;
            }
        }
        if (kept == 0) {
            throw new IllegalArgumentException(
                    "The batch has no label to learn: all labels of shape "
                            + labels.getShape()
                            + " are "
                            + TorchOps.IGNORE_INDEX
                            + (first > 0
                                    ? " or in the first position, which nothing predicts"
                                    : ""));
        }
        return kept;
    }

    /** {@inheritDoc} */
    @Override
    public void addAccumulator(String key) {
        totalInstances.put(key, 0L);
        sums.put(key, 0d);
    }

    /** {@inheritDoc} */
    @Override
    public void updateAccumulator(String key, NDList labels, NDList predictions) {
        updateAccumulators(new String[] {key}, labels, predictions);
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if the loss is not a finite number
     */
    @Override
    public void updateAccumulators(String[] keys, NDList labels, NDList predictions) {
        long kept = check(labels.singletonOrThrow(), Long.MAX_VALUE);
        float loss = value(labels, predictions);
        if (!Float.isFinite(loss)) {
            throw new IllegalStateException(
                    "The loss is "
                            + loss
                            + ": lower the learning rate, clip the gradient norm, or look for"
                            + " NaN in the weights");
        }
        for (String key : keys) {
            totalInstances.merge(key, kept, Long::sum);
            sums.merge(key, loss * (double) kept, Double::sum);
        }
    }

    private float value(NDList labels, NDList predictions) {
        NDArray prediction = predictions.head();
        if (prediction.getShape().dimension() == 0) {
            return prediction.getFloat();
        }
        Evaluated known = last;
        last = null;
        if (known != null
                && known.predictions().equals(prediction.getUid())
                && !known.loss().isReleased()) {
            return known.loss().getFloat();
        }
        try (NDArray loss = evaluate(labels, predictions)) {
            return loss.getFloat();
        } finally {
            last = null;
        }
    }

    /** {@inheritDoc} */
    @Override
    public void resetAccumulator(String key) {
        addAccumulator(key);
    }

    /**
     * {@inheritDoc}
     *
     * @return the mean over all labels kept so far, or NaN before the first
     */
    @Override
    public float getAccumulator(String key) {
        Long kept = totalInstances.get(key);
        if (kept == null) {
            throw new IllegalArgumentException("No loss is accumulated under " + key);
        }
        return kept == 0 ? Float.NaN : (float) (sums.get(key) / kept);
    }
}

package io.github.loradjl.zoo.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.loss.Loss;

import io.github.loradjl.torch.TorchOps;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The loss of a causal language model: the mean cross-entropy of each kept label under the logits
 * of the position before it, in nats, computed in float32.
 *
 * <p>Labels are the tokens themselves, not shifted: position i predicts label i + 1, and labels of
 * {@link #IGNORE_INDEX} (a prompt, padding) are left out.
 *
 * <p>A block may give the logits, or, where its {@code forward(data, labels)} computes the loss
 * itself, that scalar, which passes through. DJL asks for the loss of a training batch twice, once
 * to differentiate it and once to log it; the second time the first value is used.
 *
 * <p>Over several batches the accumulated value is the mean over all kept labels, so it does not
 * depend on how the rows were batched.
 */
public final class CausalLmLoss extends Loss {

    /** The label of a position that is not learnt. */
    public static final long IGNORE_INDEX = TorchOps.IGNORE_INDEX;

    private final Map<String, Double> sums = new ConcurrentHashMap<>();
    private volatile Evaluated last;

    /** The loss of the latest predictions, known by the identity of their array. */
    private record Evaluated(String predictions, NDArray loss) {}

    /** Creates the loss. */
    public CausalLmLoss() {
        super("CausalLmLoss");
    }

    /**
     * Computes the loss of one batch.
     *
     * @param labels one INT64 array of shape (b, t), not shifted
     * @param predictions the logits, of shape (b, t, vocabulary), or an already computed scalar
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
        if (shape.dimension() != 3 || !shape.slice(0, 2).equals(label.getShape())) {
            throw new IllegalArgumentException(
                    "CausalLmLoss needs logits of shape (b, t, vocabulary) and labels of shape"
                            + " (b, t), or a scalar loss; got predictions "
                            + shape
                            + " and labels "
                            + label.getShape());
        }
        checkLabels(label, shape.get(2));
        try (NDList rows = TorchOps.nextTokenRows(prediction, label)) {
            NDArray loss = TorchOps.crossEntropy(rows.get(0), rows.get(1));
            last = new Evaluated(prediction.getUid(), loss);
            return loss;
        }
    }

    /**
     * Checks labels before they index anything: LibTorch would fail without naming the label, or,
     * on a GPU, take the whole process down.
     *
     * @param labels an INT64 array of shape (b, t), not shifted
     * @param vocabularySize the number of classes
     * @return the number of kept labels, those that some position predicts
     * @throws IllegalArgumentException if a label is neither {@link #IGNORE_INDEX} nor in [0,
     *     vocabularySize), or no label is kept
     */
    public static long checkLabels(NDArray labels, long vocabularySize) {
        long columns = labels.getShape().get(1);
        long[] ids = labels.toLongArray();
        long kept = 0;
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] == IGNORE_INDEX) {
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
                                + IGNORE_INDEX
                                + " marks a position to ignore): do tokenizer and model belong"
                                + " together?");
            }
            if (i % columns != 0) {
                kept++;
            }
        }
        if (kept == 0) {
            throw new IllegalArgumentException(
                    "The batch has no label to learn: all labels of shape "
                            + labels.getShape()
                            + " are "
                            + IGNORE_INDEX
                            + " or in the first position, which nothing predicts");
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
        long kept = checkLabels(labels.singletonOrThrow(), Long.MAX_VALUE);
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

package io.github.loradjl.zoo.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;

import io.github.loradjl.torch.TorchOps;

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
public final class CausalLmLoss extends TokenLoss {

    /** The label of a position that is not learnt. */
    public static final long IGNORE_INDEX = TorchOps.IGNORE_INDEX;

    /** Creates the loss. */
    public CausalLmLoss() {
        super("CausalLmLoss");
    }

    /** {@inheritDoc} */
    @Override
    NDList rows(NDArray logits, NDArray labels) {
        return TorchOps.nextTokenRows(logits, labels);
    }

    /** {@inheritDoc} */
    @Override
    long check(NDArray labels, long vocabularySize) {
        return checkLabels(labels, vocabularySize);
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
        return check(labels, vocabularySize, 1);
    }
}

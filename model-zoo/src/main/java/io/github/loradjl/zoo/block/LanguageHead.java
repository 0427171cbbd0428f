package io.github.loradjl.zoo.block;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;

import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.torch.DecodingOps;
import io.github.loradjl.torch.TorchOps;

import java.util.function.Supplier;

/** The end of a model: from hidden states to logits, or to the loss. */
public final class LanguageHead {

    /** The number of logits computed at once where no gradient is wanted, 64 MiB in float32. */
    private static final long LOGITS = 1 << 24;

    private final int vocabularySize;
    private final Supplier<Linear> linear;
    private final TokenEmbedding tied;
    private final Finish finish;

    /** What is done to the hidden states before they meet the head's weight. */
    @FunctionalInterface
    public interface Finish {

        /**
         * Finishes hidden states.
         *
         * @param store the parameter store
         * @param hidden hidden states, left open
         * @param training true to run in training mode
         * @return a new array of the same shape
         */
        NDArray apply(ParameterStore store, NDArray hidden, boolean training);
    }

    /**
     * Creates a head.
     *
     * @param vocabularySize the number of tokens
     * @param linear gives the layer that makes the logits, or null where {@code tied} does; asked
     *     each time, as an adapter may have taken its place
     * @param tied the token vectors
     * @param finish what comes before
     */
    public LanguageHead(
            int vocabularySize, Supplier<Linear> linear, TokenEmbedding tied, Finish finish) {
        this.vocabularySize = vocabularySize;
        this.linear = linear;
        this.tied = tied;
        this.finish = finish;
    }

    /**
     * Returns the block whose weight makes the logits.
     *
     * @return the block
     */
    public Block getBlock() {
        Linear head = linear.get();
        return head == null ? tied : head;
    }

    /**
     * Computes logits.
     *
     * @param store the parameter store
     * @param hidden hidden states of shape (..., size), left open
     * @param training true to run in training mode
     * @return an array of shape (..., vocabulary)
     */
    public NDArray logits(ParameterStore store, NDArray hidden, boolean training) {
        try (NDArray finished = finish.apply(store, hidden, training)) {
            Linear head = linear.get();
            if (head != null) {
                return ModelBlock.apply(head, store, finished, training);
            }
            return TorchOps.linear(finished, tied.table(store, finished, training));
        }
    }

    /**
     * Computes the logits of one position of each text.
     *
     * @param store the parameter store
     * @param hidden hidden states of shape (b, size), left open
     * @return an array of shape (b, vocabulary)
     */
    public NDArray nextLogits(ParameterStore store, NDArray hidden) {
        Linear head = linear.get();
        NDArray weight =
                head == null
                        ? tied.table(store, hidden, false)
                        : LoraLinear.plainWeight(head, store, hidden);
        if (weight == null) {
            return logits(store, hidden, false);
        }
        try (NDArray finished = finish.apply(store, hidden, false)) {
            return DecodingOps.linear(finished, weight);
        }
    }

    /**
     * Computes the mean loss; beside it stands the number of targets with the largest logit.
     *
     * @param store the parameter store
     * @param rows hidden states of shape (k, size) and their targets of shape (k); closed
     * @param training true to run in training mode
     * @return two float32 scalars
     */
    public NDList loss(ParameterStore store, NDList rows, boolean training) {
        try (rows) {
            NDArray hidden = rows.get(0);
            NDArray targets = rows.get(1);
            NDArray weight = plainWeight(store, hidden, training);
            if (weight != null) {
                try (NDArray finished = finish.apply(store, hidden, training)) {
                    return HeadLoss.mean(finished, weight, targets);
                }
            }
            try (NDArray logits = logits(store, hidden, training);
                    NDArray plain = logits.stopGradient()) {
                return new NDList(
                        TorchOps.crossEntropy(logits, targets),
                        TorchOps.countLargest(plain, targets));
            }
        }
    }

    /**
     * Computes the loss of each target by itself, a part of the rows at a time, as the logits are
     * by far the largest arrays.
     *
     * @param store the parameter store
     * @param rows hidden states of shape (k, size) and their targets of shape (k); closed
     * @return a float32 array of shape (k)
     */
    public NDArray eachLoss(ParameterStore store, NDList rows) {
        try (rows;
                NDList losses = new NDList()) {
            long count = rows.get(1).getShape().get(0);
            long step = Math.max(1, LOGITS / vocabularySize);
            for (long from = 0; from < count; from += step) {
                NDIndex part = new NDIndex("{}:{}", from, Math.min(count, from + step));
                try (NDArray x = rows.get(0).get(part);
                        NDArray labels = rows.get(1).get(part);
                        NDArray logits = logits(store, x, false)) {
                    losses.add(TorchOps.crossEntropyEach(logits, labels));
                }
            }
            return NDArrays.concat(losses);
        }
    }

    /** Returns the head's weight if nothing is trained in the head, null otherwise. */
    private NDArray plainWeight(ParameterStore store, NDArray like, boolean training) {
        Linear head = linear.get();
        NDArray weight = null;
        if (head == null) {
            weight = tied.table(store, like, training);
        } else if (head.getClass() == Linear.class) {
            Parameter parameter = head.getDirectParameters().get("weight");
            weight = store.getValue(parameter, like.getDevice(), training);
        }
        return weight == null || TorchOps.requiresGradient(weight) ? null : weight;
    }
}

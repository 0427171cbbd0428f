package io.github.loradjl.training;

import ai.djl.ndarray.NDList;
import ai.djl.training.dataset.Batch;

/** Counts the tokens of a batch; only those who made the batch know what its arrays mean. */
public interface TokenCounter {

    /**
     * Counts the tokens that the model reads, for the speed.
     *
     * @param batch the batch
     * @return the number of tokens, padding left out
     */
    long countInputs(Batch batch);

    /**
     * Counts the tokens over which the batch's loss is a mean, for means over several batches.
     *
     * @param batch the batch
     * @return the number of tokens
     */
    long countTargets(Batch batch);

    /**
     * Counts the targets that were the most probable, for the accuracy.
     *
     * @param labels the batch's labels
     * @param predictions what the model gave for them
     * @return the number of targets, or NaN where the predictions do not tell
     */
    default double countCorrect(NDList labels, NDList predictions) {
        return Double.NaN;
    }

    /**
     * Counts each row as one token.
     *
     * @return the counter
     */
    static TokenCounter rows() {
        return new TokenCounter() {

            @Override
            public long countInputs(Batch batch) {
                return batch.getSize();
            }

            @Override
            public long countTargets(Batch batch) {
                return batch.getSize();
            }
        };
    }
}

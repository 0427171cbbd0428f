package io.github.loradjl.zoo.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.dataset.Batch;

import io.github.loradjl.training.TokenCounter;

/** Counts the tokens of the batches of a {@link TextDataset}. */
public final class CausalLmTokens implements TokenCounter {

    /** {@inheritDoc} */
    @Override
    public long countInputs(Batch batch) {
        NDList data = batch.getData();
        if (data.size() < 2) {
            return data.head().size();
        }
        try (NDArray sum = data.get(1).sum()) {
            return sum.getLong();
        }
    }

    /** {@inheritDoc} */
    @Override
    public long countTargets(Batch batch) {
        return CausalLmLoss.checkLabels(batch.getLabels().head(), Long.MAX_VALUE);
    }
}

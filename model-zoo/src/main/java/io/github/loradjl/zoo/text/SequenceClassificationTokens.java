package io.github.loradjl.zoo.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.dataset.Batch;

import io.github.loradjl.torch.TorchOps;

/** Counts the tokens of batches whose labels are classes; each row is one target. */
public final class SequenceClassificationTokens extends LabelTokens {

    /** Creates the counter. */
    public SequenceClassificationTokens() {}

    /** {@inheritDoc} */
    @Override
    public long countTargets(Batch batch) {
        return SequenceClassificationLoss.checkLabels(batch.getLabels().head(), Long.MAX_VALUE);
    }

    /** {@inheritDoc} */
    @Override
    NDList rows(NDArray logits, NDArray labels) {
        return TorchOps.labelledRows(logits, labels);
    }
}

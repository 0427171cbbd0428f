package io.github.loradjl.zoo.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.dataset.Batch;

import io.github.loradjl.torch.TorchOps;

/** Counts the tokens of the batches of a {@link TextDataset} for a causal model. */
public final class CausalLmTokens extends LabelTokens {

    /** Creates the counter. */
    public CausalLmTokens() {}

    /** {@inheritDoc} */
    @Override
    public long countTargets(Batch batch) {
        return CausalLmLoss.checkLabels(batch.getLabels().head(), Long.MAX_VALUE);
    }

    /** {@inheritDoc} */
    @Override
    NDList rows(NDArray logits, NDArray labels) {
        return TorchOps.nextTokenRows(logits, labels);
    }
}

package io.github.loradjl.zoo.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.dataset.Batch;

import io.github.loradjl.torch.TorchOps;

/**
 * Counts the tokens of the batches of a {@link TextDataset} for an encoder with a decoder. What the
 * model reads is both what the encoder is given and the labels, which the decoder reads one
 * position late.
 */
public final class Seq2SeqTokens extends LabelTokens {

    /** Creates the counter. */
    public Seq2SeqTokens() {}

    /** {@inheritDoc} */
    @Override
    public long countInputs(Batch batch) {
        return super.countInputs(batch) + countTargets(batch);
    }

    /** {@inheritDoc} */
    @Override
    public long countTargets(Batch batch) {
        return Seq2SeqLoss.checkLabels(batch.getLabels().head(), Long.MAX_VALUE);
    }

    /** {@inheritDoc} */
    @Override
    NDList rows(NDArray logits, NDArray labels) {
        return TorchOps.labelledRows(logits, labels);
    }
}

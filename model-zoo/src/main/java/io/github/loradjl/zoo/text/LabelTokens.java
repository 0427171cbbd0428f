package io.github.loradjl.zoo.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.dataset.Batch;

import io.github.loradjl.training.TokenCounter;

/** Counts tokens by masks and labels. */
abstract class LabelTokens implements TokenCounter {

    /** Gathers the logits of the kept labels, of shape (k, vocabulary), and these. */
    abstract NDList rows(NDArray logits, NDArray labels);

    /** {@inheritDoc} */
    @Override
    public long countInputs(Batch batch) {
        NDList data = batch.getData();
        if (data.size() < 2) {
            return data.head().size();
        }
        // The mask may hold the numbers of segments.
        try (NDArray kept = data.get(1).neq(0);
                NDArray sum = kept.sum()) {
            return sum.getLong();
        }
    }

    /** {@inheritDoc} */
    @Override
    public double countCorrect(NDList labels, NDList predictions) {
        NDArray head = predictions.head();
        if (head.getShape().dimension() == 0) {
            return predictions.size() > 1 ? predictions.get(1).getFloat() : Double.NaN;
        }
        try (NDArray plain = head.stopGradient();
                NDList rows = rows(plain, labels.head());
                NDArray likeliest = rows.get(0).argMax(1);
                NDArray hits = likeliest.eq(rows.get(1));
                NDArray numbers = hits.toType(DataType.INT64, false);
                NDArray sum = numbers.sum()) {
            return sum.getLong();
        }
    }
}

package io.github.loradjl.zoo.text.evaluate;

import ai.djl.Model;
import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;

import io.github.loradjl.zoo.text.TextDataset;
import io.github.loradjl.zoo.text.generate.TokenScorer;

import java.io.IOException;
import java.util.function.IntConsumer;

/**
 * The mean loss over all learnt tokens of a data set, whatever its batches.
 *
 * @param tokens the number of tokens
 * @param loss their mean negative log-probability, in nats
 */
public record DatasetLoss(long tokens, double loss) {

    /**
     * Evaluates a model.
     *
     * @param model a loaded model, adapted or not; it stays the caller's
     * @param data the data set
     * @return the loss
     * @throws IOException if the data set cannot be read
     */
    public static DatasetLoss of(Model model, TextDataset data) throws IOException {
        return of(model, data, batches -> {});
    }

    /**
     * Evaluates a model and tells how far it is.
     *
     * @param model a loaded model, adapted or not; it stays the caller's
     * @param data the data set
     * @param listener called with the number of batches done so far
     * @return the loss
     * @throws IOException if the data set cannot be read
     * @throws IllegalStateException if the loss is not a finite number
     */
    public static DatasetLoss of(Model model, TextDataset data, IntConsumer listener)
            throws IOException {
        TokenScorer scorer = new TokenScorer(model);
        double sum = 0;
        long tokens = 0;
        int done = 0;
        try (NDManager manager = model.getNDManager().newSubManager()) {
            for (Batch batch : data.getData(manager)) {
                try (batch) {
                    float[] losses = scorer.losses(batch.getData(), batch.getLabels().head());
                    for (float loss : losses) {
                        sum += loss;
                    }
                    tokens += losses.length;
                }
                listener.accept(++done);
            }
        }
        if (!Double.isFinite(sum)) {
            throw new IllegalStateException(
                    "the loss is " + sum + "; the model's weights or its adapter are broken");
        }
        return new DatasetLoss(tokens, sum / tokens);
    }

    /**
     * Computes the perplexity, the exponential of the loss.
     *
     * @return the perplexity
     */
    public double perplexity() {
        return Math.exp(loss);
    }
}

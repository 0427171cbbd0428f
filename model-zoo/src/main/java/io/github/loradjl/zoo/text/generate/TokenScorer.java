package io.github.loradjl.zoo.text.generate;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;

import io.github.loradjl.adapter.AdapterSelection;
import io.github.loradjl.torch.TorchOps;

import java.util.Arrays;
import java.util.List;

/**
 * Tells how probable a causal language model finds tokens that are given.
 *
 * <p>Nothing is recorded for gradients. Calls may come from several threads at once, each with the
 * adapters that are active in its thread when it begins.
 */
public final class TokenScorer {

    private final CausalModel model;

    /**
     * Creates a scorer.
     *
     * @param model a loaded model, adapted or not; it stays the caller's
     * @throws IllegalArgumentException if the model's block predicts no tokens
     */
    public TokenScorer(Model model) {
        this.model = CausalModel.of(model);
    }

    /**
     * Computes the logarithm of the probability of the end of each row after its beginning: the sum
     * of those of its tokens, in nats.
     *
     * @param rows token ids; all rows together are one batch
     * @param starts where the end of each row starts, from 1 to the row's length
     * @return the sum of each row; 0 for an empty end
     * @throws IllegalArgumentException if a start is out of its range, no row has an end, or an id
     *     is outside the vocabulary
     */
    public double[] logProbabilities(List<long[]> rows, int[] starts) {
        int width = rows.stream().mapToInt(row -> row.length).max().orElse(0);
        long[] ids = new long[rows.size() * width];
        long[] mask = new long[ids.length];
        long[] labels = new long[ids.length];
        Arrays.fill(labels, TorchOps.IGNORE_INDEX);
        for (int i = 0; i < rows.size(); i++) {
            long[] row = rows.get(i);
            if (starts[i] < 1 || starts[i] > row.length) {
                throw new IllegalArgumentException(
                        "start "
                                + starts[i]
                                + " of row "
                                + i
                                + " is not within 1 and "
                                + row.length
                                + ": at least one token must come before");
            }
            System.arraycopy(row, 0, ids, i * width, row.length);
            Arrays.fill(mask, i * width, i * width + row.length, 1);
            int end = row.length - starts[i];
            System.arraycopy(row, starts[i], labels, i * width + starts[i], end);
        }
        double[] sums = new double[rows.size()];
        try (NDManager manager = model.newManager()) {
            Shape shape = new Shape(rows.size(), width);
            NDList data = new NDList(manager.create(ids, shape), manager.create(mask, shape));
            float[] losses = losses(data, manager.create(labels, shape));
            int next = 0;
            for (int i = 0; i < sums.length; i++) {
                for (int t = starts[i]; t < rows.get(i).length; t++) {
                    sums[i] -= losses[next++];
                }
            }
        }
        return sums;
    }

    /**
     * Computes the loss of each label, the negative logarithm of its probability, in nats.
     *
     * @param data the data of a batch, as the model's {@code forward} takes it
     * @param labels an INT64 array of shape (b, t), not shifted, with {@link TorchOps#IGNORE_INDEX}
     *     where nothing is asked
     * @return the losses of all other labels, row after row
     * @throws IllegalArgumentException if there is no other label, or an id is outside the
     *     vocabulary
     */
    public float[] losses(NDList data, NDArray labels) {
        try (AdapterSelection.Scope adapters = model.pinAdapters();
                NDManager manager = model.newManager()) {
            ParameterStore store = new ParameterStore(manager, false);
            try (NDArray losses = model.block().tokenLosses(store, data, labels)) {
                return losses.toFloatArray();
            }
        }
    }
}

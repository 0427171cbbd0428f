package io.github.loradjl.zoo.text.generate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.torch.TorchOps;

import java.util.Arrays;
import java.util.List;

/**
 * Tokens as arrays, with labels where a model is asked about them.
 *
 * @param data ids and mask, of shape (b, s)
 * @param labels of shape (b, t), or of some rows for each row of the data
 * @param counts the number of tokens asked for in each row of the labels
 */
record AskedTokens(NDList data, NDArray labels, int[] counts) {

    /** Asks a causal model for the end of each row, from its start on. */
    static AskedTokens ofRows(NDManager manager, List<long[]> rows, int[] starts) {
        int[] counts = new int[rows.size()];
        for (int i = 0; i < counts.length; i++) {
            int length = rows.get(i).length;
            if (starts[i] < 1 || starts[i] > length) {
                throw new IllegalArgumentException(
                        "start "
                                + starts[i]
                                + " of row "
                                + i
                                + " is not within 1 and "
                                + length
                                + ": at least one token must come before");
            }
            counts[i] = length - starts[i];
        }
        return new AskedTokens(data(manager, rows), labels(manager, rows, starts), counts);
    }

    /** Asks an encoder with a decoder for answers, as many for each prompt. */
    static AskedTokens ofPairs(NDManager manager, List<long[]> prompts, List<long[]> answers) {
        if (prompts.isEmpty() || answers.size() % prompts.size() != 0) {
            throw new IllegalArgumentException(
                    answers.size()
                            + " answers to "
                            + prompts.size()
                            + " prompts: each needs as many as the others");
        }
        if (prompts.stream().anyMatch(prompt -> prompt.length == 0)) {
            throw new IllegalArgumentException("a prompt has no token for the encoder to read");
        }
        int[] counts = answers.stream().mapToInt(answer -> answer.length).toArray();
        NDArray labels = labels(manager, answers, new int[answers.size()]);
        return new AskedTokens(data(manager, prompts), labels, counts);
    }

    /** Makes ids and mask, padded on the right. */
    static NDList data(NDManager manager, List<long[]> rows) {
        int width = width(rows);
        long[] ids = new long[rows.size() * width];
        long[] mask = new long[ids.length];
        for (int i = 0; i < rows.size(); i++) {
            int length = rows.get(i).length;
            System.arraycopy(rows.get(i), 0, ids, i * width, length);
            Arrays.fill(mask, i * width, i * width + length, 1);
        }
        Shape shape = new Shape(rows.size(), width);
        return new NDList(manager.create(ids, shape), manager.create(mask, shape));
    }

    private static NDArray labels(NDManager manager, List<long[]> rows, int[] starts) {
        int width = width(rows);
        long[] labels = new long[rows.size() * width];
        Arrays.fill(labels, TorchOps.IGNORE_INDEX);
        for (int i = 0; i < rows.size(); i++) {
            int end = rows.get(i).length - starts[i];
            System.arraycopy(rows.get(i), starts[i], labels, i * width + starts[i], end);
        }
        return manager.create(labels, new Shape(rows.size(), width));
    }

    private static int width(List<long[]> rows) {
        return rows.stream().mapToInt(row -> row.length).max().orElse(0);
    }
}

package io.github.loradjl.zoo.text.generate;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;

import io.github.loradjl.adapter.AdapterSelection;
import io.github.loradjl.staged.StagedBlock;
import io.github.loradjl.torch.TorchOps;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Tells how probable a language model finds tokens that are given, and which it finds most probable
 * in their places.
 *
 * <p>A causal model is asked about the ends of rows. An encoder with a decoder is asked about
 * answers to prompts, which it reads apart.
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
     * Tells whether the model reads prompts with an encoder.
     *
     * @return true if it is asked about answers, false if about ends of rows
     */
    public boolean isEncoderDecoder() {
        return model.block().isEncoderDecoder();
    }

    /**
     * Computes the logarithm of the probability of the end of each row after its beginning: the sum
     * of those of its tokens, in nats.
     *
     * @param rows token ids; all rows together are one batch
     * @param starts where the end of each row starts, from 1 to the row's length
     * @return the sum of each row; 0 for an empty end
     * @throws IllegalArgumentException if a start is out of its range, no row has an end, an id is
     *     outside the vocabulary, or the model has an encoder
     */
    public double[] logProbabilities(List<long[]> rows, int[] starts) {
        check(false);
        try (NDManager manager = model.newManager()) {
            return logProbabilities(AskedTokens.ofRows(manager, rows, starts));
        }
    }

    /**
     * Computes the logarithm of the probability of each answer to its prompt: the sum of those of
     * its tokens, in nats. A prompt is read once for all its answers.
     *
     * @param prompts token ids; all prompts together are one batch
     * @param answers token ids; the same number for each prompt, those to the first prompt first
     * @return the sum of each answer
     * @throws IllegalArgumentException if a prompt is empty, the numbers do not fit, an id is
     *     outside the vocabulary, or the model has no encoder
     */
    public double[] logProbabilities(List<long[]> prompts, List<long[]> answers) {
        check(true);
        try (NDManager manager = model.newManager()) {
            return logProbabilities(AskedTokens.ofPairs(manager, prompts, answers));
        }
    }

    private double[] logProbabilities(AskedTokens asked) {
        float[] losses = losses(asked.data(), asked.labels());
        double[] sums = new double[asked.counts().length];
        int next = 0;
        for (int i = 0; i < sums.length; i++) {
            for (int t = 0; t < asked.counts()[i]; t++) {
                sums[i] -= losses[next++];
            }
        }
        return sums;
    }

    /**
     * Finds the most probable token in each place of the end of each row, after the tokens of the
     * row itself. The logits of whole rows are held meanwhile.
     *
     * @param rows token ids; all rows together are one batch
     * @param starts where the end of each row starts, from 1 to the row's length
     * @return a token for each place of each end
     * @throws IllegalArgumentException as for {@link #logProbabilities(List, int[])}
     * @throws IllegalStateException if the model predicts NaN
     */
    public List<long[]> likeliest(List<long[]> rows, int[] starts) {
        check(false);
        try (NDManager manager = model.newManager()) {
            return likeliest(AskedTokens.ofRows(manager, rows, starts));
        }
    }

    /**
     * Finds the most probable token in each place of each answer, after the tokens of the answer
     * itself.
     *
     * @param prompts token ids; all prompts together are one batch
     * @param answers token ids, one answer for each prompt
     * @return a token for each place of each answer
     * @throws IllegalArgumentException as for {@link #logProbabilities(List, List)}
     * @throws IllegalStateException if the model predicts NaN
     */
    public List<long[]> likeliest(List<long[]> prompts, List<long[]> answers) {
        check(true);
        if (prompts.size() != answers.size()) {
            throw new IllegalArgumentException(
                    answers.size() + " answers to " + prompts.size() + " prompts: one for each");
        }
        try (NDManager manager = model.newManager()) {
            return likeliest(AskedTokens.ofPairs(manager, prompts, answers));
        }
    }

    private List<long[]> likeliest(AskedTokens asked) {
        long[] all;
        NDList labels = new NDList(asked.labels());
        NDList data =
                model.block() instanceof StagedBlock staged
                        ? staged.withLabels(asked.data(), labels)
                        : asked.data();
        try (AdapterSelection.Scope adapters = model.pinAdapters();
                NDManager manager = model.newManager();
                NDList logits =
                        model.block().forward(new ParameterStore(manager, false), data, false);
                NDList rows = rows(logits.head(), asked.labels());
                NDArray likeliest = rows.get(0).argMax(1)) {
            if (!Double.isFinite(TorchOps.squareSum(rows.get(0)))) {
                throw new IllegalStateException(
                        "the model predicts NaN or infinity; its weights or its adapter are"
                                + " broken");
            }
            all = likeliest.toLongArray();
        }
        List<long[]> result = new ArrayList<>();
        int from = 0;
        for (int count : asked.counts()) {
            result.add(Arrays.copyOfRange(all, from, from + count));
            from += count;
        }
        return result;
    }

    private NDList rows(NDArray logits, NDArray labels) {
        return isEncoderDecoder()
                ? TorchOps.labelledRows(logits, labels)
                : TorchOps.nextTokenRows(logits, labels);
    }

    private void check(boolean encoderDecoder) {
        if (encoderDecoder != isEncoderDecoder()) {
            throw new IllegalArgumentException(
                    encoderDecoder
                            ? "a causal model has no encoder for prompts: give rows and their"
                                    + " starts"
                            : "an encoder with a decoder reads apart what is asked and answered:"
                                    + " give prompts and answers");
        }
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

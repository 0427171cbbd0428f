package io.github.loradjl.zoo.text.generate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;

import io.github.loradjl.torch.DecodingOps;
import io.github.loradjl.torch.TorchOps;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A batch of texts that a model writes, one row for each: what it has read of them so far, and the
 * tokens that it reads next.
 *
 * <p>A causal model reads prompts itself, padded on the left; an encoder reads them padded on the
 * right, and each row then begins with the token that begins a text. Which token pads does not
 * matter, as nothing sees it.
 */
final class Decoding {

    private final AutoregressiveBlock block;
    private final NDManager manager;
    private final ParameterStore store;
    private final KeyValueCache cache;
    // The number of the prompt that each row follows.
    private int[] prompts;
    private long[] next;

    /**
     * Begins one row for each prompt.
     *
     * @param block the model
     * @param manager the manager that owns the cache
     * @param prompts token ids, at least one in each
     * @param newTokens the largest number of tokens behind each prompt
     */
    Decoding(AutoregressiveBlock block, NDManager manager, List<long[]> prompts, int newTokens) {
        this.block = block;
        this.manager = manager;
        this.prompts = IntStream.range(0, prompts.size()).toArray();
        store = new ParameterStore(manager, false);
        int longest = prompts.stream().mapToInt(prompt -> prompt.length).max().orElseThrow();
        int capacity = newTokens + (block.isEncoderDecoder() ? 0 : longest);
        cache = block.newCache(manager, prompts.size(), capacity);
        next = block.isEncoderDecoder() ? encode(prompts) : padLeft(prompts, longest);
    }

    private long[] encode(List<long[]> prompts) {
        long[] starts = new long[prompts.size()];
        try (NDList data = AskedTokens.data(manager, prompts)) {
            Arrays.fill(starts, block.readPrompts(store, data.get(0), data.get(1), cache));
        }
        return starts;
    }

    private long[] padLeft(List<long[]> prompts, int width) {
        cache.setPadding(prompts.stream().mapToInt(prompt -> width - prompt.length).toArray());
        long[] ids = new long[prompts.size() * width];
        for (int i = 0; i < prompts.size(); i++) {
            long[] prompt = prompts.get(i);
            System.arraycopy(prompt, 0, ids, (i + 1) * width - prompt.length, prompt.length);
        }
        return ids;
    }

    /**
     * Reads the next tokens.
     *
     * @return the logits of those behind them, a float32 array of shape (rows, vocabulary)
     */
    NDArray logits() {
        try (NDArray logits = read()) {
            return TorchOps.toFloat32(logits);
        }
    }

    /**
     * Reads the next tokens.
     *
     * @return for each row the token behind them that is most probable
     * @throws IllegalStateException if the model predicts NaN
     */
    long[] mostProbable() {
        try (NDArray logits = read();
                NDList largest = DecodingOps.largest(logits)) {
            for (float logit : largest.get(0).toFloatArray()) {
                TokenSampler.checkNumber(logit);
            }
            return largest.get(1).toLongArray();
        }
    }

    private NDArray read() {
        Shape shape = new Shape(prompts.length, next.length / prompts.length);
        try (NDArray ids = manager.create(next, shape)) {
            return block.nextLogits(store, ids, cache);
        }
    }

    /**
     * Chooses the tokens to read next.
     *
     * @param ids one for each row
     */
    void append(long[] ids) {
        next = ids;
    }

    /**
     * Keeps some rows and forgets the others.
     *
     * @param rows the rows to keep, in their new order; a row may be kept several times
     */
    void keepRows(int[] rows) {
        int[] kept = Arrays.stream(rows).map(row -> prompts[row]).toArray();
        if (!Arrays.equals(kept, prompts)) {
            cache.keepRows(rows);
        } else if (!Arrays.equals(rows, IntStream.range(0, rows.length).toArray())) {
            cache.moveRows(rows);
        }
        prompts = kept;
    }
}

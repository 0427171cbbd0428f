package io.github.loradjl.examples.pretrain;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.zoo.text.CausalLmLoss;
import io.github.loradjl.zoo.text.TextTokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.function.Function;

/**
 * Endless batches of new stories for pretraining, one in a row, those of similar length together.
 */
final class StoryBatches {

    /** So many batches are made at once, each of rows of similar length. */
    static final int POOL = 8;

    private final SmallModel model;
    private final StoryGrammar grammar;
    private final TextTokenizer tokenizer;
    private final int rows;
    private final Random random;
    private final List<List<SmallModel.Row>> ready = new ArrayList<>();
    private long stories;

    /**
     * A batch.
     *
     * @param data the data of the model, padded on the right
     * @param labels one array of shape (b, t), ignored where the padding is
     * @param tokens the number of tokens that are read or written, padding left out
     * @param targets the number of tokens that are predicted
     */
    record StoryBatch(NDList data, NDList labels, int tokens, int targets) {}

    StoryBatches(SmallModel model, TextTokenizer tokenizer, int rows, long seed) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.rows = rows;
        grammar = new StoryGrammar(seed);
        random = new Random(seed);
        // Far from the numbers of other streams.
        stories = seed << 32;
    }

    StoryBatch next(NDManager manager) {
        if (ready.isEmpty()) {
            fillPool();
        }
        return stack(ready.remove(ready.size() - 1), manager);
    }

    private void fillPool() {
        List<SmallModel.Row> pool = new ArrayList<>();
        for (int i = 0; i < POOL * rows; i++) {
            pool.add(model.row(grammar.next().text(), tokenizer, stories++));
        }
        pool.sort(Comparator.comparingInt(row -> row.input().length));
        for (int i = 0; i < POOL; i++) {
            ready.add(pool.subList(i * rows, (i + 1) * rows));
        }
        Collections.shuffle(ready, random);
    }

    private StoryBatch stack(List<SmallModel.Row> batch, NDManager manager) {
        long pad = tokenizer.getPadId().orElseThrow();
        NDArray ids = stack(batch, SmallModel.Row::input, pad, manager);
        NDArray mask = stack(batch, row -> ones(row.input().length), 0, manager);
        NDArray labels = stack(batch, SmallModel.Row::labels, CausalLmLoss.IGNORE_INDEX, manager);
        int tokens = batch.stream().mapToInt(SmallModel.Row::tokens).sum();
        int targets = batch.stream().mapToInt(SmallModel.Row::targets).sum();
        return new StoryBatch(model.data(ids, mask), new NDList(labels), tokens, targets);
    }

    private static long[] ones(int length) {
        long[] ones = new long[length];
        Arrays.fill(ones, 1);
        return ones;
    }

    private static NDArray stack(
            List<SmallModel.Row> batch,
            Function<SmallModel.Row, long[]> part,
            long filler,
            NDManager manager) {
        List<long[]> parts = batch.stream().map(part).toList();
        int length = parts.stream().mapToInt(ids -> ids.length).max().orElseThrow();
        long[] all = new long[parts.size() * length];
        Arrays.fill(all, filler);
        for (int row = 0; row < parts.size(); row++) {
            System.arraycopy(parts.get(row), 0, all, row * length, parts.get(row).length);
        }
        return manager.create(all, new Shape(parts.size(), length));
    }
}

package io.github.loradjl.examples.pretrain;

import ai.djl.ndarray.NDArray;
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

/**
 * Endless batches of new stories for pretraining, one story in a row between {@code <s>} and {@code
 * </s>}, stories of similar length together.
 */
final class StoryBatches {

    private static final int POOL = 8;

    private final StoryGrammar grammar;
    private final TextTokenizer tokenizer;
    private final int rows;
    private final Random random;
    private final List<List<long[]>> ready = new ArrayList<>();

    /**
     * A batch.
     *
     * @param ids token ids of shape (b, t), padded on the right
     * @param labels the same, ignored where the padding is
     * @param tokens the number of tokens, padding left out
     */
    record StoryBatch(NDArray ids, NDArray labels, int tokens) {}

    StoryBatches(StoryGrammar grammar, TextTokenizer tokenizer, int rows, long seed) {
        this.grammar = grammar;
        this.tokenizer = tokenizer;
        this.rows = rows;
        random = new Random(seed);
    }

    StoryBatch next(NDManager manager) {
        if (ready.isEmpty()) {
            fillPool();
        }
        return stack(ready.remove(ready.size() - 1), manager);
    }

    private void fillPool() {
        List<long[]> stories = new ArrayList<>();
        long eos = tokenizer.getEosId().orElseThrow();
        for (int i = 0; i < POOL * rows; i++) {
            long[] ids = tokenizer.encode(grammar.next().text());
            long[] ended = Arrays.copyOf(ids, ids.length + 1);
            ended[ids.length] = eos;
            stories.add(ended);
        }
        stories.sort(Comparator.comparingInt(ids -> ids.length));
        for (int i = 0; i < POOL; i++) {
            ready.add(stories.subList(i * rows, (i + 1) * rows));
        }
        Collections.shuffle(ready, random);
    }

    private StoryBatch stack(List<long[]> stories, NDManager manager) {
        int length = stories.get(rows - 1).length;
        long[] ids = new long[rows * length];
        long[] labels = new long[rows * length];
        Arrays.fill(ids, tokenizer.getPadId().orElseThrow());
        Arrays.fill(labels, CausalLmLoss.IGNORE_INDEX);
        int tokens = 0;
        for (int row = 0; row < rows; row++) {
            long[] story = stories.get(row);
            System.arraycopy(story, 0, ids, row * length, story.length);
            System.arraycopy(story, 0, labels, row * length, story.length);
            tokens += story.length;
        }
        Shape shape = new Shape(rows, length);
        return new StoryBatch(manager.create(ids, shape), manager.create(labels, shape), tokens);
    }
}

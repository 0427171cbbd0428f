package io.github.loradjl.zoo.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Says which rows make which batch.
 *
 * <p>Shuffled batches group rows of similar length, because a batch is as long as its longest row:
 * the rows are permuted, sorted by length within chunks of {@value #CHUNK} batches, and the batches
 * permuted again. Chunks keep the grouping from making every epoch alike.
 */
final class BatchOrder {

    private static final int CHUNK = 50;

    private BatchOrder() {}

    static List<int[]> inOrder(int rows, int batchSize) {
        return cut(range(rows), batchSize);
    }

    static List<int[]> shuffled(List<TokenRow> rows, int batchSize, long seed, int epoch) {
        // Epochs draw from streams of their own, so that any one can be made without the others.
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < epoch; i++) {
            random.split();
        }
        random = random.split();
        int[] order = range(rows.size());
        shuffle(order, random);
        List<int[]> batches = new ArrayList<>();
        for (int[] chunk : cut(order, (int) Math.min(rows.size(), (long) CHUNK * batchSize))) {
            List<Integer> byLength = new ArrayList<>(Arrays.stream(chunk).boxed().toList());
            byLength.sort(Comparator.comparingInt(row -> rows.get(row).ids().length));
            batches.addAll(cut(byLength.stream().mapToInt(Integer::intValue).toArray(), batchSize));
        }
        int[] turns = range(batches.size());
        shuffle(turns, random);
        List<int[]> result = new ArrayList<>(Collections.nCopies(turns.length, null));
        for (int i = 0; i < turns.length; i++) {
            result.set(i, batches.get(turns[i]));
        }
        return result;
    }

    /** Draws the given number of rows, in ascending order. */
    static int[] sample(int rows, int number, long seed) {
        int[] order = range(rows);
        shuffle(order, new SplittableRandom(seed));
        int[] sample = Arrays.copyOf(order, number);
        Arrays.sort(sample);
        return sample;
    }

    private static int[] range(int n) {
        int[] range = new int[n];
        Arrays.setAll(range, i -> i);
        return range;
    }

    private static void shuffle(int[] values, SplittableRandom random) {
        for (int i = values.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int value = values[i];
            values[i] = values[j];
            values[j] = value;
        }
    }

    private static List<int[]> cut(int[] values, int size) {
        List<int[]> parts = new ArrayList<>();
        for (int from = 0; from < values.length; from += size) {
            parts.add(Arrays.copyOfRange(values, from, Math.min(values.length, from + size)));
        }
        return parts;
    }
}

package io.github.loradjl.zoo.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

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

    static List<int[]> inOrder(int[] turns, int batchSize) {
        return cut(turns, batchSize);
    }

    /**
     * Gives each row its turns in an epoch, in the order of the rows: as many as its source's
     * weight says, where a fraction is a draw of that share of the source's rows.
     */
    static int[] turns(TokenRows rows, double[] weights, long seed, int epoch) {
        int[] drawn = range(rows.size());
        SplittableRandom random = stream(seed, epoch).split();
        shuffle(drawn, random);
        int[] sizes = new int[weights.length];
        for (int row : drawn) {
            sizes[rows.source(row)]++;
        }
        int[] extra = new int[weights.length];
        for (int source = 0; source < weights.length; source++) {
            extra[source] = (int) Math.round((weights[source] % 1) * sizes[source]);
        }
        int[] times = new int[rows.size()];
        for (int row : drawn) {
            int source = rows.source(row);
            times[row] = (int) weights[source] + (extra[source]-- > 0 ? 1 : 0);
        }
        return IntStream.range(0, rows.size())
                .flatMap(row -> IntStream.generate(() -> row).limit(times[row]))
                .toArray();
    }

    /** Epochs draw from streams of their own, so that any one can be made without the others. */
    private static SplittableRandom stream(long seed, int epoch) {
        // Each step mixes its seed, so that neighbouring epochs have nothing in common.
        long start = new SplittableRandom(seed).nextLong() + epoch;
        return new SplittableRandom(new SplittableRandom(start).nextLong());
    }

    static List<int[]> shuffled(TokenRows rows, int[] turns, int batchSize, long seed, int epoch) {
        SplittableRandom random = stream(seed, epoch);
        int[] order = turns.clone();
        shuffle(order, random);
        List<int[]> batches = new ArrayList<>();
        for (int[] chunk : cut(order, (int) Math.min(order.length, (long) CHUNK * batchSize))) {
            List<Integer> byLength = new ArrayList<>(Arrays.stream(chunk).boxed().toList());
            byLength.sort(Comparator.comparingInt(rows::length));
            batches.addAll(cut(byLength.stream().mapToInt(Integer::intValue).toArray(), batchSize));
        }
        int[] places = range(batches.size());
        shuffle(places, random);
        List<int[]> result = new ArrayList<>(Collections.nCopies(places.length, null));
        for (int i = 0; i < places.length; i++) {
            result.set(i, batches.get(places[i]));
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

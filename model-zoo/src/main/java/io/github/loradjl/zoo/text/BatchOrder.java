package io.github.loradjl.zoo.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Says which rows make which batch of an epoch, from the seed and the epoch's number alone.
 *
 * <p>Shuffled batches group rows of similar length, because a batch is as long as its longest row:
 * the rows are permuted, sorted by length within chunks of {@value #CHUNK} batches, and the batches
 * permuted again. Chunks keep the grouping from making every epoch alike.
 *
 * @param batchSize the sequences of a batch
 * @param shuffle whether each epoch has an order of its own
 * @param lengthGroups whether rows of similar length are put together when shuffled
 * @param packedLength the tokens of a sequence that several rows share; 0 for one row each
 * @param seed the seed of the shuffling
 */
record BatchOrder(
        int batchSize, boolean shuffle, boolean lengthGroups, int packedLength, long seed) {

    private static final int CHUNK = 50;

    /** Returns the same order without shuffling. */
    BatchOrder unshuffled() {
        return new BatchOrder(batchSize, false, lengthGroups, packedLength, seed);
    }

    /** Returns the same order from another seed. */
    BatchOrder withSeed(long other) {
        return new BatchOrder(batchSize, shuffle, lengthGroups, packedLength, other);
    }

    /** Makes the batches of an epoch. */
    EpochOrder epoch(TokenRows rows, double[] weights, int epoch) {
        int[] turns = turns(rows, weights, epoch);
        SplittableRandom random = stream(epoch);
        if (shuffle) {
            shuffle(turns, random);
        }
        if (packedLength > 0) {
            int[][] packed = Packing.pack(turns, rows::length, packedLength);
            int[] order = range(packed.length);
            if (shuffle) {
                shuffle(order, random);
            }
            return new EpochOrder(rows, cut(order, batchSize), packed);
        }
        boolean grouped = shuffle && lengthGroups;
        return new EpochOrder(
                rows, grouped ? grouped(rows, turns, random) : cut(turns, batchSize), null);
    }

    /**
     * Gives each row its turns in an epoch, in the order of the rows: as many as its source's
     * weight says, where a fraction is a draw of that share of the source's rows.
     */
    private int[] turns(TokenRows rows, double[] weights, int epoch) {
        int[] drawn = range(rows.size());
        SplittableRandom random = stream(epoch).split();
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
    private SplittableRandom stream(int epoch) {
        // Each step mixes its seed, so that neighbouring epochs have nothing in common.
        long start = new SplittableRandom(seed).nextLong() + epoch;
        return new SplittableRandom(new SplittableRandom(start).nextLong());
    }

    private List<int[]> grouped(TokenRows rows, int[] order, SplittableRandom random) {
        List<int[]> batches = new ArrayList<>();
        for (int[] chunk : cut(order, (int) Math.min(order.length, (long) CHUNK * batchSize))) {
            int[] byLength =
                    Arrays.stream(chunk)
                            .boxed()
                            .sorted(Comparator.comparingInt(rows::length))
                            .mapToInt(Integer::intValue)
                            .toArray();
            batches.addAll(cut(byLength, batchSize));
        }
        int[] places = range(batches.size());
        shuffle(places, random);
        return Arrays.stream(places).mapToObj(batches::get).toList();
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
        return IntStream.range(0, n).toArray();
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

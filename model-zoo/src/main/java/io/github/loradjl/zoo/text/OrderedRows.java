package io.github.loradjl.zoo.text;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Rows with the weights of their sources and the order in which they make batches. */
record OrderedRows(TokenRows rows, double[] weights, BatchOrder order) {

    /** Returns the batches of an epoch. */
    EpochOrder epoch(int number) {
        return order.epoch(rows, weights, number);
    }

    /** Returns the same rows in the order of another seed. */
    OrderedRows reordered(long seed) {
        return new OrderedRows(rows, weights, order.withSeed(seed));
    }

    /** Returns the rows to train on and, never shuffled, the given share of them held out. */
    List<OrderedRows> split(double fraction, long seed) {
        int held = (int) Math.max(1, Math.round(fraction * rows.size()));
        if (!(fraction > 0 && fraction < 1) || held >= rows.size()) {
            throw new IllegalArgumentException(
                    "A share of "
                            + fraction
                            + " does not split "
                            + rows.size()
                            + " rows in two; it must be in (0, 1) and leave rows to train on");
        }
        int[] sample = BatchOrder.sample(rows.size(), held, seed);
        int[] rest =
                IntStream.range(0, rows.size())
                        .filter(row -> Arrays.binarySearch(sample, row) < 0)
                        .toArray();
        return List.of(
                new OrderedRows(rows.select(rest), weights, order),
                new OrderedRows(rows.select(sample), weights, order.unshuffled()));
    }

    /** Returns the rows of the first batches in the order of the files, each once. */
    OrderedRows first(int batches) {
        EpochOrder all = inOrder();
        int available = all.batches().size();
        if (batches < 1 || batches > available) {
            throw new IllegalArgumentException(
                    batches
                            + " batches are asked for calibration; there are "
                            + available
                            + " of "
                            + order.batchSize()
                            + (all.isPacked() ? " sequences" : " rows"));
        }
        // Packed again, the rows of whole sequences make the same sequences.
        int[] chosen =
                all.batches().subList(0, batches).stream()
                        .flatMapToInt(Arrays::stream)
                        .flatMap(sequence -> Arrays.stream(all.rowsOf(sequence)))
                        .sorted()
                        .toArray();
        return new OrderedRows(rows.select(chosen), once(), order.unshuffled());
    }

    /** Returns the batches in the order of the files, with each row once. */
    EpochOrder inOrder() {
        return order.unshuffled().epoch(rows, once(), 0);
    }

    private double[] once() {
        double[] once = new double[weights.length];
        Arrays.fill(once, 1);
        return once;
    }
}

package io.github.loradjl.zoo.text;

import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/**
 * The batches of one epoch, each given by the numbers of its sequences. A sequence is one row of
 * its own number, or, where {@code packed} is not null, the rows found there under its number.
 */
record EpochOrder(TokenRows rows, List<int[]> batches, int[][] packed) {

    boolean isPacked() {
        return packed != null;
    }

    /** Returns the rows of a sequence. */
    int[] rowsOf(int sequence) {
        return packed == null ? new int[] {sequence} : packed[sequence];
    }

    /** Returns the number of tokens of a sequence. */
    int length(int sequence) {
        return packed == null
                ? rows.length(sequence)
                : Arrays.stream(packed[sequence]).map(rows::length).sum();
    }

    /** Returns the number of tokens of the longest sequence of a batch. */
    int longest(int[] batch) {
        return Arrays.stream(batch).map(this::length).max().orElse(0);
    }

    /** Returns the number of positions of a batch, padding included. */
    long positions(int[] batch) {
        return (long) batch.length * longest(batch);
    }

    /** Returns the batch with the most positions alone. */
    EpochOrder longestBatch() {
        int[] longest = Collections.max(batches, Comparator.comparingLong(this::positions));
        return new EpochOrder(rows, List.of(longest), packed);
    }

    EpochReport report() {
        long sequences = 0;
        long tokens = 0;
        long positions = 0;
        for (int[] batch : batches) {
            sequences += batch.length;
            tokens += Arrays.stream(batch).mapToLong(this::length).sum();
            positions += positions(batch);
        }
        return new EpochReport(batches.size(), sequences, tokens, positions);
    }
}

package io.github.loradjl.zoo.text;

import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntUnaryOperator;

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

    /** Tells whether rows are pairs of what an encoder reads and what the decoder is to write. */
    boolean isPaired() {
        return rows.encoderLength(0) > 0;
    }

    /** Returns the most tokens that the encoder reads of a sequence of a batch. */
    int longestSource(int[] batch) {
        return Arrays.stream(batch).map(rows::encoderLength).max().orElse(0);
    }

    /** Returns the most tokens of a sequence of a batch, without those that the encoder reads. */
    int longestTarget(int[] batch) {
        IntUnaryOperator target =
                isPaired() ? row -> rows.length(row) - rows.encoderLength(row) : this::length;
        return Arrays.stream(batch).map(target).max().orElse(0);
    }

    /** Returns the number of positions of a batch, padding included. */
    long positions(int[] batch) {
        int source = isPaired() ? longestSource(batch) : 0;
        return (long) batch.length * (source + longestTarget(batch));
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

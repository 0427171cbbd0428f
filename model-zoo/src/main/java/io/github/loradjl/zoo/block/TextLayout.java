package io.github.loradjl.zoo.block;

import ai.djl.ndarray.NDArray;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Where the tokens of a batch are: its texts without their padding, one behind another.
 *
 * <p>A model computes on these alone. What is padded costs nothing, texts that share a row do not
 * see each other, and attention needs no mask.
 *
 * @param lengths the length of each text
 * @param kept for each token its place in the batch, row by row, or null where all tokens of the
 *     batch stand in their order already
 */
public record TextLayout(long[] lengths, long[] kept) {

    /**
     * Reads a mask.
     *
     * @param mask an INT64 array of shape (b, t): zero at padding, elsewhere 1 or the number of the
     *     text in its row
     * @return the layout; that of {@link #full} where there is nothing but padding
     */
    public static TextLayout of(NDArray mask) {
        int rows = (int) mask.getShape().get(0);
        int columns = (int) mask.getShape().get(1);
        long[] numbers = mask.toLongArray();
        long[] kept = new long[numbers.length];
        List<Integer> lengths = new ArrayList<>();
        int count = 0;
        for (int row = 0; row < rows; row++) {
            int from = row * columns;
            long[] texts =
                    Arrays.stream(numbers, from, from + columns)
                            .filter(number -> number != 0)
                            .distinct()
                            .toArray();
            for (long text : texts) {
                int before = count;
                for (int i = from; i < from + columns; i++) {
                    if (numbers[i] == text) {
                        kept[count++] = i;
                    }
                }
                lengths.add(count - before);
            }
        }
        if (count == 0) {
            return full(rows, columns);
        }
        long[] all = lengths.stream().mapToLong(Integer::longValue).toArray();
        return new TextLayout(all, isOrdered(kept, count) ? null : Arrays.copyOf(kept, count));
    }

    private static boolean isOrdered(long[] kept, int count) {
        if (count < kept.length) {
            return false;
        }
        for (int i = 0; i < count; i++) {
            if (kept[i] != i) {
                return false;
            }
        }
        return true;
    }

    /**
     * Describes rows without padding, each of one text.
     *
     * @param rows the number of rows
     * @param columns their length
     * @return the layout
     */
    public static TextLayout full(long rows, long columns) {
        long[] lengths = new long[(int) rows];
        Arrays.fill(lengths, columns);
        return new TextLayout(lengths, null);
    }
}

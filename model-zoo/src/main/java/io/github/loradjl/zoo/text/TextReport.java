package io.github.loradjl.zoo.text;

import java.util.Arrays;
import java.util.Collections;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * What became of the texts of a {@link TextDataset}.
 *
 * @param rows the rows that are trained on
 * @param tokens their tokens, without padding
 * @param keptLabels the tokens that are learnt, out of these
 * @param truncatedRows the rows that were cut to the maximum length
 * @param truncatedTokens the tokens cut off from them
 * @param truncatedLabels the tokens that would have been learnt, out of these
 * @param droppedRows the rows left out because nothing to learn was left of them within the maximum
 *     length, or because a text to leave spans out of has fewer than two tokens
 * @param straddlingRows the rows where a token stands across the end of the prompt, so that the
 *     prompt alone is tokenised differently; a prompt format that ends otherwise helps
 * @param lengths the tokens of a row, for an encoder with a decoder those of both, at the
 *     percentiles 5, 25, 50, 75, 95 and 100: so many percent of the rows are not longer
 */
public record TextReport(
        long rows,
        long tokens,
        long keptLabels,
        long truncatedRows,
        long truncatedTokens,
        long truncatedLabels,
        long droppedRows,
        long straddlingRows,
        SortedMap<Integer, Integer> lengths) {

    private static final int[] PERCENTILES = {5, 25, 50, 75, 95, 100};

    /**
     * Creates a report.
     *
     * @param rows the rows
     * @param tokens their tokens
     * @param keptLabels the tokens that are learnt
     * @param truncatedRows the rows that were cut
     * @param truncatedTokens the tokens cut off
     * @param truncatedLabels the tokens that would have been learnt
     * @param droppedRows the rows left out
     * @param straddlingRows the rows with a token across the end of the prompt
     * @param lengths the tokens of a row by percentile
     */
    public TextReport {
        lengths = Collections.unmodifiableSortedMap(new TreeMap<>(lengths));
    }

    static TextReport of(TokenRows rows, long droppedRows) {
        long tokens = 0;
        long kept = 0;
        long truncatedRows = 0;
        long truncatedTokens = 0;
        long truncatedLabels = 0;
        long straddling = 0;
        for (int i = 0; i < rows.size(); i++) {
            TokenRow row = rows.get(i);
            tokens += row.ids().length;
            kept += row.kept();
            truncatedRows += row.cut() > 0 ? 1 : 0;
            truncatedTokens += row.cut();
            truncatedLabels += row.cutLabels();
            straddling += row.straddling() ? 1 : 0;
        }
        return new TextReport(
                rows.size(),
                tokens,
                kept,
                truncatedRows,
                truncatedTokens,
                truncatedLabels,
                droppedRows,
                straddling,
                percentiles(IntStream.range(0, rows.size()).map(rows::length).toArray()));
    }

    private static SortedMap<Integer, Integer> percentiles(int[] lengths) {
        Arrays.sort(lengths);
        SortedMap<Integer, Integer> result = new TreeMap<>();
        for (int percentile : PERCENTILES) {
            long place = (percentile * (long) lengths.length + 99) / 100;
            result.put(percentile, lengths[(int) place - 1]);
        }
        return result;
    }

    /**
     * Returns how much is read but not learnt.
     *
     * @return the tokens that are not learnt as a share of all
     */
    public double maskedShare() {
        return 1 - (double) keptLabels / tokens;
    }

    /** Returns whether something was cut off or left out. */
    boolean hasLosses() {
        return truncatedRows > 0 || droppedRows > 0 || straddlingRows > 0;
    }

    /** Returns one line for a log. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        text.append(
                String.format(
                        Locale.ROOT,
                        "%,d rows, %,d tokens, %,d of them learnt",
                        rows,
                        tokens,
                        keptLabels));
        if (truncatedRows > 0) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            "; %,d rows truncated by %,d tokens, %,d of them to be learnt",
                            truncatedRows,
                            truncatedTokens,
                            truncatedLabels));
        }
        if (droppedRows > 0) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            "; %,d rows dropped, nothing to learn in them",
                            droppedRows));
        }
        if (straddlingRows > 0) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            "; %,d rows with a token across the end of the prompt",
                            straddlingRows));
        }
        return text.toString();
    }
}

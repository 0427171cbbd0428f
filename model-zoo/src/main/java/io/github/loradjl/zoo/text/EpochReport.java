package io.github.loradjl.zoo.text;

import java.util.Locale;

/**
 * What the batches of one epoch of a {@link TextDataset} hold.
 *
 * @param batches the batches
 * @param sequences their sequences: rows, or several rows packed into one
 * @param tokens the tokens in them
 * @param positions the tokens and the padding between them and the end of the longest sequence of
 *     their batch, which is what a model computes; what an encoder reads and what the decoder is to
 *     write are padded apart
 */
public record EpochReport(long batches, long sequences, long tokens, long positions) {

    /**
     * Returns how much of the batches is not padding.
     *
     * @return the tokens as a share of the positions
     */
    public double filledShare() {
        return (double) tokens / positions;
    }

    /** Returns one line for a log. */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%,d batches of %,d sequences, %.1f%% of %,d positions filled",
                batches,
                sequences,
                100 * filledShare(),
                positions);
    }
}

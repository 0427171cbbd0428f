package io.github.loradjl.zoo.text;

import java.util.Arrays;

/**
 * One tokenised row: a text, or what an encoder reads followed by what the decoder is to write.
 *
 * @param ids the tokens to keep
 * @param learnt the stretches of tokens to learn, in order: pairs of the first and the one behind
 *     the last, which may lie behind the tokens that are kept
 * @param cut how many tokens were left out to keep the length
 * @param straddling whether a token stands across the beginning of what is learnt
 * @param encoderLength how many of the first tokens an encoder reads; 0 without an encoder
 */
record TokenRow(int[] ids, int[] learnt, int cut, boolean straddling, int encoderLength) {

    static TokenRow of(int[] ids, int masked, boolean straddling, int maxLength) {
        return of(ids, new int[] {masked, ids.length}, straddling, maxLength);
    }

    static TokenRow of(int[] ids, int[] learnt, boolean straddling, int maxLength) {
        int length = Math.min(ids.length, maxLength);
        return new TokenRow(Arrays.copyOf(ids, length), learnt, ids.length - length, straddling, 0);
    }

    /**
     * Joins both sides of a row for an encoder with a decoder.
     *
     * @param source the tokens to keep for the encoder
     * @param target all tokens for the decoder, which are learnt
     * @param maxTargetLength the most of them to keep
     * @param cut how many tokens of the source were left out
     */
    static TokenRow paired(int[] source, int[] target, int maxTargetLength, int cut) {
        int length = Math.min(target.length, maxTargetLength);
        int[] ids = Arrays.copyOf(source, source.length + length);
        System.arraycopy(target, 0, ids, source.length, length);
        return new TokenRow(
                ids,
                new int[] {source.length, source.length + target.length},
                cut + target.length - length,
                false,
                source.length);
    }

    /** Returns the number of tokens to learn; nothing predicts the first one. */
    int kept() {
        int kept = 0;
        for (int i = 0; i < learnt.length; i += 2) {
            kept += Math.max(0, Math.min(ids.length, learnt[i + 1]) - Math.max(1, learnt[i]));
        }
        return kept;
    }

    /** Returns the number of tokens to learn among those that were left out. */
    int cutLabels() {
        int cutLabels = 0;
        for (int i = 0; i < learnt.length; i += 2) {
            cutLabels += Math.max(0, learnt[i + 1] - Math.max(ids.length, learnt[i]));
        }
        return cutLabels;
    }

    /** Writes the tokens to learn to their places in an array of labels. */
    void label(long[] labels, int offset) {
        for (int i = 0; i < learnt.length; i += 2) {
            for (int t = learnt[i]; t < Math.min(ids.length, learnt[i + 1]); t++) {
                labels[offset + t] = ids[t];
            }
        }
    }
}

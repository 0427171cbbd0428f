package io.github.loradjl.zoo.text;

import java.util.Arrays;

/**
 * One tokenised row.
 *
 * @param ids the tokens to keep
 * @param learnt the stretches of tokens to learn, in order: pairs of the first and the one behind
 *     the last, which may lie behind the tokens that are kept
 * @param cut how many tokens were left out at the end to keep the length
 * @param straddling whether a token stands across the beginning of what is learnt
 */
record TokenRow(int[] ids, int[] learnt, int cut, boolean straddling) {

    static TokenRow of(int[] ids, int masked, boolean straddling, int maxLength) {
        return of(ids, new int[] {masked, ids.length}, straddling, maxLength);
    }

    static TokenRow of(int[] ids, int[] learnt, boolean straddling, int maxLength) {
        int length = Math.min(ids.length, maxLength);
        return new TokenRow(Arrays.copyOf(ids, length), learnt, ids.length - length, straddling);
    }

    /** Returns the number of tokens to learn; nothing predicts the first one. */
    int kept() {
        int kept = 0;
        for (int i = 0; i < learnt.length; i += 2) {
            kept += Math.max(0, Math.min(ids.length, learnt[i + 1]) - Math.max(1, learnt[i]));
        }
        return kept;
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

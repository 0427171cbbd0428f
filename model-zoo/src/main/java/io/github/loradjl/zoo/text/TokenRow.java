package io.github.loradjl.zoo.text;

import java.util.Arrays;

/**
 * One tokenised row.
 *
 * @param ids the tokens to keep
 * @param masked how many of the first are not to be learnt
 * @param cut how many tokens were left out at the end to keep the length
 * @param straddling whether a token stands across the end of the prompt
 */
record TokenRow(int[] ids, int masked, int cut, boolean straddling) {

    static TokenRow of(int[] ids, int masked, boolean straddling, int maxLength) {
        int length = Math.min(ids.length, maxLength);
        return new TokenRow(Arrays.copyOf(ids, length), masked, ids.length - length, straddling);
    }

    /** Returns the number of tokens to learn; nothing predicts the first one. */
    int kept() {
        return Math.max(0, ids.length - Math.max(1, masked));
    }
}

package io.github.loradjl.examples.config;

import java.util.Collection;

/** Finds the name that was probably meant. */
public final class Nearest {

    private Nearest() {}

    /**
     * Asks whether another name was meant.
     *
     * @param name the name that is not known
     * @param known the known names
     * @return {@code "; did you mean X?"}, or nothing if no known name is near
     */
    public static String question(String name, Collection<String> known) {
        String best = null;
        // A third of the letters may be wrong.
        int limit = Math.max(1, name.length() / 3) + 1;
        for (String candidate : known) {
            int distance = distance(name, candidate);
            if (distance < limit) {
                limit = distance;
                best = candidate;
            }
        }
        return best == null ? "" : "; did you mean " + best + "?";
    }

    /** Returns Levenshtein's distance: how many letters to insert, delete or replace. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}

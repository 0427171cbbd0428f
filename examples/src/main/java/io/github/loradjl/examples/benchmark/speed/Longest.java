package io.github.loradjl.examples.benchmark.speed;

import java.io.IOException;

/**
 * The largest batch whose training stays within a limit of memory.
 *
 * @param rows its rows; 0 where a single one is too many
 * @param peak the highest resident memory with them in megabytes; 0 where there are none
 * @param above that with one row more; NaN where the most rows fit that were allowed
 */
record Longest(int rows, double peak, double above) {

    /** Measures a batch. */
    interface Trial {

        /** Returns the highest resident memory in megabytes of a new process that trains rows. */
        double peak(int rows) throws IOException;
    }

    /**
     * Searches for rows that fit where one more does not. Memory grows about linearly, so that each
     * trial is made where the line through two others meets the limit, at most at twice the rows of
     * the last that fitted. Where it falls somewhere, still more rows may fit than are found.
     *
     * @param most the most rows to try
     * @param limit the megabytes
     * @param trial measures a batch
     */
    static Longest search(int most, double limit, Trial trial) throws IOException {
        int low = 0;
        int high = most + 1;
        double below = 0;
        double above = Double.NaN;
        int next = 1;
        while (high - low > 1) {
            double peak = trial.peak(next);
            double slope;
            if (peak <= limit) {
                slope =
                        high > most
                                ? (peak - below) / (next - low)
                                : (above - peak) / (high - next);
                low = next;
                below = peak;
            } else {
                slope = (peak - below) / (next - low);
                high = next;
                above = peak;
            }
            // What the first row takes is mostly the model, and says nothing of the second.
            int step = low <= 1 && high > most ? 1 : step(limit - below, slope, low);
            next = Math.max(low + 1, Math.min(low + step, high - 1));
        }
        return new Longest(low, below, above);
    }

    private static int step(double room, double slope, int most) {
        return slope > 0 ? (int) Math.min(room / slope, most) : most;
    }
}

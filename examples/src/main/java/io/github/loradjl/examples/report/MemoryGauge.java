package io.github.loradjl.examples.report;

import java.io.IOException;

/**
 * Measures the resident memory that a piece of work takes at its highest, beside what was in use
 * before. Memory that an earlier piece has freed is given back first.
 */
public final class MemoryGauge {

    private long before = -1;

    /** Creates a gauge. */
    public MemoryGauge() {}

    /** Begins a piece of work. */
    public void begin() {
        System.gc();
        NativeHeap.trim();
        try {
            ResidentMemory.resetPeak();
            before = ResidentMemory.now();
        } catch (IOException e) {
            before = -1; // A system that does not tell.
        }
    }

    /**
     * Returns what the work has taken since {@link #begin} at its highest.
     *
     * @return millions of bytes, or null where the system does not tell
     */
    public Double peakMegabytes() {
        try {
            return before < 0 ? null : (ResidentMemory.peak() - before) / 1e6;
        } catch (IOException e) {
            return null;
        }
    }
}

package io.github.loradjl.zoo.hub;

import ai.djl.util.Progress;

/** Counts what several downloads have received, for one display. */
final class Meter {

    // Null where nobody looks.
    private final Progress progress;
    private long done;

    Meter(Progress progress) {
        this.progress = progress;
    }

    synchronized void start(String what, long bytes) {
        if (progress != null) {
            progress.reset(what, bytes);
            progress.start(0);
        }
    }

    /** Counts bytes; less than none for those that have to come again. */
    synchronized void add(long bytes) {
        done += bytes;
        if (progress != null) {
            progress.update(done);
        }
    }

    synchronized void end() {
        if (progress != null) {
            progress.end();
        }
    }
}

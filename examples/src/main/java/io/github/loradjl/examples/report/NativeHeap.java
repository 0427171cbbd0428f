package io.github.loradjl.examples.report;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Platform;

/**
 * Gives memory that LibTorch has freed back to the system.
 *
 * <p>Batches of different lengths leave holes of different sizes in glibc's heap, which grows for
 * many steps although no more is in use. Trimming now and then keeps it at what a step needs.
 */
public final class NativeHeap {

    private static final C LIBRARY = load();

    private NativeHeap() {}

    /** The C library. */
    private interface C extends Library {

        /** Returns 1 if memory was given back. */
        int malloc_trim(long pad);
    }

    private static C load() {
        if (!Platform.isLinux()) {
            return null;
        }
        try {
            C library = Native.load("c", C.class);
            library.malloc_trim(0); // Fails here, if it must, and not in the midst of a run.
            return library;
        } catch (LinkageError e) {
            return null; // A C library other than glibc, or no place for JNA's own.
        }
    }

    /** Gives free memory back, where the C library can. */
    public static void trim() {
        if (LIBRARY != null) {
            LIBRARY.malloc_trim(0);
        }
    }
}

package io.github.loradjl.examples.command;

import org.jline.utils.Signals;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ends a command in good order when the process is told to stop, as by Ctrl-C: the command looks
 * for it between its steps. One that does not within some seconds, and one that is told a second
 * time, is ended at once; what it writes stands beside its place until it is whole.
 */
public final class Interruption {

    /** What shells report for a command ended by Ctrl-C. */
    static final int EXIT_CODE = 130;

    private static final long PATIENCE_SECONDS = 10;

    private static final CountDownLatch DONE = new CountDownLatch(1);
    private static volatile boolean requested;
    private static volatile boolean waiting;
    private static volatile boolean finishing;

    private Interruption() {}

    /** Starts to listen. */
    public static void install() {
        for (String signal : new String[] {"INT", "TERM"}) {
            Signals.register(signal, Interruption::stop);
        }
    }

    private static void stop() {
        if (requested || waiting) {
            Runtime.getRuntime().halt(EXIT_CODE);
        }
        requested = true;
        if (finishing) {
            System.err.println("lora: stopping when this step is done; Ctrl-C again stops at once");
        }
        try {
            while (!DONE.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                if (!finishing) {
                    Runtime.getRuntime().halt(EXIT_CODE);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Says that the command has ended, one way or the other. */
    public static void finished() {
        DONE.countDown();
    }

    /**
     * Says whether the command waits for input, and so has nothing to end in good order.
     *
     * @param waits true from before it waits, false from after
     */
    public static void setWaiting(boolean waits) {
        waiting = waits;
    }

    /**
     * Says whether the command will look at {@link #isRequested} however long that takes, so that
     * nobody shall lose patience with it.
     *
     * @param finishes true from before, false from after
     */
    public static void setFinishing(boolean finishes) {
        finishing = finishes;
    }

    /**
     * Tells whether the process is told to stop.
     *
     * @return true if so
     */
    public static boolean isRequested() {
        return requested;
    }

    /**
     * Stops the command if the process is told to stop.
     *
     * @throws CancellationException if so
     */
    public static void check() {
        if (requested) {
            throw new CancellationException("interrupted");
        }
    }
}

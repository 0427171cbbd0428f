package io.github.loradjl.examples.command;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ends a command in good order when the process is told to stop, as by Ctrl-C: the command looks
 * for it between its steps, and the process waits until it has let go.
 */
public final class Interruption {

    /** What shells report for a command ended by Ctrl-C. */
    static final int EXIT_CODE = 130;

    /** Enough for a step of a large model, a validation and a checkpoint. */
    private static final long PATIENCE_MINUTES = 30;

    private static final CountDownLatch DONE = new CountDownLatch(1);
    private static volatile boolean requested;
    private static volatile boolean waiting;

    private Interruption() {}

    /** Starts to listen. */
    public static void install() {
        Runtime.getRuntime().addShutdownHook(new Thread(Interruption::await, "lora-interruption"));
    }

    private static void await() {
        requested = true;
        if (waiting) {
            return;
        }
        if (DONE.getCount() > 0) {
            System.err.println("lora: stopping; what is being done is brought to its end first");
        }
        try {
            DONE.await(PATIENCE_MINUTES, TimeUnit.MINUTES);
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

package io.github.loradjl.examples.command;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ends a command in good order when the process is told to stop, as by Ctrl-C: the command looks
 * for it between its steps, and the process waits until it has let go.
 */
public final class Interruption {

    private static final long PATIENCE_SECONDS = 10;

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
        try {
            DONE.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
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

package io.github.loradjl.testing;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Java's memory outside its heap, where arrays lie that are made from Java's numbers: it is free
 * for others once their handle is closed and the collector has run.
 */
public final class JavaMemory {

    private static final int ROUNDS = 3;
    private static final int MOST_NUMBERS = 512;

    private JavaMemory() {}

    /** Takes whatever is free by now, in pieces of all small sizes, and fills it with ones. */
    public static List<ByteBuffer> takeWhatIsFree() throws InterruptedException {
        List<ByteBuffer> taken = new ArrayList<>();
        for (int round = 0; round < ROUNDS; round++) {
            System.gc();
            Thread.sleep(50);
            for (int numbers = 1; numbers <= MOST_NUMBERS; numbers++) {
                ByteBuffer piece = ByteBuffer.allocateDirect(numbers * Long.BYTES);
                for (int i = 0; i < numbers; i++) {
                    piece.putLong(i * Long.BYTES, 1);
                }
                taken.add(piece);
            }
        }
        return taken;
    }
}

package io.github.loradjl.staged;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Keeps activations until the backward pass asks for them: in memory up to a limit, in a temporary
 * file beyond it, always in their own type.
 */
public final class ActivationStore implements AutoCloseable {

    private final NDManager manager;
    private final long memoryLimit;
    private FileChannel file;
    private long fileEnd;
    private long held;
    private long peak;

    /**
     * Creates a store.
     *
     * @param parent the manager whose child owns what is kept in memory
     * @param memoryLimit the bytes to keep in memory; what comes after goes to a file
     */
    public ActivationStore(NDManager parent, long memoryLimit) {
        manager = parent.newSubManager();
        this.memoryLimit = memoryLimit;
    }

    /** One kept array. */
    public final class Entry {

        private final Shape shape;
        private final DataType type;
        private final long size;
        private NDArray array;
        private long offset;

        private Entry(NDArray source) {
            shape = source.getShape();
            type = source.getDataType();
            size = bytes(source);
        }

        /**
         * Hands the array back, once; the store forgets it.
         *
         * @param target the new owner
         * @return the array
         */
        public NDArray take(NDManager target) {
            held -= size;
            NDArray result = array == null ? read(this, target) : array;
            array = null;
            result.attach(target);
            return result;
        }
    }

    /**
     * Keeps an array.
     *
     * @param source the array, owned by the store from now on
     * @return the way to get it back
     */
    public Entry put(NDArray source) {
        Entry entry = new Entry(source);
        if (held + entry.size <= memoryLimit) {
            source.attach(manager);
            entry.array = source;
        } else {
            write(entry, source);
            source.close();
        }
        held += entry.size;
        peak = Math.max(peak, held);
        return entry;
    }

    /**
     * Returns the most that was kept at one time.
     *
     * @return bytes, in memory and in the file together
     */
    public long getPeakBytes() {
        return peak;
    }

    /**
     * Returns how much went to the file.
     *
     * @return bytes
     */
    public long getSpilledBytes() {
        return fileEnd;
    }

    private static long bytes(NDArray array) {
        return array.getShape().size() * TorchOps.elementSize(array);
    }

    private void write(Entry entry, NDArray source) {
        try (GradientMode mode = GradientMode.off()) {
            if (file == null) {
                Path path = Files.createTempFile("activations", ".bin");
                file =
                        FileChannel.open(
                                path,
                                StandardOpenOption.READ,
                                StandardOpenOption.WRITE,
                                StandardOpenOption.DELETE_ON_CLOSE);
            }
            entry.offset = fileEnd;
            if (entry.type == DataType.UNKNOWN) {
                try (NDArray stored = TorchOps.bfloat16AsBytes(source)) {
                    append(stored.toByteBuffer(true));
                }
            } else {
                append(source.toByteBuffer(true));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "cannot write activations to a temporary file: give the pass more memory or"
                            + " free space in "
                            + System.getProperty("java.io.tmpdir"),
                    e);
        }
    }

    private void append(ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            fileEnd += file.write(buffer, fileEnd);
        }
    }

    private NDArray read(Entry entry, NDManager target) {
        try (NDManager cpu = target.newSubManager(Device.cpu())) {
            NDArray result;
            if (entry.type == DataType.UNKNOWN) {
                int last = entry.shape.dimension() - 1;
                Shape wide = entry.shape.slice(0, last).add(2 * entry.shape.get(last));
                NDArray stored = cpu.create(wide, DataType.UINT8);
                fill(stored, entry.offset);
                result = TorchOps.bytesAsBfloat16(stored);
            } else {
                result = cpu.create(entry.shape, entry.type);
                fill(result, entry.offset);
            }
            if (!target.getDevice().equals(Device.cpu())) {
                result = result.toDevice(target.getDevice(), false);
            }
            result.attach(target);
            return result;
        }
    }

    /** Reads into the array's own memory: Java's direct buffers would wait for its collector. */
    private void fill(NDArray array, long offset) {
        ByteBuffer buffer = array.toByteBuffer(true);
        try {
            while (buffer.hasRemaining()) {
                if (file.read(buffer, offset + buffer.position()) < 0) {
                    throw new IOException("the temporary file of activations has been cut short");
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Forgets everything and removes the file. */
    @Override
    public void close() {
        manager.close();
        if (file != null) {
            try {
                file.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}

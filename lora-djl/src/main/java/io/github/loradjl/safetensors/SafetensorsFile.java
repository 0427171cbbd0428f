package io.github.loradjl.safetensors;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * One safetensors file, open for reading.
 *
 * <p>The whole header is checked on opening; a tensor's bytes are touched only when it is read. On
 * the CPU an array whose type is kept shares the memory of a read-only map of the file: it costs no
 * memory of its own, and it must never be written in place, which would end the process. All other
 * reads ({@code BF16}, widened {@code F16}, another device, an odd place in the file) copy. The map
 * lives as long as the manager that the array was read into, also after this file is closed, and
 * the file must not be changed in place meanwhile (replacing it by a move is safe).
 *
 * <p>Readable are {@code F64, F32, F16, BF16, I64, I32, I8, U8, BOOL}; other types can be listed.
 * Methods may be called from several threads.
 *
 * @see <a href="https://huggingface.co/docs/safetensors">The format</a>
 */
public final class SafetensorsFile implements AutoCloseable {

    private static final int CHUNK = 4 << 20;

    private final Path path;
    private final FileChannel channel;
    private final Header header;
    private final String id = "safetensors-" + UUID.randomUUID();
    private final Map<String, MappedByteBuffer> maps = new HashMap<>();
    private ByteBuffer chunk;

    private SafetensorsFile(Path path, FileChannel channel, Header header) {
        this.path = path;
        this.channel = channel;
        this.header = header;
    }

    /**
     * Opens a file and checks its header.
     *
     * @param path the file
     * @return the open file
     * @throws IOException if the file is missing, truncated, or its header is wrong; the message
     *     names the tensor
     */
    public static SafetensorsFile open(Path path) throws IOException {
        if (!Files.isRegularFile(path)) {
            throw new NoSuchFileException(
                    path.toString(), null, "is missing or not a file; check the path");
        }
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        try {
            return new SafetensorsFile(path, channel, Header.read(path, channel));
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /**
     * Returns the file's path.
     *
     * @return the path
     */
    public Path path() {
        return path;
    }

    /**
     * Returns the names of all tensors.
     *
     * @return the names in the order of the header
     */
    public Set<String> names() {
        return header.tensors().keySet();
    }

    /**
     * Returns the free-form notes of the header, usually {@code format = pt}.
     *
     * @return the notes
     */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /**
     * Returns what the header says about a tensor.
     *
     * @param name the tensor
     * @return its type, shape and place
     * @throws IllegalArgumentException if there is no such tensor
     */
    public TensorInfo info(String name) {
        TensorInfo info = header.tensors().get(name);
        if (info == null) {
            throw new IllegalArgumentException(
                    path
                            + " has no tensor '"
                            + name
                            + "' among its "
                            + header.tensors().size()
                            + "; names() lists them");
        }
        return info;
    }

    /**
     * Reads a tensor, {@code F16} and {@code BF16} widened to float32 and other types as they are.
     *
     * @param manager the owner of the array; its device is the array's
     * @param name the tensor
     * @return the array; see the class for what shares the file's memory
     * @throws IllegalArgumentException if there is no such tensor
     * @throws IOException if its type cannot be read, or reading fails
     */
    public NDArray read(NDManager manager, String name) throws IOException {
        TensorInfo info = info(name);
        StoredType type = readable(info);
        return type.isNarrowFloat() ? copy(manager, info, type, true) : readStored(manager, name);
    }

    /**
     * Reads a tensor in its stored type. A {@code BF16} tensor becomes a bfloat16 array, which
     * reads as {@link DataType#UNKNOWN}; see {@link TorchOps}.
     *
     * @param manager the owner of the array; its device is the array's
     * @param name the tensor
     * @return the array; see the class for what shares the file's memory
     * @throws IllegalArgumentException if there is no such tensor
     * @throws IOException if its type cannot be read, or reading fails
     */
    public NDArray readStored(NDManager manager, String name) throws IOException {
        TensorInfo info = info(name);
        StoredType type = readable(info);
        boolean mappable =
                type != StoredType.BF16
                        && manager.getDevice().equals(Device.cpu())
                        && info.position() % type.bytes() == 0
                        && info.length() > 0
                        && info.length() <= Integer.MAX_VALUE;
        if (!mappable) {
            return copy(manager, info, type, false);
        }
        MappedByteBuffer map;
        synchronized (this) {
            map = maps.get(name);
            if (map == null) {
                map = channel.map(FileChannel.MapMode.READ_ONLY, info.position(), info.length());
                maps.put(name, map);
            }
        }
        // The array itself keeps the map only until it is closed, and views of it do not.
        manager.attachUncappedInternal(id + name, new KeepAlive(map));
        ByteBuffer buffer = map.duplicate().order(ByteOrder.nativeOrder());
        return manager.create(buffer, info.shape(), type.dataType());
    }

    /**
     * Computes the digest of a tensor's stored bytes.
     *
     * @param name the tensor
     * @return the SHA-256 digest, 32 bytes
     * @throws IllegalArgumentException if there is no such tensor
     * @throws IOException if reading fails
     */
    public byte[] sha256(String name) throws IOException {
        TensorInfo info = info(name);
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
        ByteBuffer buffer = part(info);
        for (long done = 0; done < info.length(); done += buffer.limit()) {
            fill(buffer, info, done);
            digest.update(buffer);
        }
        return digest.digest();
    }

    /** Compares two tensors of the same length, this file's with one of any file. */
    boolean hasBytes(TensorInfo info, SafetensorsFile file, TensorInfo other) throws IOException {
        ByteBuffer own = part(info);
        ByteBuffer theirs = part(other);
        for (long done = 0; done < info.length(); done += own.limit()) {
            fill(own, info, done);
            file.fill(theirs, other, done);
            if (!own.equals(theirs)) {
                return false;
            }
        }
        return true;
    }

    private static ByteBuffer part(TensorInfo info) {
        return ByteBuffer.allocate((int) Math.min(1 << 20, info.length()));
    }

    /** Closes the file. Arrays that were read stay valid. */
    @Override
    public void close() throws IOException {
        synchronized (this) {
            maps.clear();
            chunk = null;
        }
        channel.close();
    }

    private String where(TensorInfo info) {
        return path + ", tensor '" + info.name() + "': ";
    }

    private StoredType readable(TensorInfo info) throws IOException {
        StoredType type = StoredType.of(info.dtype());
        if (type.dataType() == null) {
            throw new IOException(
                    where(info)
                            + "dtype "
                            + info.dtype()
                            + " cannot be read; convert it to F32, F16, BF16, I64, I32, I8, U8 or"
                            + " BOOL");
        }
        return type;
    }

    /**
     * Copies through one small buffer, so that the file's pages do not stay in this process beside
     * the result.
     */
    private synchronized NDArray copy(
            NDManager manager, TensorInfo info, StoredType type, boolean widened)
            throws IOException {
        if (chunk == null) {
            chunk = ByteBuffer.allocateDirect(CHUNK).order(ByteOrder.nativeOrder());
        }
        NDArray result = allocate(manager, info.shape(), type, widened);
        try (NDManager scope = manager.newSubManager(Device.cpu());
                GradientMode mode = GradientMode.off()) {
            NDArray rows = result.reshape(1, 1, info.length() / type.bytes(), 1);
            rows.attach(scope);
            for (long done = 0; done < info.length(); done += CHUNK) {
                fill(chunk, info, done);
                long count = chunk.limit() / type.bytes();
                try (NDManager step = scope.newSubManager()) {
                    NDArray block =
                            type == StoredType.BF16
                                    ? TorchOps.bytesAsBfloat16(
                                            step.create(
                                                    chunk.duplicate(),
                                                    new Shape(chunk.limit()),
                                                    DataType.UINT8))
                                    : step.create(
                                            chunk.duplicate(), new Shape(count), type.dataType());
                    TorchOps.writeAt(rows, block.reshape(1, 1, count, 1), done / type.bytes());
                }
            }
            return result;
        } catch (IOException | RuntimeException e) {
            result.close();
            throw e;
        }
    }

    private static NDArray allocate(
            NDManager manager, Shape shape, StoredType type, boolean widened) {
        if (widened) {
            return manager.create(shape, DataType.FLOAT32);
        }
        if (type != StoredType.BF16) {
            return manager.create(shape, type.dataType());
        }
        // DJL cannot allocate bfloat16, but it can copy one number to every place.
        try (NDArray zero = manager.zeros(new Shape(), DataType.FLOAT32);
                NDArray narrow = TorchOps.toBfloat16(zero);
                NDArray everywhere = narrow.broadcast(shape)) {
            return everywhere.duplicate();
        }
    }

    private void fill(ByteBuffer buffer, TensorInfo info, long done) throws IOException {
        buffer.clear().limit((int) Math.min(buffer.capacity(), info.length() - done));
        while (buffer.hasRemaining()) {
            long at = info.position() + done + buffer.position();
            if (channel.read(buffer, at) < 0) {
                throw new EOFException(where(info) + "the file became shorter while it was read");
            }
        }
        buffer.flip();
    }

    /** Keeps a buffer reachable while a manager is open. */
    private static final class KeepAlive implements AutoCloseable {

        private ByteBuffer buffer;

        KeepAlive(ByteBuffer buffer) {
            this.buffer = buffer;
        }

        @Override
        public void close() {
            buffer = null;
        }
    }
}

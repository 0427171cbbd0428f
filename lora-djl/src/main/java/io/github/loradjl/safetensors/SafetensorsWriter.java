package io.github.loradjl.safetensors;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.github.loradjl.internal.AtomicFile;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Writes safetensors files.
 *
 * <p>Tensors stand in the given order without holes, after a header padded to a multiple of eight
 * bytes, so the same arrays make the same file. The file is written beside its place and moved
 * there when it is whole.
 */
public final class SafetensorsWriter {

    /** The notes that PyTorch's readers expect. */
    public static final Map<String, String> PYTORCH = Map.of("format", "pt");

    private static final int CHUNK = 1 << 20;

    private SafetensorsWriter() {}

    /**
     * Writes a file, each array in its own type.
     *
     * @param path the file; replaced if it is there
     * @param tensors the arrays by name, in the order to write: FLOAT64, FLOAT32, FLOAT16, INT64,
     *     INT32, INT8, UINT8, BOOLEAN, or bfloat16 as {@link TorchOps} makes it
     * @param metadata free-form notes, usually {@link #PYTORCH}
     * @throws IllegalArgumentException if an array has another type
     * @throws IOException if writing fails; nothing is left behind
     */
    public static void write(Path path, Map<String, NDArray> tensors, Map<String, String> metadata)
            throws IOException {
        write(path, tensors, metadata, StoredType.F32.name());
    }

    /**
     * Writes a file, float32 arrays rounded to another type.
     *
     * @param path the file; replaced if it is there
     * @param tensors the arrays by name, in the order to write
     * @param metadata free-form notes, usually {@link #PYTORCH}
     * @param floatType the type for float32 arrays: {@code F32}, {@code F16} or {@code BF16}
     * @throws IllegalArgumentException if an array's type or {@code floatType} cannot be written
     * @throws IOException if writing fails; nothing is left behind
     */
    public static void write(
            Path path, Map<String, NDArray> tensors, Map<String, String> metadata, String floatType)
            throws IOException {
        StoredType narrow = StoredType.of(floatType);
        if (narrow != StoredType.F32 && narrow != StoredType.F16 && narrow != StoredType.BF16) {
            throw new IllegalArgumentException(
                    "float32 arrays cannot be written as " + floatType + "; use F32, F16 or BF16");
        }
        Map<String, StoredType> types = new LinkedHashMap<>();
        tensors.forEach((name, array) -> types.put(name, typeOf(name, array, narrow)));
        byte[] header = header(tensors, types, metadata);
        AtomicFile.write(
                path,
                channel -> {
                    ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
                    AtomicFile.writeAll(channel, length.putLong(header.length).flip());
                    AtomicFile.writeAll(channel, ByteBuffer.wrap(header));
                    for (Map.Entry<String, NDArray> entry : tensors.entrySet()) {
                        writeTensor(channel, entry.getValue(), types.get(entry.getKey()));
                    }
                });
    }

    private static StoredType typeOf(String name, NDArray array, StoredType floatType) {
        DataType dataType = array.getDataType();
        if (dataType == DataType.FLOAT32) {
            return floatType;
        }
        // The only two-byte type that DJL cannot name and this library makes is bfloat16.
        if (dataType == DataType.UNKNOWN && TorchOps.elementSize(array) == 2) {
            return StoredType.BF16;
        }
        for (StoredType type : StoredType.values()) {
            if (type != StoredType.BF16 && type.dataType() == dataType) {
                return type;
            }
        }
        throw new IllegalArgumentException(
                "tensor '"
                        + name
                        + "' has type "
                        + dataType
                        + ", which cannot be written; cast it");
    }

    private static byte[] header(
            Map<String, NDArray> tensors,
            Map<String, StoredType> types,
            Map<String, String> metadata) {
        JsonObject root = new JsonObject();
        if (!metadata.isEmpty()) {
            JsonObject notes = new JsonObject();
            metadata.forEach(notes::addProperty);
            root.add("__metadata__", notes);
        }
        long offset = 0;
        for (Map.Entry<String, NDArray> entry : tensors.entrySet()) {
            if ("__metadata__".equals(entry.getKey())) {
                throw new IllegalArgumentException("__metadata__ cannot be a tensor's name");
            }
            StoredType type = types.get(entry.getKey());
            Shape shape = entry.getValue().getShape();
            JsonArray sizes = new JsonArray();
            for (long size : shape.getShape()) {
                sizes.add(size);
            }
            JsonArray offsets = new JsonArray();
            offsets.add(offset);
            offset += Math.multiplyExact(shape.size(), (long) type.bytes());
            offsets.add(offset);
            JsonObject tensor = new JsonObject();
            tensor.addProperty("dtype", type.name());
            tensor.add("shape", sizes);
            tensor.add("data_offsets", offsets);
            root.add(entry.getKey(), tensor);
        }
        byte[] json = root.toString().getBytes(StandardCharsets.UTF_8);
        byte[] padded = Arrays.copyOf(json, (json.length + 7) / 8 * 8);
        Arrays.fill(padded, json.length, padded.length, (byte) ' ');
        return padded;
    }

    /** Writes piece by piece, so that only a small part is ever on the Java heap. */
    private static void writeTensor(FileChannel channel, NDArray array, StoredType type)
            throws IOException {
        try (NDManager scope = array.getManager().newSubManager();
                GradientMode mode = GradientMode.off()) {
            NDArray source = TorchOps.alias(array, scope);
            NDArray flat = source.reshape(-1);
            long size = array.getShape().size();
            for (long start = 0; start < size; start += CHUNK) {
                long end = Math.min(start + CHUNK, size);
                try (NDManager step = scope.newSubManager()) {
                    NDArray piece = flat.get(step, new NDIndex(start + ":" + end));
                    piece.attach(step);
                    AtomicFile.writeAll(channel, bytes(piece, type));
                }
            }
        }
    }

    private static ByteBuffer bytes(NDArray piece, StoredType type) {
        NDArray stored = piece;
        if (type == StoredType.BF16) {
            if (stored.getDataType() == DataType.FLOAT32) {
                stored = TorchOps.toBfloat16(stored);
            }
            stored = TorchOps.bfloat16AsBytes(stored);
        } else if (type == StoredType.F16 && stored.getDataType() == DataType.FLOAT32) {
            stored = TorchOps.toFloat16(stored);
        }
        if (!stored.getDevice().equals(Device.cpu())) {
            stored = stored.toDevice(Device.cpu(), false);
        }
        return stored.toByteBuffer(false);
    }
}

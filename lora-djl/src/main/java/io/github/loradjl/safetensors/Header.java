package io.github.loradjl.safetensors;

import ai.djl.ndarray.types.Shape;

import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;

import java.io.EOFException;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The checked header of a safetensors file: eight bytes with the length of a JSON object, the
 * object, and then nothing but the tensors' bytes without holes.
 *
 * <p>A header comes from a stranger. Every number in it is checked against the size of the file
 * before anything is allocated or mapped by it.
 */
record Header(Map<String, TensorInfo> tensors, Map<String, String> metadata) {

    /** The format's own limit for the JSON object. */
    static final long MAX_LENGTH = 100_000_000;

    private static final String REMEDY = "; get the file again";

    static Header read(Path file, FileChannel channel) throws IOException {
        long fileSize = channel.size();
        if (fileSize < 8) {
            throw new IOException(
                    file
                            + " is not a safetensors file or was cut off: it has "
                            + fileSize
                            + " bytes, fewer than the 8 of the header's length"
                            + REMEDY);
        }
        long length = readFully(file, channel, 0, 8).order(ByteOrder.LITTLE_ENDIAN).getLong();
        if (length < 2 || length > MAX_LENGTH) {
            throw new IOException(
                    file
                            + " is not a safetensors file: its first 8 bytes give a header of "
                            + Long.toUnsignedString(length)
                            + " bytes, allowed are 2 to "
                            + MAX_LENGTH);
        }
        if (length > fileSize - 8) {
            throw new IOException(
                    file
                            + " is truncated: its header alone ends at byte "
                            + (length + 8)
                            + ", but the file has "
                            + fileSize
                            + " bytes"
                            + REMEDY);
        }
        Header header = parse(file, readFully(file, channel, 8, (int) length), length + 8);
        header.checkLayout(file, length + 8, fileSize);
        return header;
    }

    private static ByteBuffer readFully(Path file, FileChannel channel, long position, int length)
            throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                throw new EOFException(file + " became shorter while it was read");
            }
        }
        return buffer.flip();
    }

    private static Header parse(Path file, ByteBuffer bytes, long dataStart) throws IOException {
        Map<String, TensorInfo> tensors = new LinkedHashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        try {
            String json = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
            JsonReader reader = new JsonReader(new StringReader(json));
            reader.setStrictness(Strictness.STRICT);
            reader.beginObject();
            while (reader.hasNext()) {
                String name = reader.nextName();
                if ("__metadata__".equals(name)) {
                    reader.beginObject();
                    while (reader.hasNext()) {
                        metadata.put(reader.nextName(), reader.nextString());
                    }
                    reader.endObject();
                } else if (tensors.put(name, parseTensor(file, name, reader, dataStart)) != null) {
                    throw new IOException(
                            file + " lists tensor '" + name + "' twice; write the file again");
                }
            }
            reader.endObject();
            if (reader.peek() != JsonToken.END_DOCUMENT) {
                throw new MalformedJsonException("more than one JSON value");
            }
        } catch (CharacterCodingException
                | MalformedJsonException
                | EOFException
                | JsonParseException
                | IllegalStateException
                | NumberFormatException e) {
            throw new IOException(
                    file + " has a header that is not the JSON of a safetensors file" + REMEDY, e);
        }
        return new Header(
                Collections.unmodifiableMap(tensors), Collections.unmodifiableMap(metadata));
    }

    private static TensorInfo parseTensor(Path file, String name, JsonReader reader, long dataStart)
            throws IOException {
        String dtype = null;
        long[] shape = null;
        long[] offsets = null;
        reader.beginObject();
        while (reader.hasNext()) {
            switch (reader.nextName()) {
                case "dtype" -> dtype = reader.nextString();
                case "shape" -> shape = parseNumbers(reader);
                case "data_offsets" -> offsets = parseNumbers(reader);
                default -> reader.skipValue();
            }
        }
        reader.endObject();
        String where = file + ", tensor '" + name + "': ";
        if (dtype == null || shape == null || offsets == null || offsets.length != 2) {
            throw new IOException(
                    where + "dtype, shape or the two data_offsets are missing" + REMEDY);
        }
        StoredType type = StoredType.of(dtype);
        if (type == null) {
            throw new IOException(
                    where + "unknown dtype " + dtype + "; convert it to F32, F16 or BF16");
        }
        long expected = byteLength(where, type, shape);
        if (offsets[0] < 0 || offsets[1] < offsets[0] || offsets[1] > Long.MAX_VALUE - dataStart) {
            throw new IOException(
                    where
                            + "offsets "
                            + offsets[0]
                            + " to "
                            + offsets[1]
                            + " are no range of bytes"
                            + REMEDY);
        }
        if (offsets[1] - offsets[0] != expected) {
            throw new IOException(
                    where
                            + dtype
                            + " of shape "
                            + new Shape(shape)
                            + " takes "
                            + expected
                            + " bytes, but the offsets give "
                            + (offsets[1] - offsets[0])
                            + REMEDY);
        }
        return new TensorInfo(
                name, dtype, new Shape(shape), dataStart + offsets[0], offsets[1] - offsets[0]);
    }

    private static long[] parseNumbers(JsonReader reader) throws IOException {
        List<Long> numbers = new ArrayList<>();
        reader.beginArray();
        while (reader.hasNext()) {
            numbers.add(reader.nextLong());
        }
        reader.endArray();
        return numbers.stream().mapToLong(Long::longValue).toArray();
    }

    private static long byteLength(String where, StoredType type, long[] shape) throws IOException {
        long bits = type.bits();
        for (long size : shape) {
            if (size < 0) {
                throw new IOException(where + "a dimension of " + size + " is negative" + REMEDY);
            }
        }
        try {
            for (long size : shape) {
                bits = Math.multiplyExact(bits, size);
            }
        } catch (ArithmeticException e) {
            throw new IOException(where + "the shape has too many elements" + REMEDY, e);
        }
        if (bits % 8 != 0) {
            throw new IOException(where + "its elements do not fill whole bytes" + REMEDY);
        }
        return bits / 8;
    }

    /** Holds the tensors against the file: each inside, none over another, nothing left. */
    private void checkLayout(Path file, long dataStart, long fileSize) throws IOException {
        List<TensorInfo> order = new ArrayList<>(tensors.values());
        order.sort(
                Comparator.comparingLong(TensorInfo::position)
                        .thenComparingLong(TensorInfo::length));
        long end = dataStart;
        TensorInfo before = null;
        for (TensorInfo info : order) {
            if (info.position() < end) {
                throw new IOException(
                        file
                                + ", tensor '"
                                + info.name()
                                + "': its bytes overlap those of '"
                                + before.name()
                                + "'"
                                + REMEDY);
            }
            if (info.position() + info.length() > fileSize) {
                throw new IOException(
                        file
                                + ", tensor '"
                                + info.name()
                                + "': its bytes end at "
                                + (info.position() + info.length())
                                + ", but the file has "
                                + fileSize
                                + " bytes: it is truncated or its header is wrong"
                                + REMEDY);
            }
            if (info.position() > end) {
                throw new IOException(
                        file
                                + ", tensor '"
                                + info.name()
                                + "': "
                                + (info.position() - end)
                                + " bytes before it belong to no tensor"
                                + REMEDY);
            }
            end = info.position() + info.length();
            before = info;
        }
        if (end != fileSize) {
            throw new IOException(
                    file
                            + " has "
                            + fileSize
                            + " bytes, but its header describes only "
                            + end
                            + REMEDY);
        }
    }
}

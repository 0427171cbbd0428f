package io.github.loradjl.safetensors;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The tensors of a checkpoint, from one safetensors file or from several with an index.
 *
 * <p>All headers, and the index against them, are checked on opening; a tensor's bytes are touched
 * only when it is read. What {@link SafetensorsFile} says about memory holds here too.
 */
public final class Safetensors implements AutoCloseable {

    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";

    private final Path path;
    private final Map<Path, SafetensorsFile> files = new LinkedHashMap<>();
    private final Map<String, SafetensorsFile> homes = new LinkedHashMap<>();

    private Safetensors(Path path) {
        this.path = path;
    }

    /**
     * Opens a checkpoint.
     *
     * @param path a safetensors file; an index file ending in {@code .index.json}; or a folder with
     *     {@code model.safetensors} or {@code model.safetensors.index.json}
     * @return the open checkpoint
     * @throws IOException if something is missing, truncated or contradicts itself; the message
     *     names the file, the tensor and what to do
     */
    public static Safetensors open(Path path) throws IOException {
        Safetensors result = new Safetensors(path);
        try {
            if (Files.isDirectory(path)) {
                result.openFolder();
            } else if (path.toString().endsWith(".index.json")) {
                result.openShards(path);
            } else {
                refusePickle(path);
                result.add(path);
            }
            return result;
        } catch (IOException | RuntimeException e) {
            result.close();
            throw e;
        }
    }

    /**
     * Returns the names of all tensors.
     *
     * @return the names, file by file, in the order of the headers
     */
    public Set<String> names() {
        return Collections.unmodifiableSet(homes.keySet());
    }

    /**
     * Returns what a header says about a tensor.
     *
     * @param name the tensor
     * @return its type, shape and place
     * @throws IllegalArgumentException if there is no such tensor
     */
    public TensorInfo info(String name) {
        return home(name).info(name);
    }

    /**
     * Reads a tensor, {@code F16} and {@code BF16} widened to float32 and other types as they are.
     *
     * @param manager the owner of the array; its device is the array's
     * @param name the tensor
     * @return the array
     * @throws IllegalArgumentException if there is no such tensor
     * @throws IOException if its type cannot be read, or reading fails
     * @see SafetensorsFile#read
     */
    public NDArray read(NDManager manager, String name) throws IOException {
        return home(name).read(manager, name);
    }

    /**
     * Reads a tensor in its stored type, bfloat16 included.
     *
     * @param manager the owner of the array; its device is the array's
     * @param name the tensor
     * @return the array
     * @throws IllegalArgumentException if there is no such tensor
     * @throws IOException if its type cannot be read, or reading fails
     * @see SafetensorsFile#readStored
     */
    public NDArray readStored(NDManager manager, String name) throws IOException {
        return home(name).readStored(manager, name);
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
        return home(name).sha256(name);
    }

    /**
     * Tells whether two tensors have the same type, shape and bytes. Reads as far as they agree.
     *
     * @param name a tensor
     * @param other another
     * @return true if they are equal
     * @throws IllegalArgumentException if there is no such tensor
     * @throws IOException if reading fails
     */
    public boolean areEqual(String name, String other) throws IOException {
        TensorInfo info = info(name);
        TensorInfo second = info(other);
        return info.dtype().equals(second.dtype())
                && info.shape().equals(second.shape())
                && home(name).hasBytes(info, home(other), second);
    }

    /** Closes all files. Arrays that were read stay valid. */
    @Override
    public void close() throws IOException {
        IOException failure = null;
        for (SafetensorsFile file : files.values()) {
            try {
                file.close();
            } catch (IOException e) {
                failure = e;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private SafetensorsFile home(String name) {
        SafetensorsFile file = homes.get(name);
        if (file == null) {
            throw new IllegalArgumentException(
                    path
                            + " has no tensor '"
                            + name
                            + "' among its "
                            + homes.size()
                            + "; names() lists them");
        }
        return file;
    }

    private void openFolder() throws IOException {
        if (Files.exists(path.resolve(SINGLE))) {
            add(path.resolve(SINGLE));
        } else if (Files.exists(path.resolve(INDEX))) {
            openShards(path.resolve(INDEX));
        } else {
            throw new NoSuchFileException(
                    path.toString(),
                    null,
                    "holds neither "
                            + SINGLE
                            + " nor "
                            + INDEX
                            + "; only safetensors are read, so convert a .bin or .pt checkpoint"
                            + " first");
        }
    }

    private static void refusePickle(Path path) throws IOException {
        String name = path.toString().toLowerCase(Locale.ROOT);
        for (String ending : new String[] {".bin", ".pt", ".pth", ".ckpt", ".pkl"}) {
            if (name.endsWith(ending)) {
                throw new IOException(
                        path
                                + " is not read: a pickle can run any code on loading; convert it"
                                + " to safetensors");
            }
        }
    }

    private SafetensorsFile add(Path file) throws IOException {
        SafetensorsFile opened = SafetensorsFile.open(file);
        files.put(file, opened);
        for (String name : opened.names()) {
            SafetensorsFile other = homes.put(name, opened);
            if (other != null) {
                throw new IOException(
                        "tensor '"
                                + name
                                + "' is in both "
                                + other.path()
                                + " and "
                                + file
                                + "; get the files again");
            }
        }
        return opened;
    }

    private void openShards(Path index) throws IOException {
        Map<String, String> weightMap = readIndex(index);
        Map<String, SafetensorsFile> shards = new LinkedHashMap<>();
        for (Map.Entry<String, String> entry : weightMap.entrySet()) {
            String shard = entry.getValue();
            if (!shards.containsKey(shard)) {
                shards.put(shard, add(shardPath(index, shard)));
            }
            if (!shards.get(shard).names().contains(entry.getKey())) {
                throw new IOException(
                        index
                                + " puts tensor '"
                                + entry.getKey()
                                + "' into "
                                + shard
                                + ", which does not hold it; get both files again");
            }
        }
    }

    private static Path shardPath(Path index, String shard) throws IOException {
        Path folder = index.toAbsolutePath().getParent();
        Path file = folder.resolve(shard).normalize();
        if (shard.indexOf('\\') >= 0 || !folder.normalize().equals(file.getParent())) {
            throw new IOException(
                    index
                            + " names the shard '"
                            + shard
                            + "', which is not a plain file name in its own folder");
        }
        if (!Files.isRegularFile(file)) {
            throw new NoSuchFileException(
                    file.toString(), null, "is missing, " + index + " names it; get it too");
        }
        return file;
    }

    private static Map<String, String> readIndex(Path index) throws IOException {
        if (Files.size(index) > Header.MAX_LENGTH) {
            throw new IOException(index + " is too large for an index of tensor names");
        }
        Map<String, String> result = new LinkedHashMap<>();
        try {
            JsonObject root = JsonParser.parseString(Files.readString(index)).getAsJsonObject();
            for (Map.Entry<String, JsonElement> e : root.getAsJsonObject("weight_map").entrySet()) {
                result.put(e.getKey(), e.getValue().getAsJsonPrimitive().getAsString());
            }
        } catch (JsonParseException
                | IllegalStateException
                | ClassCastException
                | NullPointerException e) {
            throw new IOException(
                    index + " has no weight_map from tensor names to files; get it again", e);
        }
        if (result.isEmpty()) {
            throw new IOException(index + " lists no tensor; get it again");
        }
        return result;
    }
}

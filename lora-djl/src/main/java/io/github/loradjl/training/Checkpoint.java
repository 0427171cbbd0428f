package io.github.loradjl.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import io.github.loradjl.LoraModel;
import io.github.loradjl.internal.AtomicFile;
import io.github.loradjl.safetensors.SafetensorsFile;
import io.github.loradjl.safetensors.SafetensorsWriter;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A saved state of a fine-tuning run: a folder with {@code adapter/} (a PEFT folder, with LoRA-GA's
 * A0 and B0), {@code optimizer.safetensors} (AdamW's moments), {@code state.json} (where the run
 * stands) and, if there is one, {@code config.yaml}.
 *
 * <p>To go on with a run, attach its adapter and give the checkpoint to {@link FineTuningConfig}:
 *
 * <pre>{@code
 * Checkpoint checkpoint = Checkpoint.latest(folder).orElseThrow();
 * try (LoraModel lora = PeftAdapter.load(model, checkpoint.getAdapter())) {
 *     ... FineTuningConfig.builder().optResume(checkpoint) ...
 * }
 * }</pre>
 */
public final class Checkpoint {

    static final String STEP = "step-";
    static final String BEST = "best-";
    private static final String ADAPTER = "adapter";
    private static final String OPTIMIZER = "optimizer.safetensors";
    private static final String STATE = "state.json";
    private static final String CONFIGURATION = "config.yaml";
    private static final int VERSION = 1;
    private static final Gson GSON =
            new GsonBuilder()
                    .setPrettyPrinting()
                    .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
                    .create();

    private final Path folder;
    private final State state;

    private Checkpoint(Path folder, State state) {
        this.folder = folder;
        this.state = state;
    }

    /** The content of {@code state.json}. */
    private record State(
            int version, Progress progress, String adapterSha256, Map<String, Long> updates) {}

    /**
     * Where a run stands.
     *
     * @param step the number of optimizer steps made
     * @param epoch the number of the epoch, from 0
     * @param batch the number of batches read in this epoch
     * @param tokens the number of tokens read so far
     * @param seed the run's seed
     * @param accumulation the batches of a step
     * @param bestLoss the lowest validation loss so far, or null
     * @param stale the number of validations since then
     */
    record Progress(
            long step,
            int epoch,
            long batch,
            long tokens,
            long seed,
            int accumulation,
            Double bestLoss,
            int stale) {}

    /**
     * Finds the checkpoint with the most steps. What a killed process left half-written has another
     * name and is never read.
     *
     * @param folder the folder of a run's checkpoints
     * @return the checkpoint, or empty if there is none
     * @throws IOException if the folder cannot be read, or the checkpoint is damaged
     */
    public static Optional<Checkpoint> latest(Path folder) throws IOException {
        return last(folder, STEP);
    }

    /**
     * Finds the checkpoint with the lowest validation loss, which a run with early stopping keeps.
     *
     * @param folder the folder of a run's checkpoints
     * @return the checkpoint, or empty if there is none
     * @throws IOException if the folder cannot be read, or the checkpoint is damaged
     */
    public static Optional<Checkpoint> best(Path folder) throws IOException {
        return last(folder, BEST);
    }

    private static Optional<Checkpoint> last(Path folder, String kind) throws IOException {
        List<Path> all = list(folder, kind);
        return all.isEmpty() ? Optional.empty() : Optional.of(read(all.get(all.size() - 1)));
    }

    /** Lists the checkpoints of one kind by their steps. */
    static List<Path> list(Path folder, String kind) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> name(file).matches(kind + "\\d+"))
                    .sorted(Comparator.comparingLong(Checkpoint::step))
                    .toList();
        }
    }

    static long step(Path checkpoint) {
        return Long.parseLong(name(checkpoint).substring(STEP.length()));
    }

    private static String name(Path file) {
        return file.getFileName().toString();
    }

    /**
     * Reads a checkpoint.
     *
     * @param folder the folder of the one checkpoint
     * @return the checkpoint
     * @throws IOException if it is missing, damaged, or of another version
     */
    public static Checkpoint read(Path folder) throws IOException {
        Path file = folder.resolve(STATE);
        if (!Files.isRegularFile(file)) {
            throw new NoSuchFileException(file.toString(), null, "is no part of a checkpoint");
        }
        State state;
        try {
            state = GSON.fromJson(Files.readString(file), State.class);
        } catch (JsonParseException e) {
            throw new IOException(file + " is not readable: " + e.getMessage(), e);
        }
        if (state == null || state.progress() == null || state.updates() == null) {
            throw new IOException(file + " is not the state of a run; delete this checkpoint");
        }
        if (state.version() != VERSION) {
            throw new IOException(
                    file + " has version " + state.version() + "; only " + VERSION + " is read");
        }
        return new Checkpoint(folder, state);
    }

    /**
     * Writes a checkpoint's files into an empty folder, the state last.
     *
     * @param saver writes the adapter
     */
    static void write(Path folder, Checkpoints saver, Progress progress) throws IOException {
        LoraModel lora = saver.model();
        saver.saveAdapter(folder.resolve(ADAPTER));
        Map<String, NDArray> moments = new LinkedHashMap<>();
        Map<String, Long> updates = new LinkedHashMap<>();
        Map<String, AdamW.Moments> known = saver.optimizer().getState();
        lora.getTrainableParameters()
                .forEach(
                        (path, parameter) -> {
                            AdamW.Moments own = known.get(parameter.getId());
                            if (own != null) {
                                moments.put(mean(path), own.getMean());
                                moments.put(square(path), own.getSquare());
                                updates.put(path, own.getUpdates());
                            }
                        });
        SafetensorsWriter.write(folder.resolve(OPTIMIZER), moments, SafetensorsWriter.PYTORCH);
        if (saver.configuration() != null) {
            AtomicFile.writeString(folder.resolve(CONFIGURATION), saver.configuration());
        }
        State state = new State(VERSION, progress, digest(lora), updates);
        AtomicFile.writeString(folder.resolve(STATE), GSON.toJson(state) + "\n");
    }

    /**
     * Gives the optimizer the state that it had.
     *
     * @param lora the model with the checkpoint's adapter
     * @param optimizer the optimizer
     * @throws IOException if the moments cannot be read
     * @throws IllegalArgumentException if the model has another adapter
     */
    void restore(LoraModel lora, AdamW optimizer) throws IOException {
        if (!digest(lora).equals(state.adapterSha256())) {
            throw new IllegalArgumentException(
                    "the model does not have the adapter of the checkpoint "
                            + folder
                            + ": attach it by PeftAdapter.load(model, checkpoint.getAdapter())");
        }
        Map<String, Parameter> parameters = lora.getTrainableParameters();
        Path file = folder.resolve(OPTIMIZER);
        try (SafetensorsFile moments = SafetensorsFile.open(file);
                NDManager scope = lora.getManager().newSubManager()) {
            for (Map.Entry<String, Long> entry : state.updates().entrySet()) {
                String path = entry.getKey();
                Parameter parameter = parameters.get(path);
                if (parameter == null || !moments.names().contains(square(path))) {
                    throw new IOException(file + " and " + STATE + " do not agree on " + path);
                }
                try (NDArray mean = moments.read(scope, mean(path));
                        NDArray square = moments.read(scope, square(path))) {
                    optimizer.setState(
                            parameter.getId(),
                            parameter.getArray(),
                            AdamW.Moments.of(mean, square, entry.getValue()));
                }
            }
        }
    }

    private static String mean(String path) {
        return path + ".mean";
    }

    private static String square(String path) {
        return path + ".square";
    }

    /** Computes the digest of what is trained, so that a state never meets other weights. */
    private static String digest(LoraModel lora) {
        MessageDigest sha;
        try {
            sha = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
        Map<String, Parameter> parameters = lora.getTrainableParameters();
        for (String path : parameters.keySet().stream().sorted().toList()) {
            sha.update(path.getBytes(StandardCharsets.UTF_8));
            float[] values = parameters.get(path).getArray().toFloatArray();
            ByteBuffer bytes =
                    ByteBuffer.allocate(Float.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(values);
            sha.update(bytes);
        }
        return HexFormat.of().formatHex(sha.digest());
    }

    Progress progress() {
        return state.progress();
    }

    /**
     * Returns the folder of the checkpoint.
     *
     * @return the folder
     */
    public Path getFolder() {
        return folder;
    }

    /**
     * Returns the adapter, to be loaded by {@link io.github.loradjl.peft.PeftAdapter}.
     *
     * @return the adapter's folder
     */
    public Path getAdapter() {
        return folder.resolve(ADAPTER);
    }

    /**
     * Returns the number of optimizer steps that were made.
     *
     * @return the number of steps
     */
    public long getStep() {
        return state.progress().step();
    }

    /** {@inheritDoc} */
    @Override
    public String toString() {
        return folder.toString();
    }
}

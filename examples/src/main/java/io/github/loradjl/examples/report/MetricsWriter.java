package io.github.loradjl.examples.report;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.github.loradjl.internal.AtomicFile;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes {@code metrics.jsonl}: one JSON object per logged step, each line complete on disk as soon
 * as its step is over, so that a run can be followed and an interrupted one leaves whole lines.
 */
public final class MetricsWriter implements AutoCloseable {

    private static final Gson GSON =
            new GsonBuilder().serializeSpecialFloatingPointValues().create();

    private final Writer writer;
    private final List<StepMetrics> written;

    /**
     * Starts a new file, in place of an old one.
     *
     * @param file the file
     * @throws IOException if the file cannot be written
     */
    public MetricsWriter(Path file) throws IOException {
        this(Files.newBufferedWriter(file), new ArrayList<>());
    }

    private MetricsWriter(Writer writer, List<StepMetrics> written) {
        this.writer = writer;
        this.written = written;
    }

    /**
     * Goes on with the file of a run that is resumed: lines up to its step stay and count as
     * written, later ones go, because their steps will be done again, and so does half a line that
     * a killed process left at the end.
     *
     * @param file the file; a missing one is begun
     * @param step the last step that stays
     * @return the writer
     * @throws IOException if the file cannot be read or written, or a line before the last is no
     *     line of metrics
     */
    public static MetricsWriter resume(Path file, long step) throws IOException {
        List<String> kept = new ArrayList<>();
        List<StepMetrics> written = new ArrayList<>();
        // Lenient, because half a line may end in half a character.
        byte[] bytes = Files.exists(file) ? Files.readAllBytes(file) : new byte[0];
        String text = new String(bytes, StandardCharsets.UTF_8);
        String[] lines = text.split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            StepMetrics metrics = parse(lines[i]);
            // What stands behind the last line break is whole only by chance.
            if (metrics == null && i < lines.length - 1) {
                throw new IOException(
                        file + ":" + (i + 1) + " is not a line of metrics; move the file away");
            }
            if (metrics != null && metrics.globalStep() <= step) {
                kept.add(lines[i] + "\n");
                written.add(metrics);
            }
        }
        AtomicFile.writeString(file, String.join("", kept));
        return new MetricsWriter(Files.newBufferedWriter(file, StandardOpenOption.APPEND), written);
    }

    /**
     * Reads what a run wrote.
     *
     * @param file the file
     * @return the figures, oldest first
     * @throws IOException if the file cannot be read, or a line before the last is no line of
     *     metrics
     */
    public static List<StepMetrics> read(Path file) throws IOException {
        List<StepMetrics> steps = new ArrayList<>();
        String[] lines =
                new String(Files.readAllBytes(file), StandardCharsets.UTF_8).split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            StepMetrics metrics = parse(lines[i]);
            if (metrics == null && i < lines.length - 1) {
                throw new IOException(file + ":" + (i + 1) + " is not a line of metrics");
            }
            if (metrics != null) {
                steps.add(metrics);
            }
        }
        return steps;
    }

    private static StepMetrics parse(String line) {
        try {
            JsonElement json = JsonParser.parseString(line);
            boolean isStep = json.isJsonObject() && json.getAsJsonObject().has("global_step");
            return isStep ? GSON.fromJson(json, StepMetrics.class) : null;
        } catch (JsonParseException e) {
            return null;
        }
    }

    /**
     * Writes one line.
     *
     * @param metrics the figures; null ones are left out
     * @throws UncheckedIOException if the file cannot be written
     */
    public void write(StepMetrics metrics) {
        written.add(metrics);
        try {
            writer.write(GSON.toJson(metrics));
            writer.write('\n');
            writer.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Returns everything written so far.
     *
     * @return the figures, oldest first
     */
    public List<StepMetrics> written() {
        return List.copyOf(written);
    }

    /** {@inheritDoc} */
    @Override
    public void close() throws IOException {
        writer.close();
    }
}

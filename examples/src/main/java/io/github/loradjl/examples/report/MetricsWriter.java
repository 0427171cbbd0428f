package io.github.loradjl.examples.report;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
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
    private final List<StepMetrics> written = new ArrayList<>();

    /**
     * Starts a new file, in place of an old one.
     *
     * @param file the file
     * @throws IOException if the file cannot be written
     */
    public MetricsWriter(Path file) throws IOException {
        writer = Files.newBufferedWriter(file);
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

package io.github.loradjl.examples.compare;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import io.github.loradjl.internal.AtomicFile;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** Findings in a folder, a file each, so that none is made twice. */
public final class JsonFiles {

    private static final Gson GSON =
            new GsonBuilder()
                    .serializeSpecialFloatingPointValues()
                    .disableHtmlEscaping()
                    .setPrettyPrinting()
                    .create();

    private static final String SUFFIX = ".json";

    private final Path folder;

    /**
     * Creates a store.
     *
     * @param folder where the files are, or will be
     */
    public JsonFiles(Path folder) {
        this.folder = folder;
    }

    /** Tells whether there is no file. */
    boolean isEmpty() throws IOException {
        if (!Files.isDirectory(folder)) {
            return true;
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.noneMatch(file -> file.toString().endsWith(SUFFIX));
        }
    }

    /**
     * Returns what was found before, if anything.
     *
     * @param name the name of the finding
     * @param type its class
     * @param <T> its class
     * @return the finding
     * @throws IOException if its file cannot be read, or holds something else
     */
    public <T> Optional<T> find(String name, Class<T> type) throws IOException {
        Path file = file(name);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            T found = GSON.fromJson(Files.readString(file), type);
            if (found != null) {
                return Optional.of(found);
            }
        } catch (JsonParseException e) {
            // Told below.
        }
        throw new IOException(file + " is not what a comparison found; move it away");
    }

    /**
     * Keeps a finding.
     *
     * @param name its name
     * @param found the finding
     * @throws IOException if it cannot be written
     */
    public void save(String name, Object found) throws IOException {
        Files.createDirectories(folder);
        AtomicFile.writeString(file(name), GSON.toJson(found) + "\n");
    }

    private Path file(String name) {
        return folder.resolve(name.replace(':', ',').replace('/', '_') + SUFFIX);
    }
}

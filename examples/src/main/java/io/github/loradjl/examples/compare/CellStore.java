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

/** The finished runs of a comparison, a file each, so that none is done twice. */
final class CellStore {

    private static final String SUFFIX = ".json";

    private static final Gson GSON =
            new GsonBuilder()
                    .serializeSpecialFloatingPointValues()
                    .disableHtmlEscaping()
                    .setPrettyPrinting()
                    .create();

    private final Path folder;

    CellStore(Path folder) {
        this.folder = folder;
    }

    /** Tells whether no run is finished. */
    boolean isEmpty() throws IOException {
        if (!Files.isDirectory(folder)) {
            return true;
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.noneMatch(file -> file.toString().endsWith(SUFFIX));
        }
    }

    /** Returns what came of a run, if it is finished. */
    Optional<CellResult> find(Cell cell) throws IOException {
        Path file = file(cell);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            CellResult result = GSON.fromJson(Files.readString(file), CellResult.class);
            if (result != null && result.method() != null) {
                return Optional.of(result);
            }
        } catch (JsonParseException e) {
            // Told below.
        }
        throw new IOException(file + " is not the result of a run; move it away");
    }

    void save(Cell cell, CellResult result) throws IOException {
        Files.createDirectories(folder);
        AtomicFile.writeString(file(cell), GSON.toJson(result) + "\n");
    }

    private Path file(Cell cell) {
        return folder.resolve(cell.id() + SUFFIX);
    }
}

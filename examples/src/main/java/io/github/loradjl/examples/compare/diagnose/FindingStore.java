package io.github.loradjl.examples.compare.diagnose;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import io.github.loradjl.internal.AtomicFile;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What diagnostics have found, a file each, so that nothing is looked for twice. */
final class FindingStore {

    private static final Gson GSON =
            new GsonBuilder()
                    .serializeSpecialFloatingPointValues()
                    .disableHtmlEscaping()
                    .setPrettyPrinting()
                    .create();

    private final Path folder;

    FindingStore(Path folder) {
        this.folder = folder;
    }

    /** Returns what was found before, if anything. */
    <T> Optional<T> find(String name, Class<T> type) throws IOException {
        Path file = file(name);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.ofNullable(GSON.fromJson(Files.readString(file), type));
        } catch (JsonParseException e) {
            throw new IOException(file + " is not what diagnostics found; move it away", e);
        }
    }

    void save(String name, Object found) throws IOException {
        Files.createDirectories(folder);
        AtomicFile.writeString(file(name), GSON.toJson(found) + "\n");
    }

    private Path file(String name) {
        return folder.resolve(name.replace(':', ',').replace('/', '_') + ".json");
    }
}

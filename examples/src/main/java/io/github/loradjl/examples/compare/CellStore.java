package io.github.loradjl.examples.compare;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** The finished runs of a comparison. */
final class CellStore {

    private final Path folder;
    private final JsonFiles files;

    CellStore(Path folder) {
        this.folder = folder;
        files = new JsonFiles(folder);
    }

    /** Tells whether no run is finished. */
    boolean isEmpty() throws IOException {
        return files.isEmpty();
    }

    /** Returns what came of a run, if it is finished. */
    Optional<CellResult> find(Cell cell) throws IOException {
        Optional<CellResult> known = files.find(cell.id(), CellResult.class);
        if (known.isPresent() && known.get().method() == null) {
            throw new IOException(
                    cell.id() + " in " + folder + " is not the result of a run; move it away");
        }
        return known;
    }

    void save(Cell cell, CellResult result) throws IOException {
        files.save(cell.id(), result);
    }
}

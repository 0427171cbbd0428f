package io.github.loradjl.examples.compare.diagnose;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** What a look behind a comparison has found. */
interface Diagnosis {

    /** Tells whether nothing is missing of what would be found now. */
    default boolean isComplete() {
        return true;
    }

    /**
     * Draws it.
     *
     * @param folder an existing folder
     * @param title the model
     * @return the names of the files
     * @throws IOException if one cannot be written
     */
    List<String> plot(Path folder, String title) throws IOException;

    /** Returns it as Markdown. */
    String markdown();
}

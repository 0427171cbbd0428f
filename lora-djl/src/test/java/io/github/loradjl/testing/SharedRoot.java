package io.github.loradjl.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Finds the real checkpoints, data and expected values of the tests.
 *
 * <p>They stand under one root with the folders {@code checkpoints}, {@code data} and {@code
 * golden}, named by the system property {@code lora.djl.test.root} or the environment variable
 * {@code LORA_DJL_TEST_ROOT}. A test that needs one of them is skipped, with the reason, where the
 * root is not set; a set root that lacks the file is an error.
 */
public final class SharedRoot {

    private static final String PROPERTY = "lora.djl.test.root";
    private static final String VARIABLE = "LORA_DJL_TEST_ROOT";

    private SharedRoot() {}

    /** Returns a file or folder under the root, or skips the calling test. */
    public static Path require(String relative) {
        String root = System.getProperty(PROPERTY, "");
        if (root.isBlank()) {
            root = System.getenv().getOrDefault(VARIABLE, "");
        }
        assumeTrue(
                !root.isBlank(),
                "needs " + relative + ": set -D" + PROPERTY + " or " + VARIABLE + ", see README");
        Path path = Path.of(root, relative);
        if (!Files.exists(path)) {
            throw new IllegalStateException(path + " is missing under the test root");
        }
        return path;
    }
}

package io.github.loradjl.zoo;

import ai.djl.util.Utils;

import io.github.loradjl.internal.AtomicFile;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The small model that ships in this jar: a LLaMA of about a million parameters that tells little
 * stories, for trying things out and for tests. Its model card stands beside it in the jar.
 *
 * <p>A model is loaded from files, so its folder is unpacked to DJL's cache, once.
 *
 * <pre>{@code
 * Criteria.builder()
 *         .setTypes(NDList.class, NDList.class)
 *         .optModelZoo(HuggingFaceFolder.zoo(TinyStoryLlama.folder()))
 *         .build()
 *         .loadModel();
 * }</pre>
 */
public final class TinyStoryLlama {

    /** The name of the model and of its folder. */
    public static final String NAME = "tiny-story-llama";

    private static final String RESOURCES = "models/" + NAME + "/";
    private static final String SUMS = "SHA256SUMS";

    private TinyStoryLlama() {}

    /**
     * Returns the model's Hugging Face folder, unpacked and verified.
     *
     * @return the folder, in DJL's cache
     * @throws IOException if the folder cannot be written, or the jar is damaged
     */
    public static synchronized Path folder() throws IOException {
        byte[] sums = resource(SUMS);
        // A later version of the model gets a folder of its own.
        String version = sha256(sums).substring(0, 12);
        Path folder =
                Utils.getCacheDir()
                        .resolve("cache")
                        .resolve("lora-djl")
                        .resolve(version)
                        .resolve(NAME);
        for (Map.Entry<String, String> entry : parse(sums).entrySet()) {
            Path file = folder.resolve(entry.getKey());
            if (!Files.isRegularFile(file)
                    || !sha256(Files.readAllBytes(file)).equals(entry.getValue())) {
                unpack(entry.getKey(), entry.getValue(), file);
            }
        }
        return folder;
    }

    private static void unpack(String name, String sum, Path file) throws IOException {
        byte[] bytes = resource(name);
        if (!sha256(bytes).equals(sum)) {
            throw new IOException(
                    "the jar's " + RESOURCES + name + " is damaged: its SHA-256 is not " + sum);
        }
        AtomicFile.write(file, channel -> AtomicFile.writeAll(channel, ByteBuffer.wrap(bytes)));
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = TinyStoryLlama.class.getResourceAsStream(RESOURCES + name)) {
            if (in == null) {
                throw new IOException("the jar has no " + RESOURCES + name);
            }
            return in.readAllBytes();
        }
    }

    /** Reads lines as sha256sum writes them: the sum, two spaces, the name. */
    private static Map<String, String> parse(byte[] sums) {
        Map<String, String> files = new LinkedHashMap<>();
        new String(sums, StandardCharsets.UTF_8)
                .lines()
                .forEach(line -> files.put(line.substring(66), line.substring(0, 64)));
        return files;
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}

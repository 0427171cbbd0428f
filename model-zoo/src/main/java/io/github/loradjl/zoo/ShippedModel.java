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
 * A model in this jar. It is loaded from files, so its folder is unpacked to DJL's cache, once, and
 * verified.
 */
final class ShippedModel {

    private static final String SUMS = "SHA256SUMS";

    private final String name;
    private final String resources;

    ShippedModel(String name) {
        this.name = name;
        resources = "models/" + name + "/";
    }

    /**
     * Returns the model's Hugging Face folder.
     *
     * @return the folder, in DJL's cache
     * @throws IOException if the folder cannot be written, or the jar is damaged
     */
    synchronized Path folder() throws IOException {
        byte[] sums = resource(SUMS);
        // A later version of the model gets a folder of its own.
        String version = sha256(sums).substring(0, 12);
        Path folder =
                Utils.getCacheDir()
                        .resolve("cache")
                        .resolve("lora-djl")
                        .resolve(version)
                        .resolve(name);
        for (Map.Entry<String, String> entry : parse(sums).entrySet()) {
            Path file = folder.resolve(entry.getKey());
            if (!Files.isRegularFile(file)
                    || !sha256(Files.readAllBytes(file)).equals(entry.getValue())) {
                unpack(entry.getKey(), entry.getValue(), file);
            }
        }
        return folder;
    }

    private void unpack(String file, String sum, Path target) throws IOException {
        byte[] bytes = resource(file);
        if (!sha256(bytes).equals(sum)) {
            throw new IOException(
                    "the jar's " + resources + file + " is damaged: its SHA-256 is not " + sum);
        }
        AtomicFile.write(target, channel -> AtomicFile.writeAll(channel, ByteBuffer.wrap(bytes)));
    }

    private byte[] resource(String file) throws IOException {
        try (InputStream in = ShippedModel.class.getResourceAsStream(resources + file)) {
            if (in == null) {
                throw new IOException("the jar has no " + resources + file);
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

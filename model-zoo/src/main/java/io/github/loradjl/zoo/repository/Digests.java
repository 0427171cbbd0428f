package io.github.loradjl.zoo.repository;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-1 and SHA-256 in hexadecimal digits. */
public final class Digests {

    private Digests() {}

    /**
     * Makes a digest.
     *
     * @param algorithm {@code SHA-1} or {@code SHA-256}
     * @return the digest
     */
    static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has " + algorithm, e);
        }
    }

    /**
     * Computes the SHA-1 of a file.
     *
     * @param file the file
     * @return hexadecimal digits
     * @throws IOException if the file cannot be read
     */
    public static String sha1(Path file) throws IOException {
        return of(digest("SHA-1"), file);
    }

    /**
     * Computes the SHA-256 of a file.
     *
     * @param file the file
     * @return hexadecimal digits
     * @throws IOException if the file cannot be read
     */
    public static String sha256(Path file) throws IOException {
        return of(digest("SHA-256"), file);
    }

    static String sha256(byte[] bytes) {
        return HexFormat.of().formatHex(digest("SHA-256").digest(bytes));
    }

    private static String of(MessageDigest digest, Path file) throws IOException {
        byte[] buffer = new byte[1 << 16];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}

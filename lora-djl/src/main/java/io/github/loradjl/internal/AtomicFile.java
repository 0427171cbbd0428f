package io.github.loradjl.internal;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Writes a file beside its place and moves it there when it is whole, so that nobody ever sees half
 * of it. A failure leaves the earlier file, if there was one, and nothing else.
 */
public final class AtomicFile {

    private AtomicFile() {}

    /** Writes the content of a file. */
    @FunctionalInterface
    public interface Content {

        /**
         * Writes everything.
         *
         * @param channel the empty file
         * @throws IOException if writing fails
         */
        void writeTo(FileChannel channel) throws IOException;
    }

    /**
     * Writes a file, replacing one that is there.
     *
     * @param target the file; missing parent folders are made
     * @param content writes the content
     * @throws IOException if writing or moving fails
     */
    public static void write(Path target, Content content) throws IOException {
        Path file = target.toAbsolutePath();
        Files.createDirectories(file.getParent());
        Path beside = file.resolveSibling("." + file.getFileName() + "." + UUID.randomUUID());
        try {
            try (FileChannel channel =
                    FileChannel.open(
                            beside, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                content.writeTo(channel);
                channel.force(true);
            }
            Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    /**
     * Writes a text file in UTF-8, replacing one that is there.
     *
     * @param target the file; missing parent folders are made
     * @param text the text
     * @throws IOException if writing or moving fails
     */
    public static void writeString(Path target, String text) throws IOException {
        write(
                target,
                channel ->
                        writeAll(channel, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8))));
    }

    /**
     * Copies a file, replacing one that is there.
     *
     * @param source the file to copy
     * @param target the copy; missing parent folders are made
     * @throws IOException if reading, writing or moving fails
     */
    public static void copy(Path source, Path target) throws IOException {
        try (FileChannel in = FileChannel.open(source, StandardOpenOption.READ)) {
            write(target, channel -> copyBytes(in, 0, in.size(), channel));
        }
    }

    /**
     * Copies a part of a file to the present position of another.
     *
     * @param in the file to read
     * @param from the first byte
     * @param to the byte after the last
     * @param out the file to write
     * @throws IOException if reading or writing fails, or the file is too short
     */
    public static void copyBytes(FileChannel in, long from, long to, FileChannel out)
            throws IOException {
        for (long at = from; at < to; ) {
            long moved = in.transferTo(at, to - at, out);
            if (moved <= 0) {
                throw new EOFException("a file became shorter while it was copied; copy it again");
            }
            at += moved;
        }
    }

    /**
     * Writes all remaining bytes of a buffer.
     *
     * @param channel the file
     * @param bytes the bytes
     * @throws IOException if writing fails
     */
    public static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}

package io.github.loradjl.zoo.hub;

import io.github.loradjl.internal.AtomicFile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A content that is not whole yet, with the hash of what there is. */
final class PartialFile implements AutoCloseable {

    private static final int CHUNK = 1 << 20;

    private final Path path;
    private final HubFile file;
    private final FileChannel channel;
    private final MessageDigest digest;
    private long size;

    /** Opens a part, with what an earlier download has left of it. */
    PartialFile(Path path, HubFile file) throws IOException {
        this.path = path;
        this.file = file;
        digest = newDigest(file.isSha256() ? "SHA-256" : "SHA-1");
        Files.createDirectories(path.getParent());
        channel =
                FileChannel.open(
                        path,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE);
        try {
            restart(channel.size() <= file.size());
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static MessageDigest newDigest(String name) {
        try {
            return MessageDigest.getInstance(name);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has " + name, e);
        }
    }

    long size() {
        return size;
    }

    boolean isWhole() {
        return size == file.size();
    }

    /** Throws away what there is. */
    void restart() throws IOException {
        restart(false);
    }

    private void restart(boolean keepsContent) throws IOException {
        digest.reset();
        if (!file.isSha256()) {
            // Git hashes a content with this before it.
            digest.update(("blob " + file.size() + "\0").getBytes(StandardCharsets.US_ASCII));
        }
        size = 0;
        if (!keepsContent) {
            channel.truncate(0);
            return;
        }
        channel.position(0);
        ByteBuffer buffer = ByteBuffer.allocate(CHUNK);
        while (channel.read(buffer) >= 0) {
            size += buffer.flip().remaining();
            digest.update(buffer);
            buffer.clear();
        }
    }

    /**
     * Adds what was received.
     *
     * @throws HubException if that is more than there should be
     */
    void append(ByteBuffer bytes) throws IOException {
        if (size + bytes.remaining() > file.size()) {
            restart();
            throw new HubException(
                    file.path()
                            + " is longer than the "
                            + file.size()
                            + " bytes that the hub lists; it was not kept");
        }
        size += bytes.remaining();
        digest.update(bytes.duplicate());
        AtomicFile.writeAll(channel, bytes);
    }

    /** Returns the hash of the content, which is whole; nothing can be added after that. */
    String etag() {
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Moves the content to its place. */
    void moveTo(Path target) throws IOException {
        channel.force(true);
        channel.close();
        Files.move(
                path, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** {@inheritDoc} */
    @Override
    public void close() throws IOException {
        channel.close();
    }
}

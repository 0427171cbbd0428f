package io.github.loradjl.zoo.repository;

import ai.djl.util.Utils;

import io.github.loradjl.internal.AtomicFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Files below a URL: a web server, or a folder on the class path.
 *
 * <p>What describes a server's adapters is kept in DJL's cache and used where the server cannot be
 * reached, or DJL's offline switch is on.
 */
final class UrlSource implements Source {

    private static final Logger logger = LoggerFactory.getLogger(UrlSource.class);

    /** A server that is silent for so long, in milliseconds, is given up. */
    private static final int TIMEOUT = 20_000;

    private final URL base;

    /**
     * Creates a source.
     *
     * @param base the URL of the repository, with a slash at the end
     */
    UrlSource(URL base) {
        this.base = base;
    }

    private boolean isRemote() {
        return base.getProtocol().startsWith("http");
    }

    /** {@inheritDoc} */
    @Override
    public List<String> metadataFiles() throws IOException {
        return IndexFile.parse(read(RepositoryLayout.INDEX), base + RepositoryLayout.INDEX);
    }

    /** {@inheritDoc} */
    @Override
    public InputStream open(String path) throws IOException {
        if (isRemote() && Utils.isOfflineMode()) {
            throw new IOException(
                    url(path) + " is not fetched: DJL's offline mode is on (ai.djl.offline)");
        }
        URLConnection connection = url(path).openConnection();
        connection.setUseCaches(false);
        connection.setConnectTimeout(TIMEOUT);
        connection.setReadTimeout(TIMEOUT);
        try {
            return connection.getInputStream();
        } catch (IOException e) {
            throw new IOException(
                    url(path) + " cannot be fetched: " + RepositoryLayout.shortened(text(e)), e);
        }
    }

    private static String text(IOException e) {
        String name = e.getClass().getSimpleName();
        return e.getMessage() == null ? name : name + ", " + e.getMessage();
    }

    private URL url(String path) throws MalformedURLException {
        return new URL(base, path);
    }

    /** {@inheritDoc} */
    @Override
    public byte[] read(String path) throws IOException {
        if (!isRemote()) {
            return Source.super.read(path);
        }
        Path kept = kept(path);
        byte[] bytes;
        try {
            bytes = Source.super.read(path);
        } catch (IOException e) {
            if (!Files.isRegularFile(kept)) {
                throw e;
            }
            logger.warn("{}; what was read there before is used", e.getMessage());
            return Files.readAllBytes(kept);
        }
        AtomicFile.write(kept, channel -> AtomicFile.writeAll(channel, ByteBuffer.wrap(bytes)));
        return bytes;
    }

    private Path kept(String path) throws IOException {
        String name = Digests.sha256(url(path).toString().getBytes(StandardCharsets.UTF_8));
        return AdapterRepository.cache().resolve("described").resolve(name + ".json");
    }
}

package io.github.loradjl.zoo.repository;

import io.github.loradjl.internal.AtomicFile;
import io.github.loradjl.zoo.hub.OfflineSwitch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.FileNotFoundException;
import java.io.FilterInputStream;
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
import java.util.Optional;

/**
 * Files below a URL: a web server, or a folder on the class path.
 *
 * <p>What describes a server's adapters is kept in DJL's cache and used where the server cannot be
 * reached, or {@link OfflineSwitch} is on.
 */
final class UrlSource implements Source {

    private static final Logger logger = LoggerFactory.getLogger(UrlSource.class);

    /** A server that is silent for so long, in milliseconds, is given up. */
    private static final int TIMEOUT = 20_000;

    private final URL base;
    private boolean isAway;

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
        URL url = url(path);
        Optional<String> offline = OfflineSwitch.find();
        if (isRemote() && offline.isPresent()) {
            throw new IOException(url + " is not fetched: " + offline.get() + " forbids it");
        }
        URLConnection connection = url.openConnection();
        connection.setUseCaches(false);
        connection.setConnectTimeout(TIMEOUT);
        connection.setReadTimeout(TIMEOUT);
        try {
            return new FilterInputStream(connection.getInputStream()) {
                @Override
                public int read(byte[] bytes, int offset, int length) throws IOException {
                    try {
                        return super.read(bytes, offset, length);
                    } catch (IOException e) {
                        throw failure(url, e);
                    }
                }
            };
        } catch (IOException e) {
            throw failure(url, e);
        }
    }

    private static IOException failure(URL url, IOException e) {
        String name = e.getClass().getSimpleName();
        String text = e.getMessage() == null ? name : name + ", " + e.getMessage();
        return new IOException(url + " cannot be fetched: " + RepositoryLayout.shortened(text), e);
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
        if (isAway && Files.isRegularFile(kept)) {
            return Files.readAllBytes(kept);
        }
        byte[] bytes;
        try {
            bytes = Source.super.read(path);
        } catch (IOException e) {
            if (!Files.isRegularFile(kept)) {
                throw e;
            }
            // The next files would have to be waited for as long, each.
            isAway = !(e.getCause() instanceof FileNotFoundException);
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

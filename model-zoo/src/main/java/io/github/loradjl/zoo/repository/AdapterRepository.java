package io.github.loradjl.zoo.repository;

import ai.djl.util.Utils;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;

/**
 * A repository of adapters: a folder, a jar, or a web server that hands out such a folder.
 *
 * <p>An adapter is fetched to DJL's cache once, under the SHA-256 of its archive: what is published
 * again under the same version is never taken for what was there before. Before it is unpacked its
 * size and its sums are checked; nothing but safetensors, json and text is taken out, and nothing
 * is run.
 *
 * <pre>{@code
 * AdapterRepository repository = AdapterRepository.open("https://example.com/adapters");
 * Path folder = repository.fetch(repository.getEntries().get(0));
 * }</pre>
 */
public final class AdapterRepository {

    private static final Logger logger = LoggerFactory.getLogger(AdapterRepository.class);

    private final String location;
    private final Source source;
    private final List<AdapterEntry> entries = new ArrayList<>();
    private final List<String> problems = new ArrayList<>();

    private AdapterRepository(String location, Source source) throws IOException {
        this.location = location;
        this.source = source;
        for (String path : source.metadataFiles()) {
            String where = location + (location.endsWith("/") ? "" : "/") + path;
            try {
                entries.addAll(MetadataFile.read(source.read(path), path, where));
            } catch (IOException e) {
                // One artifact's fault must not hide the others.
                problems.add(text(e));
                logger.warn("{}; it is left out", text(e));
            }
        }
        entries.sort(
                Comparator.comparing(AdapterEntry::groupId)
                        .thenComparing(AdapterEntry::artifactId)
                        .thenComparing(AdapterEntry::version, RepositoryLayout.versionOrder()));
    }

    private static String text(IOException e) {
        return e instanceof NoSuchFileException
                ? "no such file: " + e.getMessage()
                : e.getMessage();
    }

    /**
     * Opens a repository and reads what it holds.
     *
     * @param location a folder, a jar, or a URL with file, http or https
     * @return the repository
     * @throws IOException if there is none, or it cannot be read
     */
    public static AdapterRepository open(String location) throws IOException {
        if (location.startsWith("http:") || location.startsWith("https:")) {
            return new AdapterRepository(location, new UrlSource(url(location)));
        }
        try {
            boolean isUrl = location.startsWith("file:");
            return open(isUrl ? Path.of(URI.create(location)) : Path.of(location));
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    location + " is no repository: give a folder, a jar or a URL with http", e);
        }
    }

    private static URL url(String location) throws IOException {
        String shown = RepositoryLayout.withoutLogin(location);
        try {
            URI uri = new URI(location.endsWith("/") ? location : location + "/");
            if (uri.getRawUserInfo() != null
                    || uri.getRawQuery() != null
                    || uri.getRawFragment() != null) {
                throw new IOException(
                        "the URL "
                                + shown
                                + " has a login, ? or #: repositories are read without, so leave it"
                                + " out");
            }
            return uri.toURL();
        } catch (URISyntaxException | IllegalArgumentException | MalformedURLException e) {
            // Not as a cause, whose message shows all of it.
            throw new IOException(shown + " is not a URL");
        }
    }

    /**
     * Opens a repository and reads what it holds.
     *
     * @param path a folder or a jar
     * @return the repository
     * @throws IOException if there is none, or it cannot be read
     */
    public static AdapterRepository open(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            return new AdapterRepository(path.toString(), new FolderSource(path));
        }
        if (Files.isRegularFile(path)) {
            return new AdapterRepository(path.toString(), new JarSource(path));
        }
        throw new NoSuchFileException(path.toString(), null, "is no repository");
    }

    /** Opens a repository that a jar, or a folder of the class path, brings along. */
    static AdapterRepository onClassPath(URL index) throws IOException {
        URL base = new URL(index, ".");
        return new AdapterRepository(base.toString(), new UrlSource(base));
    }

    /**
     * Returns where this repository is.
     *
     * @return the folder, jar or URL
     */
    public String getLocation() {
        return location;
    }

    /**
     * Returns what it holds: all versions of all adapters, those of one adapter oldest first.
     *
     * @return the adapters
     */
    public List<AdapterEntry> getEntries() {
        return List.copyOf(entries);
    }

    /**
     * Returns what could not be read and was left out.
     *
     * @return one message for each metadata file that is damaged
     */
    public List<String> getProblems() {
        return List.copyOf(problems);
    }

    /** Returns the folder of what is kept of repositories. */
    static Path cache() {
        return Utils.getCacheDir().resolve("cache").resolve("lora-djl").resolve("adapters");
    }

    /**
     * Tells whether an adapter is in the cache.
     *
     * @param entry an adapter of this repository
     * @return true if {@link #fetch} needs to read nothing
     */
    public boolean isFetched(AdapterEntry entry) {
        return entry.archive().sha256() != null
                && Files.isDirectory(cache().resolve(entry.archive().sha256()));
    }

    /**
     * Fetches an adapter, unless it is in the cache already.
     *
     * @param entry an adapter of this repository
     * @return its folder, in DJL's cache
     * @throws IOException if it cannot be fetched, a size or sum is wrong, or its archive holds
     *     something that has no place there; nothing is left in the cache
     */
    public Path fetch(AdapterEntry entry) throws IOException {
        if (isFetched(entry)) {
            return cache().resolve(entry.archive().sha256());
        }
        checkSpace(entry, Files.createDirectories(cache()));
        Path beside = cache().resolve("." + UUID.randomUUID());
        try {
            Path archive = Files.createDirectory(beside).resolve("archive.zip");
            String sha256;
            try (OutputStream out = Files.newOutputStream(archive)) {
                sha256 = copy(entry, out);
            }
            Path folder = cache().resolve(sha256);
            if (!Files.isDirectory(folder)) {
                Path unpacked = Files.createDirectory(beside.resolve("files"));
                try {
                    AdapterArchive.unpack(archive, unpacked);
                } catch (IOException e) {
                    String message =
                            String.valueOf(e.getMessage())
                                    .replace(archive.toString(), place(entry));
                    throw new IOException(message, e);
                }
                place(unpacked, folder);
            }
            return folder;
        } finally {
            Utils.deleteQuietly(beside);
        }
    }

    /** An archive stands beside what is unpacked of it. */
    private void checkSpace(AdapterEntry entry, Path folder) throws IOException {
        long needed = 2 * entry.archive().size();
        long free = Files.getFileStore(folder).getUsableSpace();
        if (free < needed) {
            throw new IOException(
                    place(entry)
                            + " takes "
                            + needed / 1_000_000
                            + " MB, and "
                            + folder
                            + " has room for "
                            + free / 1_000_000
                            + " MB; make room, or set DJL_CACHE_DIR to another folder");
        }
    }

    /** Moves a folder into the cache, where another process may have put the same one. */
    private static void place(Path unpacked, Path folder) throws IOException {
        try {
            Files.move(unpacked, folder);
        } catch (FileAlreadyExistsException e) {
            logger.debug("{} is there already", folder);
        } catch (IOException e) {
            if (!Files.isDirectory(folder)) {
                throw e;
            }
        }
    }

    /**
     * Reads an adapter's archive and holds it against its size and sums.
     *
     * @param entry an adapter of this repository
     * @throws IOException if it cannot be read, or a size or sum is wrong
     */
    public void verify(AdapterEntry entry) throws IOException {
        copy(entry, OutputStream.nullOutputStream());
    }

    private String place(AdapterEntry entry) {
        return location + (location.endsWith("/") ? "" : "/") + entry.archive().path();
    }

    /** Copies an archive and returns its SHA-256. */
    private String copy(AdapterEntry entry, OutputStream out) throws IOException {
        AdapterEntry.Archive archive = entry.archive();
        MessageDigest sha1 = Digests.digest("SHA-1");
        MessageDigest sha256 = Digests.digest("SHA-256");
        long size = 0;
        byte[] buffer = new byte[1 << 16];
        try (InputStream in = source.open(archive.path())) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                size += n;
                if (size > archive.size()) {
                    break;
                }
                sha1.update(buffer, 0, n);
                sha256.update(buffer, 0, n);
                out.write(buffer, 0, n);
            }
        }
        if (size != archive.size()) {
            throw new IOException(
                    place(entry)
                            + (size > archive.size() ? " is longer" : " ends after " + size)
                            + (size > archive.size() ? " than " : " of ")
                            + archive.size()
                            + " bytes; "
                            + remedy(entry));
        }
        String hash = HexFormat.of().formatHex(sha256.digest());
        boolean isRight =
                archive.sha1().equals(HexFormat.of().formatHex(sha1.digest()))
                        && (archive.sha256() == null || archive.sha256().equals(hash));
        if (!isRight) {
            throw new IOException(
                    place(entry) + " is damaged: its checksum is wrong; " + remedy(entry));
        }
        return hash;
    }

    private static String remedy(AdapterEntry entry) {
        return "copy or publish " + entry.id() + " again";
    }
}

package io.github.loradjl.zoo.hub;

import io.github.loradjl.internal.AtomicFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * One repository in the cache, laid out as huggingface_hub does: the contents in {@code blobs},
 * named by their hashes; for each commit a folder of links to them in {@code snapshots}; in {@code
 * refs} the commits that branches and tags stood at.
 *
 * <p>What is wanted of a commit is kept in {@code .lora-djl}, so that a snapshot of which files are
 * missing is not taken for whole. Python's own listings, in {@code trees}, serve as well.
 */
final class HubCache {

    private static final Logger LOG = LoggerFactory.getLogger(HubCache.class);

    private final Path folder;
    private final Path locks;

    HubCache(Path cache, HubId id) {
        String name = "models--" + id.getOwner() + "--" + id.getName();
        folder = cache.resolve(name);
        locks = cache.resolve(".locks").resolve(name);
    }

    Path folder() {
        return folder;
    }

    Path blob(HubFile file) {
        return folder.resolve("blobs").resolve(file.etag());
    }

    /** A part of a content. Python's parts have other names, and nobody appends to both. */
    Path part(HubFile file) {
        return folder.resolve("blobs").resolve(file.etag() + ".lora-djl.incomplete");
    }

    Path lock(HubFile file) {
        return locks.resolve(file.etag() + ".lock");
    }

    Path snapshot(String commit) {
        return folder.resolve("snapshots").resolve(commit);
    }

    boolean hasBlob(HubFile file) throws IOException {
        return isWhole(blob(file), file);
    }

    boolean has(String commit, HubFile file) throws IOException {
        return isWhole(snapshot(commit).resolve(file.path()), file);
    }

    private static boolean isWhole(Path path, HubFile file) throws IOException {
        return Files.isRegularFile(path) && Files.size(path) == file.size();
    }

    /** Returns the commit that a revision stood at when it was last looked up, or null. */
    String commit(String revision) throws IOException {
        if (HubId.isCommit(revision)) {
            return revision;
        }
        String commit = read(ref(revision));
        return commit != null && HubId.isCommit(commit.strip()) ? commit.strip() : null;
    }

    private Path ref(String revision) {
        return folder.resolve("refs").resolve(revision);
    }

    /** Keeps what a revision stands at and what is wanted of it, once that is there. */
    void keep(String revision, HubListing listing) throws IOException {
        String commit = listing.commit();
        if (!isComplete(commit)) {
            AtomicFile.writeString(kept(commit), listing.toJson());
        }
        if (!commit.equals(commit(revision))) {
            AtomicFile.writeString(ref(revision), commit);
        }
    }

    private Path kept(String commit) {
        return folder.resolve(".lora-djl").resolve(commit + ".json");
    }

    /** Returns what is wanted of a commit, or null where nobody has looked. */
    private HubListing listing(String commit) throws IOException {
        for (Path file : List.of(kept(commit), folder.resolve("trees").resolve(commit + ".json"))) {
            String json = read(file);
            HubListing listing = json == null ? null : HubListing.fromJson(commit, json);
            if (listing != null) {
                return listing;
            }
        }
        return null;
    }

    /** Tells whether everything that is wanted of a commit is known to be there. */
    boolean isComplete(String commit) throws IOException {
        HubListing listing = listing(commit);
        return listing != null && missing(listing) == null;
    }

    private String missing(HubListing listing) throws IOException {
        for (HubFile file : listing.files()) {
            if (!has(listing.commit(), file)) {
                return file.path();
            }
        }
        return null;
    }

    /**
     * Returns the snapshot to use without the hub, or null if there is none. Where nobody has
     * listed its files, that it has weights must do.
     *
     * @throws HubException if files are missing in it
     */
    Path offline(HubId id) throws IOException {
        String commit = commit(id.getRevision());
        if (commit == null || !Files.isDirectory(snapshot(commit))) {
            return null;
        }
        HubListing listing = listing(commit);
        String missing = listing == null ? missingUnlisted(commit) : missing(listing);
        if (missing != null) {
            throw new HubException(
                    "the cache has only a part of "
                            + id
                            + " ("
                            + missing
                            + " is missing in "
                            + snapshot(commit)
                            + "); fetch it once with the network");
        }
        return snapshot(commit);
    }

    private String missingUnlisted(String commit) throws IOException {
        try (Stream<Path> files = Files.list(snapshot(commit))) {
            return files.anyMatch(
                            file ->
                                    file.toString().endsWith(".safetensors")
                                            && Files.isRegularFile(file))
                    ? null
                    : "every *.safetensors";
        }
    }

    /** Puts a content under its name into a snapshot: linked, or copied where links are not had. */
    void link(String commit, HubFile file) throws IOException {
        Path snapshot = snapshot(commit);
        Path link = snapshot.resolve(file.path());
        Path blob = blob(file);
        Files.createDirectories(snapshot);
        Files.deleteIfExists(link);
        try {
            Files.createSymbolicLink(link, snapshot.relativize(blob));
        } catch (UnsupportedOperationException | FileSystemException e) {
            LOG.debug("no symbolic link to {}: {}", blob, e.toString());
            hardLink(link, blob);
        }
    }

    private static void hardLink(Path link, Path blob) throws IOException {
        try {
            Files.createLink(link, blob);
        } catch (UnsupportedOperationException | FileSystemException e) {
            AtomicFile.copy(blob, link);
        }
    }

    private static String read(Path file) throws IOException {
        try {
            return Files.isRegularFile(file) ? Files.readString(file) : null;
        } catch (NoSuchFileException | MalformedInputException e) {
            return null;
        }
    }
}

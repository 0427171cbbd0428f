package io.github.loradjl.zoo.publish;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.loradjl.internal.AtomicFile;
import io.github.loradjl.zoo.repository.AdapterArchive;
import io.github.loradjl.zoo.repository.AdapterEntry;
import io.github.loradjl.zoo.repository.Digests;
import io.github.loradjl.zoo.repository.IndexFile;
import io.github.loradjl.zoo.repository.Json;
import io.github.loradjl.zoo.repository.MetadataFile;
import io.github.loradjl.zoo.repository.RepositoryLayout;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/** A folder in DJL's layout that versions are added to. */
final class FolderRepository {

    private static final String LOCK = ".lora-publish.lock";

    private final Path root;

    FolderRepository(Path root) {
        this.root = root;
    }

    /** Adds a version; the archive first, so that whatever is listed is there. */
    AdapterEntry add(AdapterPublication publication) throws IOException {
        if (Files.exists(root) && !Files.isDirectory(root)) {
            throw new IOException(root + " is a file; give a folder, or the name of a new .jar");
        }
        Files.createDirectories(root);
        // The file keeps other processes out, the monitor other threads of this one.
        synchronized (FolderRepository.class) {
            try (FileChannel channel =
                            FileChannel.open(
                                    root.resolve(LOCK),
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.WRITE);
                    FileLock lock = channel.lock()) {
                return addLocked(publication);
            }
        }
    }

    private AdapterEntry addLocked(AdapterPublication publication) throws IOException {
        String place = RepositoryLayout.folder(publication.groupId(), publication.name());
        Path folder = root.resolve(place);
        Path file = folder.resolve(RepositoryLayout.METADATA);
        String path = place + RepositoryLayout.METADATA;
        JsonObject json =
                Files.exists(file) ? existing(file, path, publication) : newMetadata(publication);
        String uri = RepositoryLayout.archive(publication.name(), publication.version());
        Path archive = folder.resolve(uri);
        write(publication, archive);
        json.get("artifacts").getAsJsonArray().add(artifact(publication, uri, archive));
        sort(json);
        String text = Json.toText(json);
        AdapterEntry entry = find(text, path, file, publication);
        AtomicFile.writeString(file, text);
        AtomicFile.writeString(
                root.resolve(RepositoryLayout.INDEX), IndexFile.toText(metadataFiles()));
        return entry;
    }

    /** Writes the archive with its sums beside it. */
    private static void write(AdapterPublication publication, Path archive) throws IOException {
        Files.createDirectories(archive.getParent());
        Path beside = archive.resolveSibling("." + UUID.randomUUID());
        try {
            AdapterArchive.write(publication.files(), beside);
            Files.move(beside, archive, StandardCopyOption.ATOMIC_MOVE);
            String name = archive.getFileName().toString();
            AtomicFile.writeString(
                    archive.resolveSibling(name + ".sha1"), Digests.sha1(archive) + "\n");
            AtomicFile.writeString(
                    archive.resolveSibling(name + ".sha256"),
                    Digests.sha256(archive) + "  " + name + "\n");
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    private JsonObject existing(Path file, String path, AdapterPublication publication)
            throws IOException {
        byte[] text = Files.readAllBytes(file);
        List<AdapterEntry> entries = MetadataFile.read(text, path, file.toString());
        for (AdapterEntry entry : entries) {
            if (entry.version().equals(publication.version())) {
                throw new IllegalStateException(
                        entry.id()
                                + " is published already in "
                                + root
                                + "; what is published stays as it is: give a new version");
            }
            if (entry.license() != null && !entry.license().equals(publication.license())) {
                throw new IllegalStateException(
                        publication.name()
                                + " is published under "
                                + entry.license()
                                + ", and all versions have one licence: publish under "
                                + publication.license()
                                + " by another name");
            }
        }
        JsonObject json = Json.parse(text, file.toString()).object();
        if (publication.description() != null) {
            json.addProperty("description", publication.description());
        }
        return json;
    }

    private static JsonObject newMetadata(AdapterPublication publication) {
        JsonObject json = new JsonObject();
        json.addProperty("metadataVersion", "0.2");
        json.addProperty("resourceType", "model");
        json.addProperty("application", RepositoryLayout.APPLICATION.getPath());
        json.addProperty("groupId", publication.groupId());
        json.addProperty("artifactId", publication.name());
        json.addProperty("name", publication.name());
        json.addProperty(
                "description",
                publication.description() == null
                        ? "A LoRA adapter for " + publication.base()
                        : publication.description());
        JsonObject license = new JsonObject();
        license.addProperty("name", publication.license());
        JsonObject licenses = new JsonObject();
        licenses.add(publication.license(), license);
        json.add("licenses", licenses);
        json.add("artifacts", new JsonArray());
        return json;
    }

    private static JsonObject artifact(AdapterPublication publication, String uri, Path archive)
            throws IOException {
        JsonObject artifact = new JsonObject();
        artifact.addProperty("version", publication.version());
        artifact.addProperty("snapshot", false);
        artifact.addProperty("name", publication.name());
        JsonObject properties = new JsonObject();
        publication.properties().forEach(properties::addProperty);
        artifact.add("properties", properties);
        JsonObject base = new JsonObject();
        base.addProperty("id", publication.base());
        if (publication.revision() != null) {
            base.addProperty("revision", publication.revision());
        }
        if (publication.baseFingerprint() != null) {
            base.addProperty("sha256", publication.baseFingerprint());
        }
        JsonObject arguments = new JsonObject();
        arguments.add("base", base);
        if (!publication.metrics().isEmpty()) {
            JsonObject metrics = new JsonObject();
            publication.metrics().forEach(metrics::addProperty);
            arguments.add("metrics", metrics);
        }
        artifact.add("arguments", arguments);
        JsonObject file = new JsonObject();
        file.addProperty("uri", uri);
        file.addProperty("name", "");
        file.addProperty("size", Files.size(archive));
        file.addProperty("sha1Hash", Digests.sha1(archive));
        file.addProperty("sha256Hash", Digests.sha256(archive));
        JsonObject files = new JsonObject();
        files.add("adapter", file);
        artifact.add("files", files);
        return artifact;
    }

    /** Brings the newest version to the front, which DJL takes where none is asked for. */
    private static void sort(JsonObject json) {
        List<JsonElement> artifacts = new ArrayList<>();
        json.get("artifacts").getAsJsonArray().forEach(artifacts::add);
        artifacts.sort(
                Comparator.comparing(
                        (JsonElement a) -> a.getAsJsonObject().get("version").getAsString(),
                        RepositoryLayout.versionOrder().reversed()));
        JsonArray sorted = new JsonArray();
        artifacts.forEach(sorted::add);
        json.add("artifacts", sorted);
    }

    /** Reads back what will be written, so that nothing unreadable is. */
    private static AdapterEntry find(
            String text, String path, Path file, AdapterPublication publication)
            throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return MetadataFile.read(bytes, path, file.toString()).stream()
                .filter(entry -> entry.version().equals(publication.version()))
                .findFirst()
                .orElseThrow();
    }

    private List<String> metadataFiles() throws IOException {
        try (Stream<Path> walk = Files.walk(root)) {
            return walk.filter(f -> f.endsWith(RepositoryLayout.METADATA))
                    .map(f -> root.relativize(f).toString().replace('\\', '/'))
                    .toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }
}

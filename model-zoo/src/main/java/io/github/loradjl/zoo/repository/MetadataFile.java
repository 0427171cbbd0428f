package io.github.loradjl.zoo.repository;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Reads DJL's {@code metadata.json}. A class, block factory or translator that it names is not
 * looked at: adapters are loaded by this library alone.
 */
public final class MetadataFile {

    private static final int MAX_VERSIONS = 10_000;
    private static final long MAX_SIZE = 1L << 40;

    private MetadataFile() {}

    /**
     * Reads all versions of an artifact.
     *
     * @param text the file
     * @param path its path in the repository
     * @param where its place, for messages
     * @return the versions
     * @throws IOException if anything in it is missing, malformed or out of place
     */
    public static List<AdapterEntry> read(byte[] text, String path, String where)
            throws IOException {
        Json json = Json.parse(text, where);
        String groupId = json.required("groupId");
        String artifactId = json.required("artifactId");
        if (!RepositoryLayout.isGroup(groupId)) {
            throw json.wrong("groupId", "names of letters and digits with dots between them");
        }
        if (!RepositoryLayout.isName(artifactId)) {
            throw json.wrong("artifactId", "a name of letters, digits, dots and hyphens");
        }
        String folder = path.substring(0, path.length() - RepositoryLayout.METADATA.length());
        if (!folder.endsWith("/" + groupId.replace('.', '/') + "/" + artifactId + "/")) {
            throw new IOException(
                    where
                            + " calls itself "
                            + groupId
                            + ":"
                            + artifactId
                            + ", which has its place in "
                            + RepositoryLayout.folder(groupId, artifactId));
        }
        List<AdapterEntry> entries = new ArrayList<>();
        Set<String> versions = new HashSet<>();
        for (JsonElement element : json.list("artifacts")) {
            if (!element.isJsonObject()) {
                throw json.wrong("artifacts", "a list of objects");
            }
            Json artifact = new Json(element.getAsJsonObject(), where + ", artifacts");
            String version = artifact.required("version");
            if (!RepositoryLayout.isName(version) || !versions.add(version)) {
                throw artifact.wrong("version", "a name of its own, such as 0.0.1");
            }
            if (versions.size() > MAX_VERSIONS) {
                throw json.wrong("artifacts", "shorter");
            }
            entries.add(entry(json, artifact, groupId, artifactId, folder));
        }
        return entries;
    }

    private static AdapterEntry entry(
            Json json, Json artifact, String groupId, String artifactId, String folder)
            throws IOException {
        String version = artifact.required("version");
        Map<String, String> properties = new TreeMap<>();
        Json listed = artifact.child("properties");
        for (String key : listed.object().keySet()) {
            listed.required(key);
            properties.put(key, listed.line(key));
        }
        if (!properties.containsKey("base")) {
            throw listed.wrong("base", "the name of the base model: it is required");
        }
        properties.put("version", version);
        Json base = artifact.child("arguments").child("base");
        Map<String, Double> metrics = new LinkedHashMap<>();
        Json numbers = artifact.child("arguments").child("metrics");
        for (String key : numbers.object().keySet()) {
            metrics.put(key, numbers.number(key));
        }
        return new AdapterEntry(
                groupId,
                artifactId,
                version,
                json.line("description"),
                license(json),
                Collections.unmodifiableMap(properties),
                new AdapterEntry.Base(
                        properties.get("base"), base.line("revision"), digest(base, "sha256", 64)),
                Collections.unmodifiableMap(metrics),
                archive(artifact, folder));
    }

    private static String license(Json json) throws IOException {
        JsonObject licenses = json.child("licenses").object();
        return licenses.isEmpty() ? null : licenses.keySet().iterator().next();
    }

    private static AdapterEntry.Archive archive(Json artifact, String folder) throws IOException {
        Json files = artifact.child("files");
        if (files.object().size() != 1) {
            throw artifact.wrong("files", "one zip file");
        }
        Json file = files.child(files.object().keySet().iterator().next());
        String uri = file.required("uri");
        if (!uri.endsWith(".zip")) {
            throw file.wrong("uri", "the path of a .zip file");
        }
        double size = file.number("size");
        if (size < 1 || size > MAX_SIZE || size != Math.rint(size)) {
            throw file.wrong("size", "a number of bytes");
        }
        String sha1 = digest(file, "sha1Hash", 40);
        if (sha1 == null) {
            throw file.wrong("sha1Hash", "40 hexadecimal digits");
        }
        String path;
        try {
            path = RepositoryLayout.resolve(folder, uri);
        } catch (IOException e) {
            throw new IOException(file.where() + ": uri " + e.getMessage(), e);
        }
        return new AdapterEntry.Archive(path, (long) size, sha1, digest(file, "sha256Hash", 64));
    }

    private static String digest(Json json, String key, int digits) throws IOException {
        String text = json.text(key);
        if (text != null && !text.matches("[0-9a-f]{" + digits + "}")) {
            throw json.wrong(key, digits + " hexadecimal digits");
        }
        return text;
    }
}

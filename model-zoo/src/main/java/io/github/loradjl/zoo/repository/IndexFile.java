package io.github.loradjl.zoo.repository;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/** The list of all metadata files of a repository, for readers that cannot list folders. */
public final class IndexFile {

    private static final String KEY = "metadata";

    private IndexFile() {}

    /**
     * Writes a list.
     *
     * @param paths paths of metadata files in the repository
     * @return the text
     */
    public static String toText(Collection<String> paths) {
        JsonObject json = new JsonObject();
        json.addProperty("version", 1);
        JsonArray list = new JsonArray();
        new TreeSet<>(paths).forEach(list::add);
        json.add(KEY, list);
        return Json.toText(json);
    }

    static List<String> parse(byte[] text, String where) throws IOException {
        Json json = Json.parse(text, where);
        List<String> paths = new ArrayList<>();
        for (JsonElement path : json.list(KEY)) {
            if (!path.isJsonPrimitive()) {
                throw json.wrong(KEY, "a list of paths");
            }
            String resolved = RepositoryLayout.resolve("", path.getAsString());
            if (!resolved.endsWith("/" + RepositoryLayout.METADATA)) {
                throw json.wrong(KEY, "a list of paths of " + RepositoryLayout.METADATA);
            }
            paths.add(resolved);
        }
        return paths;
    }
}

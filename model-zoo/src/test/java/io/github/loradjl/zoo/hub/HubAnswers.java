package io.github.loradjl.zoo.hub;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;

/** What a hub says of a repository, and the hashes that it knows contents by. */
final class HubAnswers {

    private HubAnswers() {}

    static boolean isLarge(String file) {
        return file.endsWith(".safetensors") || file.endsWith(".bin");
    }

    static String info(String id, String commit, Map<String, byte[]> files) {
        JsonArray siblings = new JsonArray();
        files.forEach(
                (path, content) -> {
                    JsonObject file = new JsonObject();
                    file.addProperty("rfilename", path);
                    file.addProperty("size", content.length);
                    file.addProperty("blobId", gitHash(content));
                    if (isLarge(path)) {
                        file.add("lfs", lfs("sha256", content));
                    }
                    siblings.add(file);
                });
        JsonObject json = new JsonObject();
        json.addProperty("id", id);
        json.addProperty("sha", commit);
        json.add("siblings", siblings);
        return json.toString();
    }

    static String tree(Map<String, byte[]> files) {
        JsonArray entries = new JsonArray();
        files.forEach(
                (path, content) -> {
                    JsonObject file = new JsonObject();
                    file.addProperty("type", "file");
                    file.addProperty("path", path);
                    file.addProperty("size", content.length);
                    file.addProperty("oid", gitHash(content));
                    if (isLarge(path)) {
                        file.add("lfs", lfs("oid", content));
                    }
                    entries.add(file);
                });
        return entries.toString();
    }

    private static JsonObject lfs(String key, byte[] content) {
        JsonObject lfs = new JsonObject();
        lfs.addProperty(key, hash("SHA-256", content));
        lfs.addProperty("size", content.length);
        lfs.addProperty("pointerSize", 134);
        return lfs;
    }

    static String gitHash(byte[] content) {
        byte[] header = ("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII);
        byte[] both = Arrays.copyOf(header, header.length + content.length);
        System.arraycopy(content, 0, both, header.length, content.length);
        return hash("SHA-1", both);
    }

    static String hash(String algorithm, byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}

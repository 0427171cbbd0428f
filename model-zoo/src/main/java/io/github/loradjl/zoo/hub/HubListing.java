package io.github.loradjl.zoo.hub;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import com.google.gson.annotations.SerializedName;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a repository holds at a commit, as far as it is wanted. A commit never changes, so a listing
 * is good forever.
 *
 * @param commit the hash of the commit
 * @param files the files that are wanted
 */
record HubListing(String commit, List<HubFile> files) {

    private static final int FORMAT = 1;
    private static final Gson GSON = new GsonBuilder().setPrettyPrinting().create();

    /**
     * Reads the hub's answer.
     *
     * @throws HubException if the answer is not what hubs say, a name is hostile, or nothing there
     *     can be loaded
     */
    static HubListing parse(String json, HubId id) throws HubException {
        Answer answer;
        try {
            answer = GSON.fromJson(json, Answer.class);
        } catch (JsonParseException e) {
            throw malformed(id, e.getMessage());
        }
        if (answer == null
                || answer.sha == null
                || answer.siblings == null
                || !HubId.isCommit(answer.sha)) {
            throw malformed(id, "it names no commit and its files");
        }
        List<HubFile> files = new ArrayList<>();
        List<String> others = new ArrayList<>();
        for (Sibling sibling : answer.siblings) {
            if (sibling == null || sibling.path == null) {
                throw malformed(id, "a file has no name");
            }
            if (HubFile.isHostile(sibling.path)) {
                throw new HubException(
                        "the hub lists a file of "
                                + id
                                + " named \""
                                + Printable.of(sibling.path)
                                + "\", which would be written outside the cache; nothing was"
                                + " fetched. Do not use this model");
            }
            if (HubFile.isWanted(sibling.path)) {
                files.add(sibling.file(id));
            } else {
                others.add(sibling.path);
            }
        }
        if (files.stream().noneMatch(HubFile::isWeights)) {
            throw new HubException(noWeights(id, others));
        }
        return new HubListing(answer.sha, List.copyOf(files));
    }

    private static HubException malformed(HubId id, String what) {
        return new HubException(
                "the answer about "
                        + id
                        + " is not a hub's ("
                        + Printable.of(what)
                        + "); check HF_ENDPOINT, and whether the network asks for a login");
    }

    private static String noWeights(HubId id, List<String> others) {
        String pickle =
                others.stream()
                        .filter(path -> path.matches(".*\\.(bin|pt|pth|ckpt)"))
                        .findFirst()
                        .map(
                                path ->
                                        ", only "
                                                + Printable.of(path)
                                                + ", which can run code and is"
                                                + " never loaded")
                        .orElse("");
        return id
                + " has no weights in safetensors"
                + pickle
                + "; look for a revision or a copy with safetensors";
    }

    /** Writes the listing as huggingface_hub writes those that it keeps. */
    String toJson() {
        Kept kept = new Kept();
        kept.format = FORMAT;
        kept.files = new TreeMap<>();
        for (HubFile file : files) {
            Entry entry = new Entry();
            entry.size = file.size();
            if (file.isSha256()) {
                entry.lfsSha256 = file.etag();
                entry.lfsSize = file.size();
            } else {
                entry.blobId = file.etag();
            }
            kept.files.put(file.path(), entry);
        }
        return GSON.toJson(kept);
    }

    /** Reads a listing that is kept, or returns null if it cannot be understood. */
    static HubListing fromJson(String commit, String json) {
        Kept kept;
        try {
            kept = GSON.fromJson(json, Kept.class);
        } catch (JsonParseException e) {
            return null;
        }
        if (kept == null || kept.format != FORMAT || kept.files == null) {
            return null;
        }
        List<HubFile> files = new ArrayList<>();
        for (Map.Entry<String, Entry> file : kept.files.entrySet()) {
            if (HubFile.isWanted(file.getKey())) {
                Entry entry = file.getValue();
                HubFile wanted = entry == null ? null : entry.file(file.getKey());
                if (wanted == null) {
                    return null;
                }
                files.add(wanted);
            }
        }
        return new HubListing(commit, List.copyOf(files));
    }

    /** The hub's answer about a repository. */
    private static final class Answer {
        private String sha;
        private List<Sibling> siblings;
    }

    /** A file in that answer. */
    private static final class Sibling {
        @SerializedName("rfilename")
        private String path;

        private Long size;
        private String blobId;
        private Lfs lfs;

        private HubFile file(HubId id) throws HubException {
            Long bytes = lfs == null ? size : lfs.size;
            String etag = lfs == null ? blobId : lfs.sha256;
            if (!HubFile.isValid(bytes, etag)) {
                throw malformed(id, path + " has no size or no hash");
            }
            return new HubFile(path, bytes, etag);
        }
    }

    /** What is said of a large file. */
    private static final class Lfs {
        private Long size;
        private String sha256;
    }

    /** A listing as it is kept. */
    private static final class Kept {
        @SerializedName("format_version")
        private int format;

        private Map<String, Entry> files;
    }

    /** A file in a listing that is kept. */
    private static final class Entry {
        private Long size;

        @SerializedName("blob_id")
        private String blobId;

        @SerializedName("lfs_sha256")
        private String lfsSha256;

        @SerializedName("lfs_size")
        private Long lfsSize;

        private HubFile file(String path) {
            Long bytes = lfsSha256 == null ? size : lfsSize;
            String etag = lfsSha256 == null ? blobId : lfsSha256;
            return HubFile.isValid(bytes, etag) ? new HubFile(path, bytes, etag) : null;
        }
    }
}

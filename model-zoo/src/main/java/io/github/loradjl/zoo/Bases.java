package io.github.loradjl.zoo;

import ai.djl.util.Progress;

import io.github.loradjl.zoo.hub.HubId;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Finds the folder of a base model by whatever names it. */
final class Bases {

    private Bases() {}

    /**
     * Finds a base model.
     *
     * @param base a folder, or a name in the zoo or on the hub
     * @param revision the revision on the hub, or null
     * @param who what needs it, for messages
     * @param progress is told of a download, or null
     */
    static Path folder(Object base, String revision, String who, Progress progress)
            throws IOException {
        if (base instanceof Path path) {
            return path;
        }
        String id = String.valueOf(base);
        BaseEntry entry = entry(id, revision);
        if (entry != null) {
            return entry.folder(progress);
        }
        throw new IOException(
                who
                        + " belongs to the base "
                        + id
                        + ", which is neither in the zoo nor on the Hugging Face hub: give its"
                        + " folder as the argument base");
    }

    /** Tells whether a base is to be had without the network. */
    static boolean isFetched(String id, String revision) throws IOException {
        BaseEntry entry = entry(id, revision);
        return entry != null && entry.isFetched();
    }

    private static BaseEntry entry(String id, String revision) {
        BaseEntry entry = BaseEntry.find(id);
        if (entry == null && HubId.isHubId(id)) {
            entry = BaseEntry.onHub(id);
        }
        return entry == null || revision == null ? entry : entry.at(revision);
    }

    /** Reads the argument {@code base} of a criteria, which may name a folder. */
    static Object argument(Object value) {
        if (value instanceof String text) {
            try {
                return Files.isDirectory(Path.of(text)) ? Path.of(text) : text;
            } catch (InvalidPathException e) {
                return text;
            }
        }
        return value;
    }
}

package io.github.loradjl.zoo;

import ai.djl.util.Progress;

import io.github.loradjl.zoo.hub.HubClient;
import io.github.loradjl.zoo.hub.HubId;

import java.io.IOException;
import java.nio.file.Path;

/** Base models that are on the Hugging Face hub. */
final class HubModels {

    private HubModels() {}

    /**
     * Returns the folder of a model on the hub, fetched if need be.
     *
     * @param hubId {@code owner/name[@revision]}
     * @param revision a commit, branch or tag that counts before that of the id, or null
     * @param progress is told of the download, or null
     * @throws IOException if the model cannot be fetched
     */
    static Path folder(String hubId, String revision, Progress progress) throws IOException {
        return HubClient.builder().build().snapshot(id(hubId, revision), progress);
    }

    /** Tells whether a model is in the hub's cache. */
    static boolean isFetched(String hubId, String revision) throws IOException {
        return HubClient.builder().build().cached(id(hubId, revision)).isPresent();
    }

    private static HubId id(String hubId, String revision) throws IOException {
        try {
            HubId id = HubId.parse(hubId);
            return revision == null ? id : id.withRevision(revision);
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
    }
}

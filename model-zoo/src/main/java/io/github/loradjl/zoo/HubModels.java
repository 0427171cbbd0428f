package io.github.loradjl.zoo;

import java.io.IOException;
import java.nio.file.Path;

/** Base models that are on the Hugging Face hub. */
final class HubModels {

    private HubModels() {}

    /**
     * Returns the folder of a model on the hub, fetched if need be.
     *
     * @param hubId {@code owner/name}
     * @param revision a commit, branch or tag, or null for the newest
     * @throws IOException if the model cannot be fetched
     */
    static Path folder(String hubId, String revision) throws IOException {
        throw new IOException(
                hubId
                        + (revision == null ? "" : "@" + revision)
                        + " is on the Hugging Face hub, and the client for the hub is missing:"
                        + " download the model and load its folder by HuggingFaceFolder.zoo");
    }
}

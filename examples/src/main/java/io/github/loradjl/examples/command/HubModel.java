package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.hub.HubClient;
import io.github.loradjl.zoo.hub.HubException;
import io.github.loradjl.zoo.hub.HubId;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A model that {@code --model} names on the Hugging Face hub. */
final class HubModel {

    private HubModel() {}

    /** Reads a value as a name on the hub, unless something on the disk has that name. */
    static Optional<HubId> id(Path value) {
        return Files.exists(value) ? Optional.empty() : id(value.toString());
    }

    /** Reads a text, such as one of a configuration, as a name on the hub. */
    static Optional<HubId> id(String value) {
        String text = value.replace(File.separatorChar, '/');
        return HubId.isHubId(text) ? Optional.of(HubId.parse(text)) : Optional.empty();
    }

    /**
     * Returns the folder, fetched if need be.
     *
     * @param id the name
     * @return a folder in the hub's cache, whose own name is the commit
     * @throws IOException if it cannot be fetched
     */
    static Path fetch(HubId id) throws IOException {
        try (HubProgress progress = new HubProgress(System.err)) {
            return HubClient.builder().build().snapshot(id, progress);
        } catch (HubException e) {
            throw new IOException("--model " + id + " is no folder here; " + e.getMessage(), e);
        }
    }
}

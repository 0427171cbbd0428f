package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.hub.HubClient;
import io.github.loradjl.zoo.hub.HubException;
import io.github.loradjl.zoo.hub.HubId;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A folder that an option names: one on the disk, or a model or adapter of the Hugging Face hub.
 */
final class NamedFolder {

    private NamedFolder() {}

    /** Reads a value as a name on the hub, unless something on the disk has that name. */
    static Optional<HubId> hubId(Path value) {
        String text = value.toString().replace(File.separatorChar, '/');
        return !Files.exists(value) && HubId.isHubId(text)
                ? Optional.of(HubId.parse(text))
                : Optional.empty();
    }

    /**
     * Returns the folder, fetched if need be.
     *
     * @param option the option's name, for the message
     * @param value its value
     * @return a folder in the hub's cache, or the value itself if it is no name on the hub
     * @throws IOException if it cannot be fetched
     */
    static Path find(String option, Path value) throws IOException {
        Optional<HubId> id = hubId(value);
        if (id.isEmpty()) {
            return value;
        }
        try (HubProgress progress = new HubProgress(System.err)) {
            return HubClient.builder().build().snapshot(id.get(), progress);
        } catch (HubException e) {
            throw new IOException(
                    option + " " + value + " is no folder here; " + e.getMessage(), e);
        }
    }
}

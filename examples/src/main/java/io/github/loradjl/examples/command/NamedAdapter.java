package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.checkpoint.AdapterArgument;
import io.github.loradjl.zoo.hub.HubException;
import io.github.loradjl.zoo.hub.HubId;
import io.github.loradjl.zoo.repository.AdapterRepositories;

import java.io.File;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * An adapter that an option names: a folder on the disk, one in a repository, or one of the Hugging
 * Face hub.
 */
final class NamedAdapter {

    static final String DESCRIPTION =
            "Adapter folder of finetune or PEFT, or owner/name on the Hugging Face hub, or"
                    + " group:name:version (or the name alone) in a repository of"
                    + " LORA_REPOSITORIES";

    private NamedAdapter() {}

    /**
     * Returns the folder, fetched if need be.
     *
     * @param option the option's name, for the message
     * @param value its value, or null
     * @return the folder, or null without a value
     * @throws IOException if there is no such adapter, or it cannot be fetched
     */
    static Path find(String option, String value) throws IOException {
        if (value == null) {
            return null;
        }
        try (HubProgress progress = new HubProgress(System.err)) {
            return AdapterArgument.read(value, id -> fetch(id, progress)).get(0).folder();
        } catch (HubException e) {
            throw new IOException(
                    option + " " + value + " is no folder here; " + e.getMessage(), e);
        }
    }

    private static Path fetch(String name, HubProgress progress) throws IOException {
        boolean isOfHub = HubId.isHubId(name);
        if (!isOfHub && (name.contains("/") || name.contains(File.separator))) {
            throw new NoSuchFileException(name);
        }
        if (!isOfHub && AdapterRepositories.configured().isEmpty()) {
            throw new IOException(
                    "there is no adapter "
                            + name
                            + ": it is neither a folder nor owner/name on the Hugging Face hub, and"
                            + " LORA_REPOSITORIES names no repository");
        }
        return AdapterRepositories.fetch(name, progress);
    }
}

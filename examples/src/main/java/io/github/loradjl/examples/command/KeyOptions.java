package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.text.PromptRow;
import io.github.loradjl.zoo.text.TextDataset;
import picocli.CommandLine.Option;

/** Where the texts of a row are. */
final class KeyOptions {

    @Option(
            names = "--prompt-key",
            paramLabel = "KEY",
            defaultValue = "prompt",
            description = "Key of the prompt (default: ${DEFAULT-VALUE}).")
    private String promptKey;

    @Option(
            names = "--completion-key",
            paramLabel = "KEY",
            defaultValue = "completion",
            description = "Key of the completion (default: ${DEFAULT-VALUE}).")
    private String completionKey;

    @Option(
            names = "--text-key",
            paramLabel = "KEY",
            defaultValue = "text",
            description = "Key of a text learnt as a whole (default: ${DEFAULT-VALUE}).")
    private String textKey;

    @Option(
            names = "--separator",
            paramLabel = "TEXT",
            defaultValue = "",
            description = "Text between prompt and completion (default: none).")
    private String separator;

    void applyTo(TextDataset.Builder builder) {
        builder.optKeys(promptKey, completionKey).optTextKey(textKey).optSeparator(separator);
    }

    PromptRow.Keys keys() {
        return new PromptRow.Keys(promptKey, completionKey, textKey);
    }

    String separator() {
        return separator;
    }
}

package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.text.PromptRow;
import io.github.loradjl.zoo.text.TextDataset;
import io.github.loradjl.zoo.text.TextDatasetBuilder;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

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
            names = "--prompt-format",
            paramLabel = "TEXT",
            converter = Format.class,
            defaultValue = TextDatasetBuilder.PROMPT,
            description =
                    "What the model is given, with {prompt} for the prompt and \\n"
                            + " for a line break, as \"Q: {prompt}\\n"
                            + "A: \" (default: the prompt alone).")
    private String promptFormat;

    /** A text with a place for the prompt. */
    static final class Format implements ITypeConverter<String> {

        /** {@inheritDoc} */
        @Override
        public String convert(String text) {
            if (!text.contains(TextDatasetBuilder.PROMPT)) {
                throw new TypeConversionException(
                        "'" + text + "' has no " + TextDatasetBuilder.PROMPT + " in it");
            }
            return text.replace("\\n", "\n");
        }
    }

    void applyTo(TextDataset.Builder builder) {
        builder.optKeys(promptKey, completionKey).optTextKey(textKey).optPromptFormat(promptFormat);
    }

    PromptRow.Keys keys() {
        return new PromptRow.Keys(promptKey, completionKey, textKey);
    }

    String format(String prompt) {
        return promptFormat.replace(TextDatasetBuilder.PROMPT, prompt);
    }
}

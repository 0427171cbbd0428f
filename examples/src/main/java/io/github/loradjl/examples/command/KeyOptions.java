package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.text.PromptRow;
import io.github.loradjl.zoo.text.TextDataset;
import io.github.loradjl.zoo.text.TextDatasetBuilder;
import io.github.loradjl.zoo.text.task.ClassificationTask;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

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

    @Mixin private TaskOptions taskOptions;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

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

    /** Returns the task that the rows are of, or null. */
    ClassificationTask task() throws IOException {
        ClassificationTask task = taskOptions.read();
        if (task != null && !keys().equals(new PromptRow.Keys("prompt", "completion", "text"))) {
            throw new ParameterException(
                    command.commandLine(),
                    "--task says itself where the texts of a row are: leave --prompt-key,"
                            + " --completion-key and --text-key out");
        }
        return task;
    }

    void applyTo(TextDataset.Builder builder) throws IOException {
        builder.optTask(task());
        builder.optKeys(promptKey, completionKey).optTextKey(textKey).optPromptFormat(promptFormat);
    }

    /** Reads rows for answering. */
    List<PromptRow> read(Path data, long limit) throws IOException {
        ClassificationTask task = task();
        return task == null
                ? PromptRow.read(data, keys(), limit)
                : PromptRow.read(data, task, limit);
    }

    private PromptRow.Keys keys() {
        return new PromptRow.Keys(promptKey, completionKey, textKey);
    }

    String format(String prompt) {
        return promptFormat.replace(TextDatasetBuilder.PROMPT, prompt);
    }
}

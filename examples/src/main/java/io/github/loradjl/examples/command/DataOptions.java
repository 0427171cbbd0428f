package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.text.TextDataset;
import io.github.loradjl.zoo.text.TextTokenizer;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a model is trained and validated on. */
final class DataOptions {

    @Option(
            names = "--data",
            paramLabel = "FILE",
            description =
                    "Training rows, .jsonl with text or prompt and completion, or .txt (default:"
                            + " the questions about stories that ship).")
    private Path data;

    @Option(
            names = "--validation",
            paramLabel = "FILE",
            description = "Validation rows (default: held out of --data, or those that ship).")
    private Path validation;

    @Option(
            names = "--hold-out",
            paramLabel = "SHARE",
            defaultValue = "0.05",
            description =
                    "Share of --data to hold out where there is no --validation; 0 for none"
                            + " (default: ${DEFAULT-VALUE}).")
    private double holdOut;

    @Option(
            names = "--max-length",
            paramLabel = "N",
            description = "Most tokens of a row (default: 1024, or what the model allows).")
    private Integer maxLength;

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

    @Option(names = "--train-on-prompt", description = "Learn the prompt as well.")
    private boolean trainOnPrompt;

    /** Training data, and validation data or null. */
    record Data(TextDataset train, TextDataset validation) {}

    boolean isShipped() {
        return data == null;
    }

    Path trainFile() {
        return isShipped() ? shipped("train.jsonl") : data;
    }

    Path validationFile() {
        return validation == null && isShipped() ? shipped("validation.jsonl") : validation;
    }

    /** The launcher says where the examples are. */
    private static Path shipped(String name) {
        Path file = Path.of(System.getProperty("lora.examples", "."), "data", name);
        if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException(
                    "the data that ships is not at "
                            + file
                            + ": run examples/lora, or give --data");
        }
        return file;
    }

    Data read(TextTokenizer tokenizer, int batchSize, long seed) throws IOException {
        TextDataset train = dataset(trainFile(), tokenizer, batchSize, true, seed);
        train.prepare(null);
        if (validationFile() != null) {
            TextDataset held = dataset(validationFile(), tokenizer, batchSize, false, seed);
            held.prepare(null);
            return new Data(train, held);
        }
        if (holdOut == 0) {
            return new Data(train, null);
        }
        try {
            TextDataset.Split split = train.split(holdOut, seed);
            return new Data(split.train(), split.validation());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    e.getMessage() + "; change --hold-out, or give --validation", e);
        }
    }

    private TextDataset dataset(
            Path file, TextTokenizer tokenizer, int batchSize, boolean shuffle, long seed) {
        TextDataset.Builder builder =
                TextDataset.builder()
                        .setTokenizer(tokenizer)
                        .setFile(file)
                        .setSampling(batchSize, shuffle)
                        .optSeed(seed)
                        .optKeys(promptKey, completionKey)
                        .optTextKey(textKey)
                        .optSeparator(separator)
                        .optTrainOnPrompt(trainOnPrompt);
        if (maxLength != null) {
            builder.optMaxLength(maxLength);
        }
        return builder.build();
    }

    String promptKey() {
        return promptKey;
    }

    String completionKey() {
        return completionKey;
    }

    String textKey() {
        return textKey;
    }

    String separator() {
        return separator;
    }
}

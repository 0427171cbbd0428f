package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.text.TextDataset;
import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.chat.ChatTemplate;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What a model is trained and validated on. */
final class DataOptions {

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--data",
            paramLabel = "PATH",
            split = ",",
            description =
                    "Training rows: .jsonl, .csv, .tsv or .txt files, or folders of them, separated"
                        + " by commas. Rows have messages, prompt and completion, text, or alpaca's"
                        + " instruction, input and output (default: the questions about stories"
                        + " that ship).")
    private List<Path> data;

    @Option(
            names = "--data-weights",
            paramLabel = "X",
            split = ",",
            converter = Numbers.PositiveReal.class,
            description =
                    "How often the rows of each --data come in an epoch: 2 for twice, 0.5 for half"
                            + " of them (default: 1 each).")
    private List<Double> dataWeights;

    @Option(
            names = "--limit",
            paramLabel = "N",
            converter = Numbers.Positive.class,
            description = "Read so many rows of --data (default: all).")
    private Integer limit;

    @Option(
            names = "--validation",
            paramLabel = "PATH",
            description =
                    "Validation rows, a file or folder (default: held out of --data, or those that"
                            + " ship).")
    private Path validation;

    @Option(
            names = "--validation-limit",
            paramLabel = "N",
            converter = Numbers.Positive.class,
            description = "Read so many rows of --validation (default: all).")
    private Integer validationLimit;

    @Option(
            names = "--hold-out",
            paramLabel = "SHARE",
            defaultValue = "0.05",
            converter = Numbers.ShareBelowOne.class,
            description =
                    "Share of --data to hold out where there is no --validation; 0 for none"
                            + " (default: ${DEFAULT-VALUE}).")
    private double holdOut;

    /** Training data, and validation data or null. */
    record Data(TextDataset train, TextDataset validation) {}

    /** Checks what no option can check alone. */
    void check() {
        int sources = data == null ? 0 : data.size();
        if (dataWeights != null && dataWeights.size() != sources) {
            throw new ParameterException(
                    command.commandLine(),
                    "--data-weights has "
                            + dataWeights.size()
                            + " numbers for "
                            + sources
                            + " --data: give one for each");
        }
    }

    boolean isShipped() {
        return data == null;
    }

    List<Path> trainFiles() {
        return isShipped() ? List.of(shipped("train.jsonl")) : data;
    }

    Path validationFile() {
        return validation == null && isShipped() ? shipped("validation.jsonl") : validation;
    }

    /** Returns the most rows to read of the validation file. */
    long validationLimit() {
        return validationLimit == null ? Long.MAX_VALUE : validationLimit;
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

    /**
     * Reads the rows.
     *
     * @param tokenizer the model's tokenizer
     * @param template the model's chat template, or null if it has none
     * @param rows how rows become tokens
     * @param encoderDecoder whether prompts are read by an encoder
     */
    Data read(
            TextTokenizer tokenizer,
            ChatTemplate template,
            RowOptions rows,
            boolean encoderDecoder,
            int batchSize,
            long seed)
            throws IOException {
        rows.check(encoderDecoder);
        if (rows.isChat() && template == null) {
            throw new IllegalArgumentException(
                    "--chat needs a chat template, and the model has none: leave it out, or take an"
                            + " instruct model");
        }
        TextDataset.Builder builder =
                builder(tokenizer, template, rows, batchSize, rows.isShuffled(), seed)
                        .optEncoderDecoder(encoderDecoder);
        List<Path> files = trainFiles();
        for (int i = 0; i < files.size(); i++) {
            builder.addFile(files.get(i), dataWeights == null ? 1 : dataWeights.get(i));
        }
        if (limit != null) {
            builder.optLimit(limit);
        }
        TextDataset train = builder.build();
        train.prepare(null);
        if (validationFile() != null) {
            TextDataset held =
                    builder(tokenizer, template, rows, batchSize, false, seed)
                            .optEncoderDecoder(encoderDecoder)
                            .setFile(validationFile())
                            .optLimit(validationLimit())
                            .build();
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

    private TextDataset.Builder builder(
            TextTokenizer tokenizer,
            ChatTemplate template,
            RowOptions rows,
            int batchSize,
            boolean shuffle,
            long seed)
            throws IOException {
        TextDataset.Builder builder =
                TextDataset.builder()
                        .setTokenizer(tokenizer)
                        .setSampling(batchSize, shuffle)
                        .optSeed(seed)
                        .optChatTemplate(template);
        rows.applyTo(builder);
        return builder;
    }
}

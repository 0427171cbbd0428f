package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.text.TextDataset;
import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.chat.ChatTemplate;
import io.github.loradjl.zoo.text.task.ClassificationTask;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.nio.file.Path;

/** What a model is evaluated on. */
final class EvaluationData {

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "PATH",
            description =
                    "Rows, a .jsonl, .csv or .tsv file or a folder, as finetune reads them. Of"
                            + " messages the assistant's last one is the answer.")
    private Path data;

    @Option(
            names = "--limit",
            paramLabel = "N",
            converter = Numbers.Positive.class,
            description = "Evaluate only the first so many rows (default: all).")
    private Integer limit;

    @Mixin private KeyOptions keyOptions;

    @Option(
            names = "--chat",
            fallbackValue = "true",
            description = "Give the prompt as a user's message in the model's chat template.")
    private boolean chat;

    @Option(
            names = "--max-length",
            paramLabel = "N",
            converter = Numbers.AtLeastTwo.class,
            description =
                    "Most tokens of a row for loss; more are cut off and counted (default: 1024,"
                            + " or what the model allows). For labels, hard and soft, most tokens"
                            + " that an encoder reads of a prompt (default: all).")
    private Integer maxLength;

    /** Checks what no option can check alone. */
    void check(boolean isWritten) {
        if (isWritten && maxLength != null) {
            throw usage("--max-length does not go with --metric exact-match");
        }
    }

    private ParameterException usage(String message) {
        return new ParameterException(command.commandLine(), message);
    }

    /** Returns the model's chat template; null where it has none and none is asked for. */
    ChatTemplate template(ModelOptions model) throws IOException {
        return chat ? ChatTemplate.load(model.folder()) : model.chatTemplate(System.err);
    }

    /** Returns the task that the rows are of, or null. */
    ClassificationTask task() throws IOException {
        return keyOptions.task();
    }

    /** Reads the rows for answering. */
    Examples examples(ChatTemplate template) throws IOException {
        long most = limit == null ? Long.MAX_VALUE : limit;
        return Examples.read(data, keyOptions, most, chat, template).cutTo(maxLength);
    }

    /** Reads the rows for their loss. */
    TextDataset dataset(
            TextTokenizer tokenizer, ChatTemplate template, boolean encoderDecoder, int batchSize)
            throws IOException {
        TextDataset.Builder builder =
                TextDataset.builder()
                        .setTokenizer(tokenizer)
                        .setFile(data)
                        .setSampling(batchSize, false)
                        .optChatTemplate(template)
                        .optEncoderDecoder(encoderDecoder)
                        .optChat(chat);
        keyOptions.applyTo(builder);
        if (limit != null) {
            builder.optLimit(limit);
        }
        if (maxLength != null) {
            builder.optMaxLength(maxLength);
        }
        return builder.build();
    }
}

package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.text.TextDataset;
import io.github.loradjl.zoo.text.chat.ChatTemplate;
import io.github.loradjl.zoo.text.task.ClassificationTask;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.nio.file.Path;

/** How rows become tokens and tokens sequences. */
final class RowOptions {

    @Option(
            names = "--max-length",
            paramLabel = "N",
            converter = Numbers.AtLeastTwo.class,
            description =
                    "Most tokens of a row; more are cut off and counted (default: 1024, or what the"
                            + " model allows).")
    private Integer maxLength;

    @Option(
            names = "--max-target-length",
            paramLabel = "N",
            converter = Numbers.Positive.class,
            description =
                    "Most tokens of an answer, for a model with an encoder, which reads the prompt"
                            + " apart (default: as --max-length).")
    private Integer maxTargetLength;

    @Option(
            names = "--packing",
            fallbackValue = "true",
            description = "Put several rows into one sequence; they do not see each other.")
    private boolean packing;

    @Option(
            names = "--shuffle",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description =
                    "Read the rows in a new order in each epoch, not in that of the files (default:"
                            + " ${DEFAULT-VALUE}).")
    private boolean shuffle;

    @Option(
            names = "--length-groups",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "Put rows of similar length into a batch (default: ${DEFAULT-VALUE}).")
    private boolean lengthGroups;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Mixin private KeyOptions keyOptions;

    @Option(
            names = "--train-on-prompt",
            fallbackValue = "true",
            description = "Learn the prompt as well.")
    private boolean trainOnPrompt;

    @Option(
            names = "--chat",
            fallbackValue = "true",
            description =
                    "Make a conversation of each prompt and completion, through the model's own"
                            + " chat template, as an instruct model knows it.")
    private boolean chat;

    /** Checks what no option can check alone. */
    void check(boolean encoderDecoder) {
        if (encoderDecoder) {
            refuse(packing, "--packing", "is for models without an encoder");
            refuse(trainOnPrompt, "--train-on-prompt", "is for models without an encoder");
        } else {
            refuse(maxTargetLength != null, "--max-target-length", "is for models with one");
        }
    }

    private void refuse(boolean given, String option, String why) {
        if (given) {
            throw new ParameterException(command.commandLine(), option + " " + why);
        }
    }

    void applyTo(TextDataset.Builder builder) throws IOException {
        keyOptions.applyTo(builder);
        builder.optTrainOnPrompt(trainOnPrompt)
                .optChat(chat)
                .optPacking(packing)
                .optLengthGroups(lengthGroups);
        if (maxLength != null) {
            builder.optMaxLength(maxLength);
        }
        if (maxTargetLength != null) {
            builder.optMaxTargetLength(maxTargetLength);
        }
    }

    /** Returns the task that the rows are of, or null. */
    ClassificationTask task() throws IOException {
        return keyOptions.task();
    }

    /** Reads rows of a file as what a model is asked. */
    Examples examples(Path file, long limit, ChatTemplate template) throws IOException {
        return Examples.read(file, keyOptions, limit, chat, template);
    }

    /** Returns the most tokens of a row, or null for the default. */
    Integer maxLength() {
        return maxLength;
    }

    boolean isShuffled() {
        return shuffle;
    }

    boolean isPacking() {
        return packing;
    }

    boolean isChat() {
        return chat;
    }
}

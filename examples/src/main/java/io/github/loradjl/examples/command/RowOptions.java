package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.text.TextDataset;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

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

    void applyTo(TextDataset.Builder builder) {
        keyOptions.applyTo(builder);
        builder.optTrainOnPrompt(trainOnPrompt)
                .optChat(chat)
                .optPacking(packing)
                .optLengthGroups(lengthGroups);
        if (maxLength != null) {
            builder.optMaxLength(maxLength);
        }
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

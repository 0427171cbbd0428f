package io.github.loradjl.examples.command;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where a run leaves its results, how it goes on, and what it shows on its way. */
final class RunOptions {

    @Option(
            names = "--out",
            paramLabel = "DIR",
            defaultValue = "lora-out",
            description = "Folder for the results (default: ${DEFAULT-VALUE}).")
    private Path out;

    @Option(
            names = "--overwrite",
            fallbackValue = "true",
            description = "Replace an adapter that is in --out.")
    private boolean overwrite;

    @Option(
            names = "--resume",
            fallbackValue = "true",
            description = "Go on from the last checkpoint in --out.")
    private boolean resume;

    @Option(
            names = "--init-adapter",
            paramLabel = "DIR",
            description =
                    "Go on training this adapter folder, of finetune or PEFT, in a new run; the"
                            + " options of the adapter are then its own.")
    private Path initAdapter;

    @Option(
            names = "--dry-run",
            fallbackValue = "true",
            description =
                    "Show data, masks, trainable parameters, memory and time, and train nothing.")
    private boolean dryRun;

    @Option(
            names = "--logging-steps",
            paramLabel = "N",
            defaultValue = "1",
            converter = Numbers.Positive.class,
            description = "Steps per line of metrics.jsonl (default: ${DEFAULT-VALUE}).")
    private int loggingSteps;

    @Option(
            names = "--eval-steps",
            paramLabel = "N",
            defaultValue = "0",
            converter = Numbers.NotNegative.class,
            description =
                    "Validate every N steps too, not only after each epoch; 0 for never (default:"
                            + " ${DEFAULT-VALUE}).")
    private int evalSteps;

    @Option(
            names = "--save-steps",
            paramLabel = "N",
            defaultValue = "0",
            converter = Numbers.NotNegative.class,
            description =
                    "Save a checkpoint every N steps; 0 for none (default: ${DEFAULT-VALUE}).")
    private int saveSteps;

    @Option(
            names = "--save-total-limit",
            paramLabel = "N",
            defaultValue = "2",
            converter = Numbers.Positive.class,
            description = "Keep the last N checkpoints (default: ${DEFAULT-VALUE}).")
    private int saveTotalLimit;

    @Option(
            names = "--sample-steps",
            paramLabel = "N",
            defaultValue = "0",
            converter = Numbers.NotNegative.class,
            description =
                    "Show what the model generates every N steps; 0 for before and after only"
                            + " (default: ${DEFAULT-VALUE}).")
    private int sampleSteps;

    @Option(
            names = "--sample-prompt",
            paramLabel = "TEXT",
            description = "Prompt of these samples (default: that of the first validation row).")
    private String samplePrompt;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** Checks what no option can check alone. */
    void check() {
        refuse(resume && overwrite, "--resume goes on with what --overwrite replaces");
        refuse(
                resume && initAdapter != null,
                "--resume goes on with a run, --init-adapter begins a new one");
    }

    private void refuse(boolean isWrong, String why) {
        if (isWrong) {
            throw new ParameterException(command.commandLine(), why + ": give one of the two");
        }
    }

    /** Refuses to write where results are already. */
    void requireFree() throws IOException {
        if (Files.exists(out) && !Files.isDirectory(out)) {
            throw new IOException("--out " + out + " is a file; name a folder");
        }
        if (!resume && !overwrite && Files.exists(adapter())) {
            throw new IOException(
                    adapter() + " exists already: choose another --out, or give --overwrite");
        }
    }

    /** Returns the folder of the adapter. */
    Path adapter() {
        return out.resolve("adapter");
    }

    Path out() {
        return out;
    }

    boolean overwrite() {
        return overwrite;
    }

    boolean resume() {
        return resume;
    }

    Path initAdapter() {
        return initAdapter;
    }

    boolean dryRun() {
        return dryRun;
    }

    int loggingSteps() {
        return loggingSteps;
    }

    int evalSteps() {
        return evalSteps;
    }

    int saveSteps() {
        return saveSteps;
    }

    int saveTotalLimit() {
        return saveTotalLimit;
    }

    int sampleSteps() {
        return sampleSteps;
    }

    String samplePrompt() {
        return samplePrompt;
    }
}

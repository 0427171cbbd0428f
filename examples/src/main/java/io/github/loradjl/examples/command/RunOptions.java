package io.github.loradjl.examples.command;

import io.github.loradjl.examples.config.ConfigDifferences;
import io.github.loradjl.examples.config.ConfigReader;
import io.github.loradjl.training.Checkpoint;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Where a run leaves its results, how it goes on, and what it shows on its way. */
final class RunOptions {

    static final String CONFIGURATION = "config.yaml";
    static final String METRICS = "metrics.jsonl";

    /** What may change when a run goes on: how long it is, and what it says and keeps. */
    private static final Set<String> FREE =
            Set.of(
                    "out",
                    "epochs",
                    "max_steps",
                    "eval_steps",
                    "logging_steps",
                    "save_steps",
                    "save_total_limit",
                    "sample_steps",
                    "sample_prompt",
                    "early_stopping_patience");

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
            paramLabel = "ADAPTER",
            description =
                    "Go on training an adapter in a new run; the options of the adapter are then"
                            + " its own. "
                            + NamedAdapter.DESCRIPTION
                            + ".")
    private String initAdapter;

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
        if (resume || overwrite || dryRun) {
            return;
        }
        if (Files.exists(adapter())) {
            throw new IOException(
                    adapter() + " exists already: choose another --out, or give --overwrite");
        }
        Optional<Checkpoint> last = Checkpoint.latest(checkpoints());
        if (last.isPresent()) {
            throw new IOException(
                    last.get()
                            + " is of a run that has not ended: go on with it by --resume, choose"
                            + " another --out, or give --overwrite");
        }
    }

    /**
     * Finds where to go on.
     *
     * @param configuration what config.yaml would say of this run
     * @return the last checkpoint, or null if a new run begins
     * @throws IOException if the run that left the checkpoint was configured otherwise
     */
    Checkpoint findCheckpoint(String configuration, PrintStream err) throws IOException {
        if (!resume) {
            return null;
        }
        Optional<Checkpoint> last = Checkpoint.latest(checkpoints());
        if (last.isEmpty()) {
            if (Files.exists(adapter())) {
                throw new IOException(
                        adapter()
                                + " is there but no checkpoint in "
                                + checkpoints()
                                + " to resume from; to train the adapter on, give it as"
                                + " --init-adapter with another --out");
            }
            err.println("no checkpoint in " + checkpoints() + " yet: this run begins anew");
            return null;
        }
        Path file = out.resolve(CONFIGURATION);
        List<String> differences = ConfigDifferences.find(file, configuration, FREE);
        if (!differences.isEmpty()) {
            throw new IOException(
                    "the run in "
                            + out
                            + " was begun otherwise: "
                            + String.join("; ", differences)
                            + ". Resume it by --config "
                            + file
                            + " --resume");
        }
        err.println("going on from " + last.get());
        return last.get();
    }

    /** Returns the model of the run to go on with, as it wrote it down, or null. */
    String recordedModel() throws IOException {
        Path file = out.resolve(CONFIGURATION);
        if (!resume || !Files.exists(file)) {
            return null;
        }
        List<String> model = ConfigReader.values(file).getOrDefault("model", List.of());
        return model.isEmpty() ? null : model.get(0);
    }

    /** Removes what a run that begins anew would mix with its own. */
    void clear(Checkpoint resumed) throws IOException {
        Files.createDirectories(out);
        if (resumed == null) {
            NewFolder.delete(checkpoints());
        }
    }

    /** Returns in a few words where the results go. */
    String describe() {
        return out
                + ": adapter/, metrics.jsonl, loss.png, config.yaml"
                + (saveSteps == 0
                        ? ""
                        : ", and the last "
                                + saveTotalLimit
                                + " checkpoints, one every "
                                + saveSteps
                                + " steps");
    }

    /** Returns the folder of the checkpoints. */
    Path checkpoints() {
        return out.resolve("checkpoints");
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

    /** Returns the name of the adapter to go on from, or null. */
    String initAdapter() {
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

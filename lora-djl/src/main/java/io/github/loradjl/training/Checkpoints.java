package io.github.loradjl.training;

import io.github.loradjl.LoraModel;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.peft.SaveOptions;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Where and how often a fine-tuning run is saved: every 100 steps, the last 2 kept, unless set
 * otherwise.
 *
 * <p>A checkpoint is written beside its place and moved there when it is whole, so that the process
 * may be killed at any moment.
 */
public final class Checkpoints {

    private static final String UNFINISHED = ".unfinished-";

    private final LoraModel lora;
    private final AdamW optimizer;
    private final Path folder;
    private final long interval;
    private final int keep;
    private final SaveOptions saveOptions;
    private final String configuration;

    private Checkpoints(Builder builder) {
        lora = builder.lora;
        optimizer = builder.optimizer;
        folder = builder.folder;
        interval = builder.interval;
        keep = builder.keep;
        saveOptions = builder.saveOptions;
        configuration = builder.configuration;
    }

    /**
     * Creates a builder.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    LoraModel model() {
        return lora;
    }

    AdamW optimizer() {
        return optimizer;
    }

    String configuration() {
        return configuration;
    }

    /** Tells whether to save after a step, with which the run ends if there is an end. */
    boolean isDue(long step, FineTuningResult.End end) {
        return end == FineTuningResult.End.INTERRUPTED
                || interval > 0 && (end != null || step % interval == 0);
    }

    void saveAdapter(Path target) throws IOException {
        PeftAdapter.save(lora, target, saveOptions);
    }

    /**
     * Makes the folder fit for a run: without what a killed process left half-written, and without
     * checkpoints that lie after the beginning of the run.
     *
     * @param resumed the checkpoint that the run goes on from, or null for a new run
     * @throws IOException if a new run finds checkpoints of another
     */
    void begin(Checkpoint resumed) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                if (file.getFileName().toString().startsWith(UNFINISHED)) {
                    delete(file);
                }
            }
        }
        List<Path> existing = Checkpoint.list(folder, Checkpoint.STEP);
        if (resumed == null && !existing.isEmpty()) {
            throw new IOException(
                    folder
                            + " holds checkpoints of another run, up to "
                            + existing.get(existing.size() - 1).getFileName()
                            + ": resume that run, delete them, or choose another folder");
        }
        long begun = resumed == null ? 0 : resumed.getStep();
        for (String kind : List.of(Checkpoint.STEP, Checkpoint.BEST)) {
            for (Path checkpoint : Checkpoint.list(folder, kind)) {
                if (Checkpoint.step(checkpoint) > begun) {
                    delete(checkpoint);
                }
            }
        }
    }

    /** Saves the run. */
    Checkpoint save(Checkpoint.Progress progress) throws IOException {
        return save(Checkpoint.STEP, progress, keep);
    }

    /** Saves the run as the best one so far. */
    void saveBest(Checkpoint.Progress progress) throws IOException {
        save(Checkpoint.BEST, progress, 1);
    }

    private Checkpoint save(String kind, Checkpoint.Progress progress, int kept)
            throws IOException {
        Files.createDirectories(folder);
        Path target = folder.resolve("%s%08d".formatted(kind, progress.step()));
        delete(target);
        Path beside = folder.resolve(UNFINISHED + UUID.randomUUID());
        try {
            Files.createDirectory(beside);
            Checkpoint.write(beside, this, progress);
            Files.move(beside, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            delete(beside);
        }
        List<Path> all = Checkpoint.list(folder, kind);
        for (Path old : all.subList(0, Math.max(0, all.size() - kept))) {
            delete(old);
        }
        return Checkpoint.read(target);
    }

    /** Deletes a folder; renamed first, so that half of it is never taken for a checkpoint. */
    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        Path renamed = folder;
        if (!folder.getFileName().toString().startsWith(UNFINISHED)) {
            renamed = folder.resolveSibling(UNFINISHED + UUID.randomUUID());
            Files.move(folder, renamed);
        }
        List<Path> paths;
        try (Stream<Path> walk = Files.walk(renamed)) {
            paths = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : paths) {
            Files.deleteIfExists(path);
        }
    }

    /** Builds {@link Checkpoints}. */
    public static final class Builder {

        private LoraModel lora;
        private AdamW optimizer;
        private Path folder;
        private long interval = 100;
        private int keep = 2;
        private SaveOptions saveOptions = SaveOptions.builder().build();
        private String configuration;

        private Builder() {}

        /**
         * Sets what is trained.
         *
         * @param lora the adapted model, with one active adapter
         * @param optimizer the trainer's optimizer
         * @return this builder
         */
        public Builder setTraining(LoraModel lora, AdamW optimizer) {
            this.lora = lora;
            this.optimizer = optimizer;
            return this;
        }

        /**
         * Sets where checkpoints are saved.
         *
         * @param folder a folder for the checkpoints of this run alone; made when need be
         * @return this builder
         */
        public Builder setFolder(Path folder) {
            this.folder = folder;
            return this;
        }

        /**
         * Sets how often the run is saved beside its end, every 100 steps by default.
         *
         * @param steps a positive number, or 0 to save only where the run is interrupted
         * @return this builder
         */
        public Builder optInterval(long steps) {
            interval = steps;
            return this;
        }

        /**
         * Sets how many of the last checkpoints are kept, 2 by default.
         *
         * @param keep a positive number
         * @return this builder
         */
        public Builder optKeep(int keep) {
            this.keep = keep;
            return this;
        }

        /**
         * Sets how adapters are saved; their form and type must be those for going on with
         * training, which are the default.
         *
         * @param options the options
         * @return this builder
         */
        public Builder optSaveOptions(SaveOptions options) {
            saveOptions = options;
            return this;
        }

        /**
         * Sets a text to keep in each checkpoint as {@code config.yaml}, so that it tells how it
         * was made.
         *
         * @param yaml the text
         * @return this builder
         */
        public Builder optConfiguration(String yaml) {
            configuration = yaml;
            return this;
        }

        /**
         * Builds the plan.
         *
         * @return the plan
         * @throws NullPointerException if something required is missing
         * @throws IllegalArgumentException if a number is out of its range, or the options would
         *     save an adapter that training cannot go on from
         */
        public Checkpoints build() {
            Objects.requireNonNull(lora, "setTraining is missing");
            Objects.requireNonNull(optimizer, "setTraining is missing");
            Objects.requireNonNull(folder, "setFolder is missing");
            if (interval < 0 || keep < 1) {
                throw new IllegalArgumentException(
                        "the interval of checkpoints must not be negative and the number kept must"
                                + " be positive, not "
                                + interval
                                + " and "
                                + keep);
            }
            if (saveOptions.getForm() != SaveOptions.Form.PEFT
                    || !saveOptions.getFloatType().equals("F32")) {
                throw new IllegalArgumentException(
                        "training goes on from adapters in the form PEFT with type F32 only, not "
                                + saveOptions.getForm()
                                + " with "
                                + saveOptions.getFloatType());
            }
            return new Checkpoints(this);
        }
    }
}

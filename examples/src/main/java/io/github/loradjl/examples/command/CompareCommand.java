package io.github.loradjl.examples.command;

import ai.djl.MalformedModelException;
import ai.djl.engine.EngineException;
import ai.djl.translate.TranslateException;

import io.github.loradjl.examples.compare.Cell;
import io.github.loradjl.examples.compare.CellResult;
import io.github.loradjl.examples.compare.Comparison;
import io.github.loradjl.examples.compare.Grid;
import io.github.loradjl.examples.compare.Setup;
import io.github.loradjl.examples.compare.TokenAccuracy;
import io.github.loradjl.examples.config.ConfigDifferences;
import io.github.loradjl.examples.config.ConfigOptions;
import io.github.loradjl.examples.config.ConfigWriter;
import io.github.loradjl.examples.report.ConsoleProgress;
import io.github.loradjl.internal.AtomicFile;
import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.chat.ChatTemplate;
import io.github.loradjl.zoo.text.task.ClassificationTask;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;

/** Compares ways to fine-tune. */
@Command(
        name = "compare",
        header = "Compares ways to fine-tune a model under equal conditions.",
        description =
                "Runs each method at several learning rates from several seeds, with the same"
                    + " batches in the same order, and leaves tables (results.md, results.csv),"
                    + " plots and one file per run in a folder. The same command again goes on"
                    + " where it was stopped; with more methods, rates or seeds it makes only the"
                    + " new runs.",
        mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n",
        footer = {
            "  examples/lora compare",
            "      full fine-tuning, LoRA and LoRA-GA on the small model that ships",
            "  examples/lora compare --model DIR --data rows.jsonl --methods lora,lora-ga \\",
            "      --learning-rates 1e-4,5e-4,2e-3 --seeds 0,1,2 --max-steps 200 --out comparison"
        },
        sortOptions = false)
public final class CompareCommand implements Callable<Integer> {

    private static final String CONFIGURATION = "config.yaml";

    /** What may change when a comparison goes on: which runs it has, and how it is told. */
    private static final Set<String> FREE =
            Set.of(
                    "out",
                    "methods",
                    "learning_rates",
                    "seeds",
                    "reference",
                    "common_rate",
                    "diagnostics");

    @Spec private CommandSpec spec;

    @Mixin(name = "Model")
    private ModelOptions modelOptions;

    @Mixin(name = "Data")
    private DataOptions dataOptions;

    @Mixin(name = "Rows")
    private RowOptions rowOptions;

    @Mixin(name = "Comparison")
    private CompareOptions compareOptions;

    @Mixin(name = "Adapter")
    private AdapterOptions adapterOptions;

    @Mixin(name = "Optimizer")
    private OptimizerOptions optimizerOptions;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            defaultValue = "lora-comparison",
            description = "Folder for the results (default: ${DEFAULT-VALUE}).")
    private Path out;

    @Mixin(name = ConfigOptions.HEADING)
    private ConfigOptions configOptions;

    /** {@inheritDoc} */
    @Override
    public Integer call() throws IOException, MalformedModelException, TranslateException {
        PrintStream err = System.err;
        dataOptions.check();
        optimizerOptions.check();
        ClassificationTask task = rowOptions.task();
        compareOptions.check(task != null, dataOptions.validationFile() != null);
        Grid grid = compareOptions.grid();
        String configuration =
                ConfigWriter.text(spec, Map.of("eval_steps", compareOptions.evalSteps()));
        requireSame(configuration);
        try (TextTokenizer tokenizer = TextTokenizer.load(modelOptions.folder())) {
            ChatTemplate template = modelOptions.chatTemplate(err);
            DataOptions.Data rows =
                    dataOptions.read(
                            tokenizer,
                            template,
                            rowOptions,
                            modelOptions.isEncoderDecoder(),
                            compareOptions.batchSize(),
                            CompareSetup.DATA_SEED);
            if (rows.validation() == null) {
                throw new IllegalArgumentException(
                        "a comparison needs validation rows: give --validation or --hold-out");
            }
            err.println("data  " + rows.train().getReport());
            err.println("      validation " + rows.validation().getReport());
            Setup setup = setup(rows, metric(task, rows, tokenizer, template));
            Log log = new Log(err, setup, configuration);
            List<CellResult> results;
            try {
                Interruption.setFinishing(true);
                results = new Comparison(grid, setup, runs()).run(log);
            } finally {
                Interruption.setFinishing(false);
            }
            if (results.isEmpty()) {
                throw new IllegalStateException("no run came to an end");
            }
            // What the engine gave up once, it would in a diagnostic: they take more memory.
            report(rows, setup).write(results, grid.methods(), log.errors == 0, err);
            spec.commandLine().getOut().println(out.resolve("results.md"));
            if (log.errors > 0) {
                throw new IllegalStateException(
                        log.errors
                                + " of the runs did not come to an end; the same command tries"
                                + " them again");
            }
        }
        return 0;
    }

    /** Refuses to mix runs that were made under other conditions. */
    private void requireSame(String configuration) throws IOException {
        if (Files.exists(out) && !Files.isDirectory(out)) {
            throw new IOException("--out " + out + " is a file; name a folder");
        }
        Path file = out.resolve(CONFIGURATION);
        if (Files.exists(file) && Comparison.isBegun(runs())) {
            List<String> differences = ConfigDifferences.find(file, configuration, FREE);
            if (!differences.isEmpty()) {
                throw new IOException(
                        "the comparison in "
                                + out
                                + " was begun otherwise: "
                                + String.join("; ", differences)
                                + ". Choose another --out, or go on by --config "
                                + file);
            }
        }
    }

    private Path runs() {
        return out.resolve("runs");
    }

    private Setup.Metric metric(
            ClassificationTask task,
            DataOptions.Data rows,
            TextTokenizer tokenizer,
            ChatTemplate template)
            throws IOException {
        if (compareOptions.isTokenAccuracy()) {
            return new TokenAccuracy(rows.validation());
        }
        return compareOptions.labelMode() == null
                ? null
                : new TaskMetric(
                        task,
                        compareOptions.labelMode(),
                        tokenizer,
                        rowOptions
                                .examples(
                                        dataOptions.validationFile(),
                                        dataOptions.validationLimit(),
                                        template)
                                .cutTo(
                                        modelOptions.isEncoderDecoder()
                                                ? rowOptions.maxLength()
                                                : null),
                        compareOptions.batchSize());
    }

    private Setup setup(DataOptions.Data rows, Setup.Metric metric) {
        CompareSetup source = new CompareSetup(modelOptions, rows);
        int steps = compareOptions.maxSteps();
        return new Setup(
                source,
                source,
                new Setup.Recipe(
                        adapterOptions.builder().build(),
                        steps,
                        compareOptions.evalSteps(),
                        rate -> optimizerOptions.schedule(rate, steps),
                        optimizerOptions::adamW,
                        optimizerOptions.maxGradNorm(),
                        compareOptions.calibrationBatches(),
                        compareOptions.gradientCheckpointing()),
                metric,
                Interruption::isRequested);
    }

    private CompareReport report(DataOptions.Data rows, Setup setup) throws IOException {
        List<String> files =
                dataOptions.trainFiles().stream()
                        .map(file -> file.getFileName().toString())
                        .toList();
        List<String> conditions =
                List.of(
                        "model: " + modelOptions.name() + ", " + modelOptions.describe(),
                        "data: " + String.join(", ", files) + ", " + rows.train().getReport(),
                        "validation: " + rows.validation().getReport(),
                        "a run: "
                                + compareOptions.maxSteps()
                                + " steps of "
                                + compareOptions.batchSize()
                                + " rows, validated every "
                                + compareOptions.evalSteps());
        String title = modelOptions.name() + " on " + String.join(", ", files);
        return new CompareReport(out, title, conditions, compareOptions, setup);
    }

    /** Shows how far a comparison is. */
    private final class Log implements Comparison.Listener {

        private final PrintStream err;
        private final long steps;
        private final String configuration;
        private ConsoleProgress progress;
        private int errors;

        Log(PrintStream err, Setup setup, String configuration) {
            this.err = err;
            this.configuration = configuration;
            steps = setup.recipe().steps();
        }

        /** {@inheritDoc} */
        @Override
        public void onReady() throws IOException {
            Files.createDirectories(out);
            AtomicFile.writeString(out.resolve(CONFIGURATION), configuration);
        }

        /** {@inheritDoc} */
        @Override
        public void onBegin(Cell cell, int number, int of) {
            Interruption.check();
            progress = new ConsoleProgress(err, "run " + number + " of " + of, steps);
            progress.println(cell.toString());
        }

        /** {@inheritDoc} */
        @Override
        public void onStep(int step) {
            progress.update(step, "");
        }

        /** {@inheritDoc} */
        @Override
        public void onEnd(Cell cell, CellResult result) {
            progress.close();
            err.println(
                    result.failure() == null
                            ? String.format(
                                    Locale.ROOT,
                                    "validation loss %.4f, %.3f s per step",
                                    result.finalLoss(),
                                    result.training().stepSeconds())
                            : "failed: " + result.failure());
        }

        /** {@inheritDoc} */
        @Override
        public void onError(Cell cell, EngineException why) {
            progress.close();
            errors++;
            err.println(
                    "no result: "
                            + String.valueOf(why.getMessage()).lines().findFirst().orElse(""));
        }
    }
}

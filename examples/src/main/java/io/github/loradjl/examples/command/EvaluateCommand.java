package io.github.loradjl.examples.command;

import ai.djl.MalformedModelException;

import io.github.loradjl.examples.config.ConfigOptions;
import io.github.loradjl.examples.report.ConsoleProgress;
import io.github.loradjl.internal.AtomicFile;
import io.github.loradjl.zoo.text.TextDataset;
import io.github.loradjl.zoo.text.chat.ChatTemplate;
import io.github.loradjl.zoo.text.evaluate.DatasetLoss;
import io.github.loradjl.zoo.text.evaluate.Outcome;
import io.github.loradjl.zoo.text.evaluate.Summary;
import io.github.loradjl.zoo.text.task.ClassificationTask;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Consumer;

/** Measures how good a model is. */
@Command(
        name = "evaluate",
        header = "Measures how good a model is.",
        description =
                "Evaluates a model, perhaps with an adapter, on rows with answers: by their loss,"
                        + " by what it answers, or by which of some labels it finds most probable."
                        + " Writes one line of JSON to standard output: n, metric, value, standard"
                        + " error, seed, the adapter's SHA-256, model.",
        mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n",
        footer = {
            "  examples/lora evaluate --model DIR --data rows.jsonl --metric loss",
            "  examples/lora evaluate --model DIR --adapter run/adapter --data gsm8k.jsonl \\",
            "      --prompt-key question --completion-key answer --chat \\",
            "      --metric exact-match --extractor flexible --out answers.jsonl",
            "      a base model takes --prompt-format \"Q: {prompt}\\nA: \" instead of --chat",
            "  examples/lora evaluate --model DIR --task sst-2 --data SST-2/dev.tsv \\",
            "      --metric labels"
        },
        sortOptions = false)
public final class EvaluateCommand implements Callable<Integer> {

    private static final PrintStream ERR = System.err;

    @Spec private CommandSpec spec;

    @Mixin(name = "Model")
    private ModelOptions modelOptions;

    @Option(
            names = "--adapter",
            paramLabel = "ADAPTER",
            description = NamedAdapter.DESCRIPTION + " (default: the model alone).")
    private String adapter;

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            defaultValue = "8",
            converter = Numbers.Positive.class,
            description = "Rows to evaluate together (default: ${DEFAULT-VALUE}).")
    private int batchSize;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            description =
                    "Write one line of JSON per row: id, prompt, output, extracted, gold, correct."
                            + " The file appears when all is done.")
    private Path out;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "Seed to note in the result, as that of the training; nothing is drawn here"
                            + " (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Mixin(name = "Metric")
    private MetricOptions metricOptions;

    @Mixin(name = "Data")
    private EvaluationData data;

    @Mixin(name = ConfigOptions.HEADING)
    private ConfigOptions configOptions;

    /** {@inheritDoc} */
    @Override
    public Integer call() throws IOException, MalformedModelException {
        ClassificationTask task = data.task();
        metricOptions.check(task);
        boolean isLoss = metricOptions.isLoss();
        if (isLoss) {
            metricOptions.refuse(out != null, "--out");
        }
        data.check(metricOptions.isWritten());
        if (out != null && Files.exists(out)) {
            throw new IOException("--out " + out + " exists already: name a new file");
        }
        // What is wrong with the rows is to be found before the model is loaded.
        ChatTemplate template = data.template(modelOptions);
        Examples examples = isLoss ? null : data.examples(template);
        Path folder = NamedAdapter.find("--adapter", adapter);
        String hash = folder == null ? null : Summary.adapterHash(folder);
        try (LoadedModel loaded = LoadedModel.open(modelOptions, folder)) {
            Summary summary =
                    isLoss ? loss(loaded, template, hash) : answers(loaded, examples, task, hash);
            spec.commandLine().getOut().println(summary.toJson());
        }
        return 0;
    }

    private Summary loss(LoadedModel loaded, ChatTemplate template, String hash)
            throws IOException {
        TextDataset rows =
                data.dataset(
                        loaded.tokenizer(), template, modelOptions.isEncoderDecoder(), batchSize);
        rows.prepare(null);
        ERR.println("data: " + rows.getReport());
        DatasetLoss loss;
        try (ConsoleProgress progress = progress(rows.getBatchCount())) {
            loss =
                    DatasetLoss.of(
                            loaded.model(),
                            rows,
                            done -> {
                                Interruption.check();
                                progress.update(done, "");
                            });
        }
        Map<String, Double> others = Map.of("perplexity", loss.perplexity());
        return new Summary(
                loss.tokens(), "loss", loss.loss(), null, others, seed, hash, modelOptions.name());
    }

    private Summary answers(
            LoadedModel loaded, Examples examples, ClassificationTask task, String hash)
            throws IOException {
        List<Outcome> outcomes = new ArrayList<>();
        try (ConsoleProgress progress = progress(examples.list().size())) {
            Consumer<Outcome> show =
                    outcome -> {
                        Interruption.check();
                        outcomes.add(outcome);
                        long right = outcomes.stream().filter(Outcome::correct).count();
                        progress.update(outcomes.size(), right + " right");
                    };
            if (out == null) {
                metricOptions.evaluate(loaded, examples, task, batchSize, show);
            } else {
                AtomicFile.write(
                        out,
                        channel ->
                                metricOptions.evaluate(
                                        loaded,
                                        examples,
                                        task,
                                        batchSize,
                                        show.andThen(outcome -> append(channel, outcome))));
            }
        }
        Map<String, Double> others = new LinkedHashMap<>(metricOptions.numbers(outcomes, task));
        String first = others.keySet().iterator().next();
        double value = others.remove(first);
        // Of a correlation or an F1 score no simple standard error is known.
        boolean isShare = value == Outcome.accuracy(outcomes);
        return new Summary(
                outcomes.size(),
                first,
                value,
                isShare ? Summary.standardError(value, outcomes.size()) : null,
                others,
                seed,
                hash,
                modelOptions.name());
    }

    private static void append(FileChannel channel, Outcome outcome) {
        byte[] line = (outcome.toJson() + "\n").getBytes(StandardCharsets.UTF_8);
        try {
            AtomicFile.writeAll(channel, ByteBuffer.wrap(line));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ConsoleProgress progress(long steps) {
        return new ConsoleProgress(ERR, "evaluating", steps);
    }
}

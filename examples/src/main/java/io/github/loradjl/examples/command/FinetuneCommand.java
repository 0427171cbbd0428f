package io.github.loradjl.examples.command;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.translate.TranslateException;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraGaOptions;
import io.github.loradjl.LoraModel;
import io.github.loradjl.examples.report.ConsoleProgress;
import io.github.loradjl.examples.report.LossPlot;
import io.github.loradjl.examples.report.MetricsWriter;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.peft.SaveOptions;
import io.github.loradjl.training.AdamW;
import io.github.loradjl.training.FineTuning;
import io.github.loradjl.training.FineTuningConfig;
import io.github.loradjl.training.LearningRateSchedule;
import io.github.loradjl.training.LoraGaListener;
import io.github.loradjl.training.LoraOptimizer;
import io.github.loradjl.zoo.llama.LlamaForCausalLM;
import io.github.loradjl.zoo.text.CausalLmLoss;
import io.github.loradjl.zoo.text.CausalLmTokens;
import io.github.loradjl.zoo.text.TextTokenizer;
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
import java.util.concurrent.Callable;

/** Fine-tunes a model and leaves an adapter, the metrics and a picture of the loss. */
@Command(
        name = "finetune",
        description =
                "Fine-tunes a model with LoRA and leaves adapter/, metrics.jsonl and loss.png in a"
                        + " folder. Without options: the small model that ships, on the questions"
                        + " about stories that ship, with LoRA-GA, on the CPU.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class FinetuneCommand implements Callable<Integer> {

    private static final PrintStream ERR = System.err;
    private static final int ANSWERS = 50;

    @Spec private CommandSpec spec;

    @Mixin private ModelOptions modelOptions;

    @Mixin private DataOptions dataOptions;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            defaultValue = "lora-out",
            description = "Folder for the results (default: ${DEFAULT-VALUE}).")
    private Path out;

    @Option(names = "--overwrite", description = "Replace an adapter that is in --out.")
    private boolean overwrite;

    @Mixin private AdapterOptions adapterOptions;

    @Option(
            names = "--lr",
            paramLabel = "RATE",
            description = "Highest learning rate (default: 2e-4; 1e-3 for the model that ships).")
    private Double learningRate;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "Passes over the data (default: 1; 3 for the data that ship).")
    private Integer epochs;

    @Option(
            names = "--steps",
            paramLabel = "N",
            description = "End after so many steps (default: when the epochs are over).")
    private Integer steps;

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            defaultValue = "8",
            description = "Rows in a step (default: ${DEFAULT-VALUE}).")
    private int batchSize;

    @Option(
            names = "--warmup",
            paramLabel = "SHARE",
            defaultValue = "0.03",
            description =
                    "Share of the steps in which the rate rises; then it falls along a cosine"
                            + " (default: ${DEFAULT-VALUE}).")
    private double warmup;

    @Option(
            names = "--clip",
            paramLabel = "NORM",
            defaultValue = "1",
            description = "Largest global gradient norm (default: ${DEFAULT-VALUE}).")
    private double clip;

    @Option(
            names = "--calibration-batches",
            paramLabel = "N",
            defaultValue = "8",
            description = "Batches of LoRA-GA's gradient pass (default: ${DEFAULT-VALUE}).")
    private int calibrationBatches;

    @Option(
            names = "--validate-every",
            paramLabel = "N",
            defaultValue = "0",
            description = "Validate every N steps too, not only after each epoch.")
    private int validationInterval;

    @Option(
            names = "--log-every",
            paramLabel = "N",
            defaultValue = "1",
            description = "Steps per line of metrics.jsonl (default: ${DEFAULT-VALUE}).")
    private int logInterval;

    @Option(
            names = "--checkpointing",
            description = "Recompute activations layer by layer: less memory, more time.")
    private boolean checkpointing;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            description = "Seed of everything random (default: ${DEFAULT-VALUE}).")
    private int seed;

    /** {@inheritDoc} */
    @Override
    public Integer call() throws IOException, MalformedModelException, TranslateException {
        Path adapter = out.resolve("adapter");
        requireFree(adapter);
        LoraConfig config = adapterOptions.config(seed);
        try (TextTokenizer tokenizer = TextTokenizer.load(modelOptions.folder())) {
            DataOptions.Data data = dataOptions.read(tokenizer, batchSize, seed);
            Samples samples = samples(data);
            try (ZooModel<NDList, NDList> model = modelOptions.load();
                    LoraModel lora = LoraModel.attach(model, config)) {
                model.getNDManager().getEngine().setRandomSeed(seed);
                describe(lora, data);
                // The adapter changes nothing yet, so this is what the model says by itself.
                show("before", samples, model, tokenizer);
                RunLog log = train(lora, data);
                show("after", samples, model, tokenizer);
                PeftAdapter.save(
                        lora,
                        adapter,
                        SaveOptions.builder()
                                .optBaseModel(modelOptions.name())
                                .optTaskType("CAUSAL_LM")
                                .build());
                if (data.validation() != null) {
                    ERR.printf(
                            Locale.ROOT,
                            "validation loss %.4f before, %.4f after%n",
                            log.firstValidation(),
                            log.lastValidation());
                }
            }
        }
        ERR.printf("wrote %s, metrics.jsonl and loss.png to %s%n", adapter.getFileName(), out);
        spec.commandLine().getOut().println(adapter);
        return 0;
    }

    private RunLog train(LoraModel lora, DataOptions.Data data)
            throws IOException, TranslateException {
        Device device = lora.getModel().getNDManager().getDevice();
        LlamaForCausalLM llama = (LlamaForCausalLM) lora.getBase();
        LearningRateSchedule schedule = schedule(data);
        Loss plain = new CausalLmLoss();
        Loss loss = checkpointing ? lora.checkpointActivations(plain) : plain;
        int calibration = Math.min(calibrationBatches, data.train().getBatchCount());
        try (AdamW adamW = LoraOptimizer.adamW(lora, schedule);
                ConsoleProgress gradients = new ConsoleProgress(ERR, "LoRA-GA", 1)) {
            LoraGaOptions options =
                    LoraGaOptions.builder()
                            .optSeed(seed)
                            .optProgress(new GradientProgress(gradients))
                            .build();
            DefaultTrainingConfig training =
                    new DefaultTrainingConfig(loss)
                            .optDevices(new Device[] {device})
                            .optOptimizer(adamW)
                            .addTrainingListeners(
                                    new LoraGaListener(
                                            lora,
                                            data.train().calibration(calibration),
                                            calibration,
                                            options));
            try (Trainer trainer = lora.getModel().newTrainer(training)) {
                gradients.close();
                Files.createDirectories(out);
                MetricsWriter metrics = new MetricsWriter(out.resolve("metrics.jsonl"));
                ConsoleProgress progress = new ConsoleProgress(ERR, "training", totalSteps(data));
                RunLog log = new RunLog(progress, metrics, schedule, logInterval);
                try (log) {
                    FineTuningConfig.Builder run =
                            FineTuningConfig.builder()
                                    .optEpochs(epochs())
                                    .optMaxSteps(totalSteps(data))
                                    .optMaxGradientNorm(clip)
                                    .optValidationInterval(validationInterval)
                                    .optTokenCounter(new CausalLmTokens())
                                    .optValidationLoss(
                                            (input, labels) -> evaluate(llama, input, labels))
                                    .optListener(log);
                    FineTuning.fit(trainer, run.build(), data.train(), data.validation());
                }
                LossPlot.write(
                        metrics.written(),
                        modelOptions.name() + ", " + adapterOptions.describe(),
                        out.resolve("loss.png"));
                return log;
            }
        }
    }

    private static NDArray evaluate(LlamaForCausalLM llama, NDList data, NDList labels) {
        ParameterStore store = new ParameterStore(data.head().getManager(), false);
        return llama.evaluateLoss(store, data, labels);
    }

    private void requireFree(Path adapter) throws IOException {
        if (Files.exists(out) && !Files.isDirectory(out)) {
            throw new IOException("--out " + out + " is a file; name a folder");
        }
        if (Files.exists(adapter) && !overwrite) {
            throw new IOException(
                    adapter + " exists already: choose another --out, or give --overwrite");
        }
    }

    private int epochs() {
        if (epochs != null) {
            return epochs;
        }
        return steps != null ? Integer.MAX_VALUE : dataOptions.isShipped() ? 3 : 1;
    }

    private long totalSteps(DataOptions.Data data) throws IOException {
        long all = (long) epochs() * data.train().getBatchCount();
        return steps == null ? all : Math.min(all, steps);
    }

    private LearningRateSchedule schedule(DataOptions.Data data) throws IOException {
        double rate = learningRate != null ? learningRate : modelOptions.isShipped() ? 1e-3 : 2e-4;
        long total = totalSteps(data);
        return new LearningRateSchedule(
                LearningRateSchedule.Fall.COSINE, rate, Math.round(warmup * total), total);
    }

    private Samples samples(DataOptions.Data data) throws IOException {
        Path file = dataOptions.validationFile();
        return Samples.read(file == null ? dataOptions.trainFile() : file, dataOptions, ANSWERS);
    }

    private void describe(LoraModel lora, DataOptions.Data data) throws IOException {
        ERR.printf(
                Locale.ROOT,
                "model %s: %,d parameters, %s%n",
                modelOptions.name(),
                Counts.parameters(lora.getBase()) - lora.getTrainableCount(),
                modelOptions.describe());
        ERR.printf(
                Locale.ROOT,
                "adapter %s: %,d trainable parameters in %d layers%n",
                adapterOptions.describe(),
                lora.getTrainableCount(),
                lora.getTargets(LoraModel.DEFAULT_ADAPTER).size());
        ERR.printf("training data: %s%n", data.train().getReport());
        if (data.validation() != null) {
            ERR.printf("validation data: %s%n", data.validation().getReport());
        }
    }

    private void show(
            String when, Samples samples, ZooModel<NDList, NDList> model, TextTokenizer tokenizer) {
        ERR.printf(
                "%n%s: ... %s >>> %s%n",
                when, lastWords(samples.first().prompt()), samples.continueFirst(model, tokenizer));
        if (dataOptions.isShipped()) {
            ERR.printf(
                    "%s: %d of %d validation questions answered right%n%n",
                    when, samples.countRight(model, tokenizer), samples.size());
        }
    }

    private static String lastWords(String prompt) {
        String[] lines = prompt.strip().split("\\R");
        String end =
                String.join(
                        " ", List.of(lines).subList(Math.max(0, lines.length - 2), lines.length));
        return end.length() > 80 ? end.substring(end.length() - 80) : end;
    }
}

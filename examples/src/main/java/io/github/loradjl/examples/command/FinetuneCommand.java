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
import io.github.loradjl.examples.config.ConfigOptions;
import io.github.loradjl.examples.config.ConfigWriter;
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
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;

/** Fine-tunes a model and leaves an adapter, the metrics and a picture of the loss. */
@Command(
        name = "finetune",
        header = "Trains an adapter and leaves it with the metrics of the run.",
        description =
                "Leaves adapter/ (in PEFT's format), metrics.jsonl, loss.png and config.yaml in a"
                    + " folder. Without options: the small model that ships, on the questions about"
                    + " stories that ship, with LoRA-GA, on the CPU.",
        mixinStandardHelpOptions = true,
        footerHeading = "%nExample:%n",
        footer = {
            "  examples/lora finetune --model SmolLM2-135M --data rows.jsonl --dtype bfloat16",
            "  examples/lora finetune --config examples/recipes/smollm2-gsm8k.yaml model=DIR",
            "",
            "Begin with --rank 8, --batch-size 8 and a --learning-rate of 1e-4, or 5e-4 with",
            "--init kaiming. If memory is short: --dtype bfloat16, --gradient-checkpointing,",
            "a smaller --max-length, or a smaller --batch-size with more",
            "--gradient-accumulation-steps. If the validation loss rises while the training",
            "loss falls: fewer --epochs. examples/recipes/ has commented configurations."
        },
        sortOptions = false)
public final class FinetuneCommand implements Callable<Integer> {

    private static final PrintStream ERR = System.err;
    private static final int ANSWERS = 50;

    @Spec private CommandSpec spec;

    @Mixin(name = "Model")
    private ModelOptions modelOptions;

    @Mixin(name = "Data")
    private DataOptions dataOptions;

    @Mixin(name = "Rows")
    private RowOptions rowOptions;

    @Mixin(name = "Adapter")
    private AdapterOptions adapterOptions;

    @Mixin(name = "Training")
    private TrainingOptions trainingOptions;

    @Mixin(name = "Optimizer")
    private OptimizerOptions optimizerOptions;

    @Mixin(name = "Run")
    private RunOptions runOptions;

    @Mixin(name = ConfigOptions.HEADING)
    private ConfigOptions configOptions;

    /** {@inheritDoc} */
    @Override
    public Integer call() throws IOException, MalformedModelException, TranslateException {
        checkOptions();
        Path adapter = runOptions.adapter();
        int seed = trainingOptions.seed();
        LoraConfig config = adapterOptions.config(seed);
        try (TextTokenizer tokenizer = TextTokenizer.load(modelOptions.folder())) {
            DataOptions.Data data =
                    dataOptions.read(
                            tokenizer,
                            modelOptions.chatTemplate(ERR),
                            rowOptions,
                            trainingOptions.batchSize(),
                            seed);
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
        ERR.printf(
                "wrote %s, metrics.jsonl and loss.png to %s%n",
                adapter.getFileName(), runOptions.out());
        spec.commandLine().getOut().println(adapter);
        return 0;
    }

    private RunLog train(LoraModel lora, DataOptions.Data data)
            throws IOException, TranslateException {
        Device device = lora.getModel().getNDManager().getDevice();
        LlamaForCausalLM llama = (LlamaForCausalLM) lora.getBase();
        LearningRateSchedule schedule = schedule(data);
        Loss plain = new CausalLmLoss();
        Loss loss =
                trainingOptions.gradientCheckpointing() ? lora.checkpointActivations(plain) : plain;
        int calibration =
                Math.min(trainingOptions.calibrationBatches(), data.train().getBatchCount());
        try (AdamW adamW = LoraOptimizer.adamW(lora, schedule);
                ConsoleProgress gradients = new ConsoleProgress(ERR, "LoRA-GA", 1)) {
            LoraGaOptions options =
                    LoraGaOptions.builder()
                            .optSeed(trainingOptions.seed())
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
                Path out = runOptions.out();
                Files.createDirectories(out);
                ConfigWriter.write(spec, decided(), out.resolve("config.yaml"));
                MetricsWriter metrics = new MetricsWriter(out.resolve("metrics.jsonl"));
                ConsoleProgress progress = new ConsoleProgress(ERR, "training", totalSteps(data));
                RunLog log = new RunLog(progress, metrics, schedule, runOptions.loggingSteps());
                try (log) {
                    FineTuningConfig.Builder run =
                            FineTuningConfig.builder()
                                    .optEpochs(epochs())
                                    .optMaxSteps(totalSteps(data))
                                    .optMaxGradientNorm(optimizerOptions.maxGradNorm())
                                    .optValidationInterval(runOptions.evalSteps())
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

    private void checkOptions() throws IOException {
        dataOptions.check();
        optimizerOptions.check();
        runOptions.check();
        runOptions.requireFree();
    }

    /** Returns the defaults that depend on other options. */
    private Map<String, Object> decided() {
        Map<String, Object> decided = new HashMap<>();
        decided.put("learning_rate", learningRate());
        decided.put("rank_stabilized", adapterOptions.isRankStabilized());
        if (trainingOptions.maxSteps() == null) {
            decided.put("epochs", epochs());
        }
        return decided;
    }

    private int epochs() {
        if (trainingOptions.epochs() != null) {
            return trainingOptions.epochs();
        }
        boolean isEndless = trainingOptions.maxSteps() != null;
        return isEndless ? Integer.MAX_VALUE : dataOptions.isShipped() ? 3 : 1;
    }

    private double learningRate() {
        Double given = optimizerOptions.learningRate();
        return given != null ? given : modelOptions.isShipped() ? 1e-3 : 2e-4;
    }

    private long totalSteps(DataOptions.Data data) throws IOException {
        long all = (long) epochs() * data.train().getBatchCount();
        Integer most = trainingOptions.maxSteps();
        return most == null ? all : Math.min(all, most);
    }

    private LearningRateSchedule schedule(DataOptions.Data data) throws IOException {
        return optimizerOptions.schedule(learningRate(), totalSteps(data));
    }

    private Samples samples(DataOptions.Data data) throws IOException {
        Path file = dataOptions.validationFile();
        return Samples.read(
                file == null ? dataOptions.trainFiles().get(0) : file, rowOptions, ANSWERS);
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

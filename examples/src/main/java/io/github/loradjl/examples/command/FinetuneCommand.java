package io.github.loradjl.examples.command;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;

import io.github.loradjl.LoraModel;
import io.github.loradjl.examples.config.ConfigOptions;
import io.github.loradjl.examples.config.ConfigWriter;
import io.github.loradjl.training.Checkpoint;
import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.chat.ChatTemplate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintStream;
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
            "See what a run would do and need first: --dry-run.",
            "Begin with --rank 8, --batch-size 8 and a --learning-rate of 1e-4, or 5e-4 with",
            "--init kaiming. If memory is short: --dtype bfloat16, --gradient-checkpointing,",
            "a smaller --max-length, or a smaller --batch-size with more",
            "--gradient-accumulation-steps. If the validation loss rises while the training",
            "loss falls: fewer --epochs, or --early-stopping-patience. examples/recipes/ has",
            "commented configurations.",
            "A run that was stopped or killed goes on, with the same numbers, by",
            "  examples/lora finetune --config OUT/config.yaml --resume"
        },
        sortOptions = false)
public final class FinetuneCommand implements Callable<Integer> {

    @Spec private CommandSpec spec;

    @Mixin(name = "Model")
    private ModelOptions modelOptions;

    @Mixin(name = "Data")
    private DataOptions dataOptions;

    @Mixin(name = "Rows")
    private RowOptions rowOptions;

    @Mixin(name = "Adapter")
    private AdapterOptions adapterOptions;

    @Mixin(name = "Start")
    private StartOptions startOptions;

    @Mixin(name = "Training")
    private TrainingOptions trainingOptions;

    @Mixin(name = "Learning rate")
    private RateOptions rateOptions;

    @Mixin(name = "Optimizer")
    private OptimizerOptions optimizerOptions;

    @Mixin(name = "Run")
    private RunOptions runOptions;

    @Mixin(name = ConfigOptions.HEADING)
    private ConfigOptions configOptions;

    /** {@inheritDoc} */
    @Override
    public Integer call() throws IOException, MalformedModelException, TranslateException {
        FinetuneOptions options =
                new FinetuneOptions(
                        modelOptions,
                        dataOptions,
                        rowOptions,
                        adapterOptions,
                        startOptions,
                        trainingOptions,
                        rateOptions,
                        optimizerOptions,
                        runOptions);
        PrintStream err = System.err;
        options.check();
        modelOptions.pin(runOptions.recordedModel(), err);
        String configuration = ConfigWriter.text(spec, options.decided());
        Checkpoint resumed = runOptions.findCheckpoint(configuration, err);
        int seed = trainingOptions.seed();
        try (TextTokenizer tokenizer = TextTokenizer.load(modelOptions.folder())) {
            ChatTemplate template = modelOptions.chatTemplate(err);
            DataOptions.Data data =
                    dataOptions.read(
                            tokenizer,
                            template,
                            rowOptions,
                            modelOptions.isEncoderDecoder(),
                            trainingOptions.batchSize(),
                            seed);
            try (ZooModel<NDList, NDList> model = modelOptions.load();
                    LoraModel lora = options.attach(model, resumed)) {
                model.getNDManager().getEngine().setRandomSeed(seed);
                TrainingPlan plan = new TrainingPlan(options, data, lora);
                plan.print(err);
                if (runOptions.dryRun()) {
                    new DryRun(options, plan, lora).show(err);
                    return 0;
                }
                Samples samples = Samples.of(options, data, tokenizer, template);
                FinetuneRun run = new FinetuneRun(options, plan, lora, samples, configuration);
                return run.train(resumed, spec.commandLine().getOut(), err);
            }
        }
    }
}

package io.github.loradjl.examples.command;

import io.github.loradjl.examples.config.ConfigOptions;
import io.github.loradjl.examples.pretrain.Pretraining;
import io.github.loradjl.examples.pretrain.SmallModel;
import io.github.loradjl.examples.report.ConsoleProgress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;

/** Makes a small model that ships. */
@Command(
        name = "pretrain",
        header = "Makes a small model that ships.",
        description =
                "Pretrains a small model that ships, from random weights on stories from the"
                        + " grammar, and writes it as a Hugging Face folder.",
        mixinStandardHelpOptions = true,
        footerHeading = "%nExample:%n",
        footer = {
            "  examples/lora pretrain --out tiny --max-steps 300",
            "  examples/lora pretrain --architecture t5 --out tiny-t5 --max-steps 300"
        },
        sortOptions = false)
public final class PretrainCommand implements Callable<Integer> {

    @Spec private CommandSpec spec;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "Folder to write; must not exist or be empty.")
    private Path out;

    @Option(
            names = "--architecture",
            paramLabel = "NAME",
            defaultValue = "llama",
            description =
                    "llama, which learns to tell the stories, or t5, which learns to fill gaps in"
                            + " them (default: ${DEFAULT-VALUE}).")
    private Architecture architecture;

    @Option(
            names = "--max-steps",
            paramLabel = "N",
            defaultValue = "3000",
            converter = Numbers.Positive.class,
            description = "Optimizer steps (default: ${DEFAULT-VALUE}).")
    private int maxSteps;

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            defaultValue = "16",
            converter = Numbers.Positive.class,
            description = "Stories in a step (default: ${DEFAULT-VALUE}).")
    private int batchSize;

    @Option(
            names = {"--learning-rate", "--lr"},
            paramLabel = "RATE",
            converter = Numbers.PositiveReal.class,
            description =
                    "Highest learning rate (default: 0.003; 0.03 for t5, relative to the size of"
                            + " each parameter).")
    private Double learningRate;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of weights and stories (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Mixin(name = ConfigOptions.HEADING)
    private ConfigOptions configOptions;

    /** The kinds of models. */
    enum Architecture {
        llama(SmallModel.llama()),
        t5(SmallModel.t5());

        private final SmallModel model;

        Architecture(SmallModel model) {
            this.model = model;
        }
    }

    /** {@inheritDoc} */
    @Override
    public Integer call() throws IOException {
        SmallModel model = architecture.model;
        double rate = learningRate == null ? model.defaultRate() : learningRate;
        Pretraining.Settings settings =
                new Pretraining.Settings(model, maxSteps, batchSize, rate, seed);
        double loss =
                NewFolder.write(
                        out,
                        folder -> {
                            try (ConsoleProgress progress =
                                    new ConsoleProgress(System.err, "pretraining", maxSteps)) {
                                return Pretraining.run(
                                        folder,
                                        settings,
                                        (step, mean, current, speed) -> {
                                            Interruption.check();
                                            progress.update(
                                                    step,
                                                    String.format(
                                                            Locale.ROOT,
                                                            "loss %.3f, %,.0f tokens/s",
                                                            mean,
                                                            speed));
                                        });
                            }
                        });
        System.err.printf(Locale.ROOT, "held-out loss %.4f nats per token%n", loss);
        spec.commandLine().getOut().println(out);
        return 0;
    }
}

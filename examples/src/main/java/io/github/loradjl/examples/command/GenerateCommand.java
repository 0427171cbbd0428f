package io.github.loradjl.examples.command;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;

import io.github.loradjl.LoraModel;
import io.github.loradjl.examples.config.ConfigOptions;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TextGenerator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;

/** Continues a text. */
@Command(
        name = "generate",
        header = "Continues a text.",
        description =
                "Continues a text and writes the continuation to standard output, the most probable"
                        + " token each time unless something asks for sampling.",
        mixinStandardHelpOptions = true,
        footerHeading = "%nExample:%n",
        footer = {
            "  examples/lora generate --model DIR --adapter run/adapter --prompt \"Once upon a"
                    + " time\""
        },
        sortOptions = false)
public final class GenerateCommand implements Callable<Integer> {

    @Spec private CommandSpec spec;

    @Mixin(name = "Model")
    private ModelOptions modelOptions;

    @Option(
            names = "--adapter",
            paramLabel = "DIR",
            description = "Adapter folder of finetune or PEFT (default: the model alone).")
    private Path adapter;

    @Option(
            names = "--prompt",
            required = true,
            paramLabel = "TEXT",
            description = "The text to continue.")
    private String prompt;

    @Mixin(name = "Generation")
    private GenerationOptions generationOptions;

    @Mixin(name = ConfigOptions.HEADING)
    private ConfigOptions configOptions;

    /** {@inheritDoc} */
    @Override
    public Integer call() throws IOException, MalformedModelException {
        GenerationConfig config = generationOptions.config(spec.commandLine());
        try (TextTokenizer tokenizer = TextTokenizer.load(modelOptions.folder());
                ZooModel<NDList, NDList> model = modelOptions.load()) {
            if (adapter == null) {
                generate(model, tokenizer, config);
            } else {
                try (LoraModel lora = PeftAdapter.load(model, adapter)) {
                    generate(model, tokenizer, config);
                }
            }
        }
        return 0;
    }

    private void generate(
            ZooModel<NDList, NDList> model, TextTokenizer tokenizer, GenerationConfig config) {
        PrintWriter out = spec.commandLine().getOut();
        new TextGenerator(model, tokenizer)
                .generate(
                        prompt,
                        config,
                        piece -> {
                            Interruption.check();
                            out.print(piece);
                            out.flush();
                        });
        out.println();
        out.flush();
    }
}

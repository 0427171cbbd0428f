package io.github.loradjl.examples.command;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;

import io.github.loradjl.LoraModel;
import io.github.loradjl.examples.config.ConfigOptions;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.zoo.checkpoint.MergedCheckpoint;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;

/** Merges an adapter into a model. */
@Command(
        name = "merge",
        header = "Writes a model with an adapter merged in.",
        description =
                "Writes a Hugging Face folder with an adapter merged into the model, each weight in"
                        + " the type in which it is stored.",
        mixinStandardHelpOptions = true,
        footerHeading = "%nExample:%n",
        footer = {"  examples/lora merge --model DIR --adapter run/adapter --out merged"},
        sortOptions = false)
public final class MergeCommand implements Callable<Integer> {

    @Spec private CommandSpec spec;

    @Mixin(name = "Model")
    private ModelOptions modelOptions;

    @Option(
            names = "--adapter",
            required = true,
            paramLabel = "ADAPTER",
            description = NamedAdapter.DESCRIPTION + ".")
    private String adapter;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "Folder to write; must not exist or be empty.")
    private Path out;

    @Mixin(name = ConfigOptions.HEADING)
    private ConfigOptions configOptions;

    /** {@inheritDoc} */
    @Override
    public Integer call() throws IOException, MalformedModelException {
        Path folderOfAdapter = NamedAdapter.find("--adapter", adapter);
        NewFolder.write(
                out,
                folder -> {
                    try (ZooModel<NDList, NDList> model = modelOptions.load();
                            LoraModel lora = PeftAdapter.load(model, folderOfAdapter)) {
                        Interruption.check();
                        MergedCheckpoint.write(
                                modelOptions.folder(), lora, LoraModel.DEFAULT_ADAPTER, folder);
                        return null;
                    } catch (MalformedModelException e) {
                        throw new IOException(e.getMessage(), e);
                    }
                });
        spec.commandLine().getOut().println(out);
        return 0;
    }
}

package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.publish.ModelCard;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;

/** Writes the model card of an adapter. */
@Command(
        name = "card",
        header = "Writes the model card of an adapter.",
        description =
                "Writes README.md into an adapter's folder, with the settings that the Hugging Face"
                        + " hub reads, from what the run left: config.yaml and metrics.jsonl.",
        mixinStandardHelpOptions = true,
        footerHeading = "%nExample:%n",
        footer = {"  examples/lora card run/adapter --license apache-2.0"},
        sortOptions = false)
public final class CardCommand implements Callable<Integer> {

    @Spec private CommandSpec spec;

    @Parameters(paramLabel = "ADAPTER", description = "Adapter folder of finetune or PEFT.")
    private Path adapter;

    @Option(
            names = "--name",
            paramLabel = "TEXT",
            description = "Title of the card (default: the name of the run's folder).")
    private String name;

    @Option(
            names = "--license",
            paramLabel = "ID",
            description = "Licence of the adapter, such as apache-2.0.")
    private String license;

    @Option(
            names = "--base",
            paramLabel = "ID",
            description =
                    "Base model, by its name on the Hugging Face hub (default: what the adapter"
                            + " names).")
    private String base;

    @Option(
            names = "--description",
            paramLabel = "TEXT",
            description = "What the adapter does, in a sentence.")
    private String description;

    @Option(
            names = "--run",
            paramLabel = "DIR",
            description = "Folder of the run (default: the folder around the adapter's).")
    private Path run;

    @Option(
            names = "--overwrite",
            fallbackValue = "true",
            description = "Replace a card that is there.")
    private boolean overwrite;

    /** {@inheritDoc} */
    @Override
    public Integer call() throws IOException {
        RunRecords records = RunRecords.read(run, adapter);
        Path file =
                ModelCard.builder()
                        .setAdapter(adapter)
                        .setName(name == null ? defaultName(adapter) : name)
                        .optBase(base)
                        .optLicense(license)
                        .optDescription(description)
                        .optTrainingData(records.data())
                        .optSettings(records.settings())
                        .optMetrics(records.metrics())
                        .build()
                        .write(overwrite);
        spec.commandLine().getOut().println(file);
        return 0;
    }

    /** The folder that finetune makes is called adapter; that of the run says more. */
    static String defaultName(Path adapter) {
        Path folder = adapter.toAbsolutePath().normalize();
        Path parent = folder.getParent();
        boolean isPlain = "adapter".equals(folder.getFileName().toString());
        return (isPlain && parent.getFileName() != null ? parent : folder).getFileName().toString();
    }
}

package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.LoraModelZoo;
import io.github.loradjl.zoo.publish.AdapterPublication;
import io.github.loradjl.zoo.repository.AdapterEntry;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;

/** Adds a version of an adapter to a repository, or makes a jar of it. */
@Command(
        name = "publish",
        header = "Publishes an adapter for others.",
        description =
                "Adds a version of an adapter to a repository, a folder to be copied to a web"
                        + " server or anywhere else; or makes a jar for a Maven repository. Others"
                        + " load it by its name.",
        footerHeading = "%nExample:%n",
        footer = {
            "  examples/lora publish run/adapter --to repository --name story-answers \\",
            "      --version 0.0.1 --license apache-2.0",
            "  examples/lora publish run/adapter --to story-answers-0.0.1.jar \\",
            "      --name story-answers --group com.example --license apache-2.0"
        },
        sortOptions = false)
public final class PublishCommand implements Callable<Integer> {

    @Spec private CommandSpec spec;

    @Parameters(paramLabel = "ADAPTER", description = "Adapter folder of finetune or PEFT.")
    private Path adapter;

    @Option(
            names = "--to",
            required = true,
            paramLabel = "REPO",
            description = "Folder of the repository, or a .jar file to write.")
    private Path repository;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "Name, the artifact id (default: that of the run's folder).")
    private String name;

    @Option(
            names = "--version",
            paramLabel = "VERSION",
            defaultValue = "0.0.1",
            description = "Version, which cannot be published twice (default: ${DEFAULT-VALUE}).")
    private String version;

    @Option(
            names = "--group",
            paramLabel = "ID",
            defaultValue = LoraModelZoo.GROUP_ID,
            description = "Group id, such as com.example (default: ${DEFAULT-VALUE}).")
    private String group;

    @Option(
            names = "--license",
            paramLabel = "ID",
            description =
                    "Licence, such as apache-2.0 (default: the one in the adapter's README.md).")
    private String license;

    @Option(
            names = "--base",
            paramLabel = "ID",
            description =
                    "Base model, by its name in the zoo or on the Hugging Face hub (default: what"
                            + " the adapter names).")
    private String base;

    @Option(
            names = "--base-revision",
            paramLabel = "COMMIT",
            description = "Revision of the base model (default: what the adapter names).")
    private String revision;

    @Option(
            names = "--description",
            paramLabel = "TEXT",
            description = "What the adapter does, in a sentence.")
    private String description;

    @Option(
            names = "--run",
            paramLabel = "DIR",
            description =
                    "Folder of the run, whose metrics are published too (default: the folder around"
                            + " the adapter's).")
    private Path run;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help message and exit.")
    private boolean help;

    /** {@inheritDoc} */
    @Override
    public Integer call() throws IOException {
        AdapterPublication publication =
                AdapterPublication.builder()
                        .setAdapter(adapter)
                        .setName(name == null ? CardCommand.defaultName(adapter) : name)
                        .setVersion(version)
                        .optGroupId(group)
                        .optLicense(license)
                        .optBase(base)
                        .optBaseRevision(revision)
                        .optDescription(description)
                        .optMetrics(RunRecords.read(run, adapter).metrics())
                        .build();
        boolean isJar = repository.toString().toLowerCase(Locale.ROOT).endsWith(".jar");
        AdapterEntry entry =
                isJar ? publication.publishJar(repository) : publication.publish(repository);
        spec.commandLine().getOut().println(entry.id());
        return 0;
    }
}

package io.github.loradjl.examples.config;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.List;

/** A command of every kind of option, parsed with its configuration. */
@Command(name = "task")
final class Parsed {

    @Option(
            names = {"--learning-rate", "--lr"},
            defaultValue = "0.5",
            description = "The rate.")
    double learningRate;

    @Option(names = "--out", required = true, description = "The folder.")
    Path out;

    @Option(names = "--prompt", description = "The prompt, ${DEFAULT-VALUE} by default.")
    String prompt;

    @Option(names = "--target-modules", split = ",", defaultValue = "all", description = "Layers.")
    String[] targetModules;

    @Option(names = "--data", split = ",", description = "Files.")
    List<Path> data;

    @Option(names = "--kind", defaultValue = "one", description = "The kind.")
    Kind kind;

    @Option(
            names = "--packing",
            negatable = true,
            fallbackValue = "true",
            description = "Whether to pack.")
    boolean packing;

    @Mixin(name = ConfigOptions.HEADING)
    ConfigOptions config;

    CommandLine line;

    enum Kind {
        one,
        two
    }

    @Command(name = "root", subcommands = Parsed.class)
    private static final class Root {}

    static Parsed of(Object... arguments) {
        String[] texts = new String[arguments.length + 1];
        texts[0] = "task";
        for (int i = 0; i < arguments.length; i++) {
            texts[i + 1] = arguments[i].toString();
        }
        CommandLine line = new CommandLine(new Root());
        line.setDefaultValueProvider(Configuration.read(new CommandLine(new Root()), texts));
        line.parseArgs(texts);
        Parsed parsed = line.getSubcommands().get("task").getCommand();
        parsed.line = line.getSubcommands().get("task");
        return parsed;
    }
}

package io.github.loradjl.examples.command;

import io.github.loradjl.examples.pretrain.QuestionData;
import io.github.loradjl.examples.pretrain.StoryGrammar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;

/** Tells stories, or writes the fine-tuning data that ships with the examples. */
@Command(
        name = "stories",
        header = "Writes the fine-tuning data that ships, or tells stories.",
        description =
                "Tells little stories from the grammar, or, with --out, writes questions about"
                        + " stories as fine-tuning data (train.jsonl, validation.jsonl).",
        mixinStandardHelpOptions = true,
        footerHeading = "%nExample:%n",
        footer = {"  examples/lora stories --out data"},
        sortOptions = false)
public final class StoriesCommand implements Callable<Integer> {

    @Spec private CommandSpec spec;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Write training and validation rows here instead of telling stories.")
    private Path out;

    @Option(
            names = "--count",
            defaultValue = "5",
            paramLabel = "N",
            description = "Stories to tell (default: ${DEFAULT-VALUE}).")
    private int count;

    @Option(
            names = "--train",
            defaultValue = "2000",
            paramLabel = "N",
            description = "Training rows (default: ${DEFAULT-VALUE}).")
    private int train;

    @Option(
            names = "--validation",
            defaultValue = "200",
            paramLabel = "N",
            description = "Validation rows (default: ${DEFAULT-VALUE}).")
    private int validation;

    @Option(
            names = "--seed",
            defaultValue = "2",
            paramLabel = "N",
            description = "Seed of the stories (default: ${DEFAULT-VALUE}).")
    private long seed;

    /** {@inheritDoc} */
    @Override
    public Integer call() throws IOException {
        if (out == null) {
            PrintWriter writer = spec.commandLine().getOut();
            StoryGrammar grammar = new StoryGrammar(seed);
            for (int i = 0; i < count; i++) {
                writer.println(grammar.next().text());
            }
            writer.flush();
        } else {
            Files.createDirectories(out);
            QuestionData.write(out, train, validation, seed);
        }
        return 0;
    }
}

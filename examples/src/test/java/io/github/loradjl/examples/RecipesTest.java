package io.github.loradjl.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.loradjl.examples.config.TaskFile;
import io.github.loradjl.zoo.text.task.ClassificationTask;
import io.github.loradjl.zoo.text.task.GlueTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Each recipe holds what its command understands, and its first lines say how to run it. */
class RecipesTest {

    private static final Path FOLDER = Path.of("recipes");
    private static final String TASK = "task.yaml";

    @TempDir private Path folder;

    static List<Path> recipes() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            List<Path> recipes =
                    files.filter(file -> !TASK.equals(file.getFileName().toString()))
                            .sorted()
                            .toList();
            assertThat(recipes).hasSizeGreaterThanOrEqualTo(4);
            return recipes;
        }
    }

    private static String command(Path recipe) {
        return recipe.getFileName().toString().startsWith("compare") ? "compare" : "finetune";
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void recipe_withModelAndData_isUnderstood(Path recipe) {
        String[] arguments = {
            command(recipe), "--config", recipe.toString(), "model=m", "data=d.jsonl"
        };
        picocli.CommandLine line = Lora.commandLine(new PrintWriter(new StringWriter()), arguments);
        line.parseArgs(arguments);
        picocli.CommandLine command = line.getSubcommands().get(command(recipe));
        Path out = command.getCommandSpec().findOption("--out").getValue();
        assertThat(out.toString()).startsWith("runs");
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void recipe_wrongModel_isNamedAfterAllOptionsWereTaken(Path recipe) {
        Path out = folder.resolve("out");
        // On any machine: the recipes for a GPU name a device that is looked at after the folder.
        CommandLine run =
                CommandLine.run(
                        command(recipe),
                        "--config",
                        recipe,
                        "model=nowhere",
                        "data=d.jsonl",
                        "out=" + out);
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err()).contains("--model nowhere is neither a folder nor").hasLineCount(1);
        assertThat(out).doesNotExist();
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void recipe_head_saysHowToRunIt(Path recipe) throws IOException {
        assertThat(Files.readString(recipe))
                .startsWith("# ")
                .contains(command(recipe) + " --config examples/recipes/" + recipe.getFileName());
    }

    @Test
    void task_isSst2AsGlueHasIt() throws IOException {
        ClassificationTask own = TaskFile.read(FOLDER.resolve(TASK));
        ClassificationTask known = GlueTask.SST_2.task();
        assertThat(own.getPromptFormat()).isEqualTo(known.getPromptFormat());
        assertThat(own.getLabels()).isEqualTo(known.getLabels());
        assertThat(own.getTable()).isEqualTo(known.getTable());
        assertThat(own.getOfficialMetrics()).isEqualTo(known.getOfficialMetrics());
    }
}

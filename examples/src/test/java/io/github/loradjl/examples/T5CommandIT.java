package io.github.loradjl.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The commands on the small T5 that ships. */
class T5CommandIT {

    private static final String MODEL = "tiny-story-t5";

    @TempDir private Path folder;
    private Path reviews;
    private final PrintStream console = System.err;
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    @BeforeEach
    void writeReviews() throws IOException {
        List<String> lines = new ArrayList<>(List.of("sentence\tlabel"));
        for (int i = 0; i < 12; i++) {
            lines.add("a glad bear \t1");
            lines.add("a lost , hungry bear \t0");
        }
        reviews = Files.write(folder.resolve("train.tsv"), lines);
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void giveConsoleBack() {
        System.setErr(console);
    }

    private static JsonObject summary(CommandLine run) {
        assertThat(run.err()).isEmpty();
        assertThat(run.code()).isZero();
        return JsonParser.parseString(run.out()).getAsJsonObject();
    }

    @Test
    void finetune_questions_learnsAndItsAdapterAnswers() throws IOException {
        Path out = folder.resolve("out");
        CommandLine run =
                CommandLine.run(
                        "finetune",
                        "--model",
                        MODEL,
                        "--init",
                        "lora-ga",
                        "--limit",
                        80,
                        "--validation-limit",
                        16,
                        "--max-steps",
                        12,
                        "--learning-rate",
                        5e-3,
                        "--out",
                        out);
        assertThat(run.err()).isEmpty();
        assertThat(run.code()).isZero();
        String config = Files.readString(out.resolve("adapter/adapter_config.json"));
        assertThat(config).contains("\"SEQ_2_SEQ_LM\"", MODEL);
        JsonObject before = loss();
        JsonObject after = loss("--adapter", out.resolve("adapter"));
        assertThat(after.get("n")).isEqualTo(before.get("n"));
        assertThat(after.get("value").getAsDouble())
                .isLessThan(0.8 * before.get("value").getAsDouble());
        CommandLine answer =
                CommandLine.run(
                        "generate",
                        "--model",
                        MODEL,
                        "--adapter",
                        out.resolve("adapter"),
                        "--num-beams",
                        3,
                        "--max-new-tokens",
                        8,
                        "--prompt",
                        "Pip the dog lost a red ball. Hugo found it.\nQ: What did Pip lose?\nA:");
        assertThat(answer.code()).isZero();
        assertThat(answer.out()).isNotBlank();
    }

    private static JsonObject loss(Object... adapter) {
        List<Object> arguments =
                new ArrayList<>(
                        List.of(
                                "evaluate",
                                "--model",
                                MODEL,
                                "--data",
                                "data/validation.jsonl",
                                "--metric",
                                "loss",
                                "--limit",
                                16));
        arguments.addAll(List.of(adapter));
        return summary(CommandLine.run(arguments.toArray()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"labels", "hard", "soft"})
    void evaluate_task_namesTheWayOfCounting(String mode) {
        JsonObject summary =
                summary(
                        CommandLine.run(
                                "evaluate",
                                "--model",
                                MODEL,
                                "--task",
                                "sst-2",
                                "--data",
                                reviews,
                                "--metric",
                                mode));
        assertThat(summary.get("metric").getAsString()).isEqualTo("accuracy_" + mode);
        assertThat(summary.get("n").getAsInt()).isEqualTo(24);
        // Only two different rows, so all, half or none are right.
        assertThat(summary.get("value").getAsDouble()).isIn(0.0, 0.5, 1.0);
    }

    @Test
    void compare_task_learnsIt() throws IOException {
        Path out = folder.resolve("compared");
        CommandLine run =
                CommandLine.run(
                        "compare",
                        "--model",
                        MODEL,
                        "--task",
                        "sst-2",
                        "--data",
                        reviews,
                        "--validation",
                        reviews,
                        "--methods",
                        "lora,lora-ga",
                        "--learning-rates",
                        "1e-2",
                        "--seeds",
                        0,
                        "--max-steps",
                        20,
                        "--eval-steps",
                        10,
                        "--calibration-batches",
                        2,
                        "--metric",
                        "labels",
                        "--out",
                        out);
        assertThat(run.err()).isEmpty();
        assertThat(run.code()).isZero();
        for (String method : List.of("lora", "lora-ga")) {
            Path file = out.resolve("runs").resolve(method + "@0.01@0.json");
            JsonObject result = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
            JsonArray losses =
                    result.getAsJsonObject("training").getAsJsonArray("validation_losses");
            assertThat(losses.get(losses.size() - 1).getAsDouble())
                    .as(method)
                    .isLessThan(0.2 * losses.get(0).getAsDouble());
            assertThat(result.get("metric").getAsDouble()).as(method).isIn(0.0, 0.5, 1.0);
        }
        assertThat(Files.readString(out.resolve("results.md"))).contains("accuracy_labels");
    }

    @Test
    void model_neitherFolderNorShipped_isNamed() {
        CommandLine run = CommandLine.run("generate", "--model", "tiny-story", "--prompt", "a");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err())
                .contains("--model tiny-story is neither a folder", MODEL, "tiny-story-llama")
                .hasLineCount(1);
    }
}

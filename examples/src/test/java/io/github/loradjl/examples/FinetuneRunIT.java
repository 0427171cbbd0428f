package io.github.loradjl.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonParser;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** What a run does beside training, and how it fails, on the small model that ships. */
class FinetuneRunIT {

    @TempDir private Path folder;
    private Path data;
    private Path out;
    private final PrintStream console = System.err;
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    @BeforeEach
    void writeRows() throws IOException {
        List<String> rows = Files.readAllLines(Path.of("data/train.jsonl")).subList(0, 40);
        data = Files.write(folder.resolve("rows.jsonl"), rows);
        out = folder.resolve("out");
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void giveConsoleBack() {
        System.setErr(console);
    }

    private String said() {
        return said.toString(StandardCharsets.UTF_8);
    }

    @Test
    void dryRun_showsAllAndWritesNothing() {
        CommandLine run = finetune("--dry-run", "--max-steps", 7, "--gradient-checkpointing");
        assertThat(run.err()).isEmpty();
        assertThat(run.code()).isZero();
        assertThat(said())
                .contains("model    tiny-story-llama", "schedule 7 steps of 8 rows")
                .contains("tokens of a row: 5%: ", "100%: ")
                .containsPattern("masked: 9\\d\\.\\d% of the tokens")
                .contains("row " + data + ":1, what is masked in [[ ]]:", "]] six pears")
                .containsPattern("time: \\d+\\.\\d+ s per step .* for 7 steps")
                .containsPattern("peak memory: about \\d+ MB")
                .contains("nothing was written");
        assertThat(out).doesNotExist();
    }

    @Test
    void initAdapter_goesOnFromWhereItWas() throws IOException {
        assertThat(finetune("--max-steps", 4).code()).isZero();
        double last = evaluations(out).get(1);
        Path more = folder.resolve("more");
        CommandLine run =
                CommandLine.run(
                        "finetune",
                        "--data",
                        data,
                        "--out",
                        more,
                        "--init-adapter",
                        out.resolve("adapter"),
                        "--max-steps",
                        2);
        assertThat(run.code()).isZero();
        assertThat(evaluations(more).get(0)).isEqualTo(last, within(0.0));
        assertThat(said()).contains("adapter  from " + out.resolve("adapter"));
    }

    @Test
    void earlyStopping_leavesTheBestAdapter() throws IOException {
        CommandLine run =
                finetune(
                        "--max-steps",
                        30,
                        "--eval-steps",
                        1,
                        "--early-stopping-patience",
                        2,
                        "--learning-rate",
                        0.5);
        assertThat(run.code()).isZero();
        List<Double> losses = evaluations(out);
        assertThat(losses).hasSizeLessThan(31);
        double best = losses.subList(1, losses.size()).stream().min(Double::compare).orElseThrow();
        assertThat(losses.indexOf(best)).isEqualTo(losses.size() - 3);
        assertThat(said()).contains("the adapter is that of step " + (losses.size() - 3));
        Path best2 = out.resolve("checkpoints/best-%08d/adapter".formatted(losses.size() - 3));
        assertThat(out.resolve("adapter/adapter_model.safetensors"))
                .hasSameBinaryContentAs(best2.resolve("adapter_model.safetensors"));
    }

    @Test
    void packingAndSamples_goTogether() throws IOException {
        CommandLine run =
                finetune(
                        "--packing",
                        "--max-length",
                        512,
                        "--batch-size",
                        1,
                        "--max-steps",
                        2,
                        "--sample-steps",
                        1,
                        "--sample-prompt",
                        "Pip was",
                        "--loraplus-lr-ratio",
                        4,
                        "--schedule",
                        "constant");
        assertThat(run.err()).isEmpty();
        assertThat(run.code()).isZero();
        assertThat(said())
                .contains("2 steps of 1 packed sequences", "after 1 steps: ", "after 2 steps: ");
        assertThat(Files.readString(out.resolve("config.yaml")))
                .contains("packing: true", "loraplus_lr_ratio: 4", "schedule: constant")
                .doesNotContain("\nresume:", "\ndry_run:", "\noverwrite:");
    }

    @Test
    void lossNotANumber_namesStepRowsAndCheckpoint() throws IOException {
        CommandLine run = finetune("--learning-rate", "1e30", "--save-steps", 1, "--max-steps", 20);
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err().lines()).hasSize(1);
        assertThat(run.err())
                .startsWith("lora: step ")
                .contains("NaN", data + ":", "the last good checkpoint is " + out)
                .doesNotContain("\tat ");
        assertThat(out.resolve("adapter")).doesNotExist();
        for (String line : Files.readAllLines(out.resolve("metrics.jsonl"))) {
            assertThat(JsonParser.parseString(line).isJsonObject()).isTrue();
        }
    }

    @Test
    void nothingToLearn_isAnErrorThatSaysWhy() {
        CommandLine run = finetune("--max-length", 10);
        assertFails(run, "nothing to learn is left in any of 40 rows within 10 tokens");
        assertThat(out).doesNotExist();
    }

    @Test
    void resume_configuredOtherwise_saysWhatDiffers() throws IOException {
        assertThat(finetune("--max-steps", 2, "--save-steps", 1).code()).isZero();
        byte[] adapter = Files.readAllBytes(out.resolve("adapter/adapter_model.safetensors"));
        assertFails(
                finetune("--max-steps", 3, "--save-steps", 1, "--resume", "--rank", 4),
                "rank was 8 and is 4",
                "--config " + out.resolve("config.yaml") + " --resume");
        assertThat(out.resolve("adapter/adapter_model.safetensors")).hasBinaryContent(adapter);
        assertThat(finetune("--max-steps", 3, "--save-steps", 1, "--resume").code()).isZero();
        assertThat(Files.readAllLines(out.resolve("metrics.jsonl"))).hasSize(4);
    }

    @Test
    void resume_withoutCheckpoints_isRefusedWhereAnAdapterIs() {
        assertThat(finetune("--max-steps", 1).code()).isZero();
        assertFails(finetune("--max-steps", 2, "--resume"), "--init-adapter");
    }

    @Test
    void unfinishedRun_isNotOverwritten() throws IOException {
        assertThat(finetune("--max-steps", 2, "--save-steps", 1).code()).isZero();
        try (Stream<Path> files = Files.walk(out.resolve("adapter"))) {
            files.sorted((a, b) -> b.compareTo(a)).forEach(file -> file.toFile().delete());
        }
        assertFails(finetune("--max-steps", 2), "step-00000002", "--resume", "--overwrite");
        assertThat(finetune("--max-steps", 1, "--overwrite").code()).isZero();
        assertThat(out.resolve("checkpoints")).doesNotExist();
    }

    @Test
    void outIsAFile_isNamed() throws IOException {
        Files.writeString(out, "mine");
        assertFails(finetune("--max-steps", 1), "--out", "is a file");
        assertThat(out).hasContent("mine");
    }

    @Test
    void resumeWithOverwriteOrAnAdapter_isAMisuse() {
        for (Object[] options :
                new Object[][] {{"--resume", "--overwrite"}, {"--resume", "--init-adapter=x"}}) {
            CommandLine run = finetune(options);
            assertThat(run.code()).isEqualTo(2);
            assertThat(run.err()).contains("--resume");
        }
    }

    private static void assertFails(CommandLine run, String... named) {
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines()).hasSize(1);
        assertThat(run.err()).startsWith("lora: ").contains(named).doesNotContain("\tat ");
    }

    private static List<Double> evaluations(Path run) throws IOException {
        return Files.readAllLines(run.resolve("metrics.jsonl")).stream()
                .map(line -> JsonParser.parseString(line).getAsJsonObject())
                .map(json -> json.get("eval_loss"))
                .filter(loss -> loss != null)
                .map(loss -> loss.getAsDouble())
                .toList();
    }

    private CommandLine finetune(Object... more) {
        Object[] first = {"finetune", "--data", data, "--out", out};
        return CommandLine.run(Stream.concat(Arrays.stream(first), Arrays.stream(more)).toArray());
    }
}

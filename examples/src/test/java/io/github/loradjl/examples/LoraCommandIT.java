package io.github.loradjl.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.loradjl.zoo.TinyStoryLlama;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import javax.imageio.ImageIO;

/** The commands one after the other, on the model and the data that ship. */
class LoraCommandIT {

    private static final String PROMPT =
            "Mira the fox had a red kite, and Otto the bear had a blue ball. One day they met by"
                    + " the river.";

    @TempDir private static Path folder;
    private static Path out;
    private static CommandLine finetuned;

    @BeforeAll
    static void finetune() {
        System.setProperty("lora.examples", ".");
        out = folder.resolve("out");
        finetuned =
                CommandLine.run(
                        "finetune", "--out", out, "--max-steps", 6, "--rank", 4, "--eval-steps", 4);
    }

    @AfterAll
    static void forgetExamples() {
        System.clearProperty("lora.examples");
    }

    @Test
    void finetune_standardOutput_isTheAdapterAlone() {
        assertThat(finetuned.err()).isEmpty();
        assertThat(finetuned.code()).isZero();
        assertThat(finetuned.out()).isEqualTo(out.resolve("adapter") + System.lineSeparator());
        assertThat(out.resolve("adapter/adapter_config.json")).exists();
        assertThat(out.resolve("adapter/adapter_model.safetensors")).exists();
    }

    @Test
    void finetune_metrics_haveOneObjectPerStepAndValidations() throws IOException {
        List<JsonObject> lines =
                Files.readAllLines(out.resolve("metrics.jsonl")).stream()
                        .map(line -> JsonParser.parseString(line).getAsJsonObject())
                        .toList();
        assertThat(lines).hasSize(7);
        assertThat(lines.get(0).keySet())
                .containsExactly("global_step", "eval_loss", "eval_perplexity");
        for (int step = 1; step <= 6; step++) {
            JsonObject line = lines.get(step);
            assertThat(line.get("global_step").getAsInt()).isEqualTo(step);
            assertThat(line.keySet())
                    .contains(
                            "epoch",
                            "num_tokens",
                            "loss",
                            "mean_token_accuracy",
                            "learning_rate",
                            "grad_norm",
                            "tokens_per_second");
            assertThat(line.has("eval_loss")).isEqualTo(step == 4 || step == 6);
        }
        assertThat(lines.get(6).get("eval_loss").getAsDouble())
                .isLessThan(lines.get(0).get("eval_loss").getAsDouble());
        assertThat(lines.get(6).has("peak_memory_mb"))
                .isEqualTo(Files.exists(Path.of("/proc/self/status")));
        assertThat(ImageIO.read(out.resolve("loss.png").toFile())).isNotNull();
    }

    @Test
    void finetune_again_isRefusedUnlessAsked() {
        CommandLine again = CommandLine.run("finetune", "--out", out, "--max-steps", 1);
        assertThat(again.code()).isEqualTo(1);
        assertThat(again.err()).contains("exists already", "--overwrite");
    }

    @Test
    void generate_sameSeed_sameTextAndNothingElse() {
        CommandLine first =
                CommandLine.run(
                        "generate", "--prompt", PROMPT, "--max-new-tokens", 12, "--seed", 3);
        assertThat(first.code()).isZero();
        assertThat(first.err()).isEmpty();
        assertThat(first.out()).isNotBlank().doesNotContain("<s>");
        assertThat(
                        CommandLine.run(
                                        "generate",
                                        "--prompt",
                                        PROMPT,
                                        "--max-new-tokens",
                                        12,
                                        "--seed",
                                        3)
                                .out())
                .isEqualTo(first.out());
    }

    @Test
    void merge_thenGenerate_saysWhatTheAdapterSays() {
        Path merged = folder.resolve("merged");
        CommandLine merge =
                CommandLine.run("merge", "--adapter", out.resolve("adapter"), "--out", merged);
        assertThat(merge.err()).isEmpty();
        assertThat(merge.out()).isEqualTo(merged + System.lineSeparator());
        Object[] generate = {"generate", "--greedy", "--max-new-tokens", 8, "--prompt", PROMPT};
        CommandLine adapted = CommandLine.run(with(generate, "--adapter", out.resolve("adapter")));
        assertThat(CommandLine.run(with(generate, "--model", merged)).out())
                .isEqualTo(adapted.out());
        CommandLine again =
                CommandLine.run("merge", "--adapter", out.resolve("adapter"), "--out", merged);
        assertThat(again.code()).isEqualTo(1);
        assertThat(again.err()).contains("not empty");
    }

    @Test
    void inspect_adapterOrChoice_listsTheTargets() throws IOException {
        CommandLine adapter = CommandLine.run("inspect", "--adapter", out.resolve("adapter"));
        assertThat(adapter.out())
                .contains("lora_ga, rank 4", "in 35 layers", "model.layers.0.self_attn.q_proj");
        CommandLine choice =
                CommandLine.run(
                        "inspect",
                        "--model",
                        TinyStoryLlama.folder(),
                        "--target-modules",
                        "q_proj,v_proj",
                        "--init",
                        "kaiming");
        // 5 layers, q 128 x 128 and v 64 x 128, rank 8: 5 * 8 * (256 + 192).
        assertThat(choice.out()).contains("trainable  17,920 parameters in 10 layers");
    }

    private static Object[] with(Object[] arguments, Object... more) {
        return java.util.stream.Stream.concat(
                        java.util.Arrays.stream(arguments), java.util.Arrays.stream(more))
                .toArray();
    }
}

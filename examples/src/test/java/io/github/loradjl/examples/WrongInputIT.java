package io.github.loradjl.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.loradjl.zoo.TinyStoryLlama;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Each wrong input gets one line that names it, and leaves nothing behind. */
class WrongInputIT {

    @TempDir private Path folder;
    private Path data;
    private Path out;

    @BeforeEach
    void writeRows() throws IOException {
        List<String> rows = Files.readAllLines(Path.of("data/train.jsonl")).subList(0, 40);
        data = Files.write(folder.resolve("rows.jsonl"), rows);
        out = folder.resolve("out");
    }

    @Test
    void missingModel_isNamed() throws IOException {
        Path model = folder.resolve("nowhere");
        assertFails(finetune("--model", model), model.toString(), "neither a folder");
    }

    @Test
    void folderWithoutConfig_isNamed() throws IOException {
        Path model = Files.createDirectory(folder.resolve("empty"));
        assertFails(finetune("--model", model), model.toString());
    }

    @Test
    void truncatedWeights_areNamed() throws IOException {
        Path model = copyOfTheModel();
        Path weights = model.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        Files.write(weights, Arrays.copyOf(bytes, bytes.length - 100));
        assertFails(finetune("--model", model), "model.safetensors");
    }

    @Test
    void patternWithoutMatch_isNamed() throws IOException {
        assertFails(finetune("--target-modules", "quark_proj"), "quark_proj");
    }

    @Test
    void rankTooLargeForLoraGa_isNamed() throws IOException {
        // The smallest target is 64 x 128: LoRA-GA needs 2r <= 64.
        assertFails(finetune("--rank", 33), "33", "k_proj");
    }

    @Test
    void chatWithoutTemplate_isNamed() throws IOException {
        assertFails(finetune("--chat"), "--chat", "the model has none");
    }

    @Test
    void emptyData_isNamed() throws IOException {
        Path empty = Files.createFile(folder.resolve("empty.jsonl"));
        assertFails(CommandLine.run("finetune", "--data", empty, "--out", out), "empty.jsonl");
    }

    @Test
    void missingData_isNamed() throws IOException {
        Path missing = folder.resolve("missing.jsonl");
        assertFails(CommandLine.run("finetune", "--data", missing, "--out", out), "missing.jsonl");
    }

    @Test
    void malformedLine_isNamedWithItsNumber() throws IOException {
        List<String> rows = new java.util.ArrayList<>(Files.readAllLines(data));
        rows.set(6, "{\"prompt\": \"half");
        Files.write(data, rows);
        assertFails(finetune(), "rows.jsonl", "7");
    }

    @Test
    void adapterOfAnotherBase_isNamed() throws IOException {
        assertThat(finetune("--max-steps", 1).code()).isZero();
        Path model = copyOfTheModel();
        Path weights = model.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        // Somewhere among the weights of the layers.
        bytes[bytes.length - 200_000] ^= 1;
        Files.write(weights, bytes);
        CommandLine generate =
                CommandLine.run(
                        "generate",
                        "--model",
                        model,
                        "--adapter",
                        out.resolve("adapter"),
                        "--prompt",
                        "One");
        assertThat(generate.code()).isEqualTo(1);
        assertThat(generate.err().lines()).hasSize(1);
        assertThat(generate.err()).startsWith("lora: ").contains("base").doesNotContain("\tat ");
    }

    @ParameterizedTest
    @CsvSource({
        "finetune --rank many, --rank",
        "finetune --nonsense, --nonsense",
        "generate --greedy, --prompt",
        "generate --prompt x --greedy --temperature 2, --greedy",
        "generate --prompt x --top-p 1.5, topP",
        "merge --out x, --adapter",
        "nothing, nothing",
    })
    void wrongUsage_hasCodeTwo(String line, String named) {
        CommandLine run = CommandLine.run((Object[]) line.split(" "));
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.err().lines()).hasSize(1);
        assertThat(run.err()).startsWith("lora: ").contains(named, "--help");
    }

    private CommandLine finetune(Object... more) {
        Object[] first = {"finetune", "--data", data, "--out", out};
        return CommandLine.run(Stream.concat(Arrays.stream(first), Arrays.stream(more)).toArray());
    }

    private void assertFails(CommandLine run, String... named) throws IOException {
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines()).hasSize(1);
        assertThat(run.err()).startsWith("lora: ").contains(named).doesNotContain("\tat ");
        assertThat(out).doesNotExist();
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(f -> f.getFileName().toString()))
                    .noneMatch(name -> name.startsWith("."));
        }
    }

    private Path copyOfTheModel() throws IOException {
        Path model = Files.createDirectory(folder.resolve("model"));
        try (Stream<Path> files = Files.list(TinyStoryLlama.folder())) {
            for (Path file : files.toList()) {
                Files.copy(file, model.resolve(file.getFileName()));
            }
        }
        return model;
    }
}

package io.github.loradjl.examples;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;

import io.github.loradjl.LoraModel;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.zoo.TinyStoryLlama;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

class ReadmeTest {

    private static final Path SOURCE =
            Path.of("src/test/java/io/github/loradjl/examples/ReadmeProgram.java");

    @TempDir private Path folder;

    @Test
    void program_inTheReadme_isTheOneThatIsCompiled() throws IOException {
        String[] programs = Files.readString(SOURCE).split("// README begins\n");
        assertThat(programs).hasSize(3);
        for (int i = 1; i < programs.length; i++) {
            String program =
                    programs[i].substring(0, programs[i].indexOf("        // README ends"));
            assertThat(Files.readString(Path.of("../README.md")))
                    .contains("```java\n" + program.indent(-8) + "```\n");
        }
    }

    @Test
    void program_run_leavesAnAdapterForTheUntouchedModel() throws Exception {
        Path model = TinyStoryLlama.folder();
        List<String> rows = Files.readAllLines(Path.of("data/train.jsonl")).subList(0, 80);
        Path file = Files.write(folder.resolve("rows.jsonl"), rows);
        Path adapter = folder.resolve("adapter");
        ReadmeProgram.run(model, file, adapter);
        try (ZooModel<NDList, NDList> loaded =
                        HuggingFaceFolder.load(model, Device.cpu(), DataType.FLOAT32);
                LoraModel lora = PeftAdapter.load(loaded, adapter)) {
            assertThat(lora.getConfig(LoraModel.DEFAULT_ADAPTER).getRank()).isEqualTo(8);
            assertThat(lora.getTargets(LoraModel.DEFAULT_ADAPTER)).hasSize(35);
        }
        assertThat(answerElsewhere(adapter)).isNotBlank();
    }

    /** In a process of its own, with empty caches and off the network. */
    private String answerElsewhere(Path adapter) throws Exception {
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder builder =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-XX:+UseSerialGC",
                                "-Dai.djl.offline=true",
                                "-DOPT_OUT_TRACKING=true",
                                "-cp",
                                System.getProperty("java.class.path"),
                                ReadmeProgram.class.getName(),
                                adapter.toString())
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile());
        builder.environment().remove("ENGINE_CACHE_DIR");
        builder.environment().put("DJL_CACHE_DIR", folder.resolve("cache").toString());
        builder.environment().put("HF_HUB_CACHE", folder.resolve("hub").toString());
        Process process = builder.start();
        assertThat(process.waitFor(3, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as(Files.readString(err)).isZero();
        assertThat(folder.resolve("hub")).doesNotExist();
        return Files.readString(out);
    }
}

package io.github.loradjl.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.loradjl.examples.doctor.Findings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The doctor, in processes with settings of their own. */
class DoctorCommandIT {

    private static final String SECRET = "hf_doNotTellAnybody";
    private static final int SCREEN = 24;

    @TempDir private Path folder;

    private record Run(int code, String out, String err) {}

    private Run run(Map<String, String> environment, String... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        command.addAll(List.of("-Dai.djl.offline=true", "-Dlora.hub.offline=false"));
        String repositories = environment.get("LORA_REPOSITORIES");
        if (repositories != null) {
            command.add("-Dlora.djl.repositories=" + repositories);
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add(Lora.class.getName());
        command.addAll(List.of(arguments));
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile());
        builder.environment().putAll(environment);
        builder.environment().put("HF_HUB_CACHE", folder.resolve("hub").toString());
        Process process = builder.start();
        assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
        return new Run(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    @Test
    void doctor_rightSettings_areShownOnOneScreenWithoutTheToken() throws Exception {
        Run run = run(Map.of("HF_TOKEN", SECRET), "doctor");
        assertThat(run.code()).as(run.out() + run.err()).isZero();
        assertThat(run.out()).endsWith("All is well." + System.lineSeparator());
        assertThat(run.out().lines()).hasSizeLessThanOrEqualTo(SCREEN);
        assertThat(run.out())
                .contains("PyTorch 2.", "build, from ", "devices", "threads", "DJL's cache")
                .contains("https://huggingface.co, with the token of HF_TOKEN")
                .contains(
                        "DJL stays off the network; repositories on the web: asked when needed; the"
                                + " hub: asked")
                .contains("tiny-story-llama, tiny-story-t5", "none (LORA_REPOSITORIES)");
        assertThat(run.out() + run.err()).doesNotContain(SECRET);
    }

    @Test
    void doctor_wrongSettings_areNamedWithWhatToDo() throws Exception {
        Path empty = Files.createDirectories(folder.resolve("empty"));
        Map<String, String> environment =
                Map.of(
                        "PYTORCH_LIBRARY_PATH",
                        empty.toString(),
                        "HF_ENDPOINT",
                        "huggingface",
                        "HF_TOKEN",
                        SECRET,
                        "LORA_REPOSITORIES",
                        folder.resolve("none").toString());
        Run run = run(environment, "doctor");
        assertThat(run.code()).isOne();
        assertThat(run.out())
                .contains("PYTORCH_LIBRARY_PATH is \"" + empty, "Unset it")
                .contains(
                        "(HF_ENDPOINT) is such as https://huggingface.co", "Correct that variable")
                .contains("none, does not open", "Repository " + folder.resolve("none"))
                // DJL does not look in the empty folder.
                .contains("engine        PyTorch 2.")
                .doesNotContain(SECRET);
        assertThat(run.out().lines()).hasSizeLessThanOrEqualTo(SCREEN);
    }

    @Test
    void commands_nativesThatDoNotLoad_pointToTheDoctor() throws Exception {
        Path broken = Files.createDirectories(folder.resolve("broken"));
        Files.writeString(broken.resolve(System.mapLibraryName("torch")), "no library");
        Map<String, String> environment = Map.of("PYTORCH_LIBRARY_PATH", broken.toString());
        Run generate = run(environment, "generate", "--prompt", "Once");
        assertThat(generate.code()).isOne();
        assertThat(generate.err())
                .contains("lora: the engine does not start: ", "examples/lora doctor")
                .doesNotContain("\tat ");
        Run doctor = run(environment, "doctor");
        assertThat(doctor.code()).isOne();
        assertThat(doctor.out())
                .contains("which does not load", "should be from " + broken)
                .contains("PyTorch does not load: ", "Unset PYTORCH_LIBRARY_PATH");
    }

    @Test
    void reason_isTheFirstCauseInOneLine() {
        Throwable cause = new IOException("two\nlines.");
        assertThat(Findings.reason(new IllegalStateException("outside", cause)))
                .isEqualTo("two lines");
        assertThat(Findings.reason(new NoSuchFileException("x")))
                .isEqualTo("java.nio.file.NoSuchFileException: x");
        assertThat(Findings.reason(new IOException())).isEqualTo("IOException");
    }
}

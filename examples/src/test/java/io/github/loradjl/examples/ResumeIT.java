package io.github.loradjl.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Real processes that are killed or interrupted, and go on as if nothing had happened. */
class ResumeIT {

    private static final int KILLS = 20;
    private static final int STEPS = 40;

    /** Longer than a whole run takes, so that a kill may come at any moment of it. */
    private static final int LONGEST_WAIT_MILLIS = 9000;

    @TempDir private Path folder;

    @Test
    void finetune_killedAtRandomMoments_goesOnWithTheSameNumbers() throws Exception {
        Path whole = folder.resolve("whole");
        assertThat(finish(start(whole))).isZero();
        assertThat(steps(whole)).hasSize(STEPS + 1);
        Random random = new Random(20);
        int kills = 0;
        int run = 0;
        Path out = folder.resolve("killed-" + run);
        while (kills < KILLS) {
            Process process = start(out);
            if (process.waitFor(random.nextInt(LONGEST_WAIT_MILLIS), TimeUnit.MILLISECONDS)) {
                assertThat(finish(process)).as(log(out)).isZero();
                assertSame(out, whole);
                out = folder.resolve("killed-" + ++run);
            } else {
                process.destroyForcibly();
                finish(process);
                kills++;
            }
        }
        assertThat(finish(start(out))).as(log(out)).isZero();
        assertSame(out, whole);
    }

    @Test
    void finetune_interrupted_savesAndSaysHowToGoOn() throws Exception {
        assumeTrue(File.separatorChar == '/', "there is no SIGINT on Windows");
        Path whole = folder.resolve("whole");
        assertThat(finish(start(whole))).isZero();
        Path out = folder.resolve("interrupted");
        Process process = start(out);
        Path metrics = out.resolve("metrics.jsonl");
        while (process.isAlive() && (!Files.exists(metrics) || Files.size(metrics) < 300)) {
            Thread.sleep(20);
        }
        String pid = String.valueOf(process.pid());
        finish(new ProcessBuilder("kill", "-INT", pid).start());
        assertThat(finish(process)).isEqualTo(130);
        assertThat(log(out))
                .contains("stopped after step")
                .contains("--config " + out.resolve("config.yaml") + " --resume");
        assertThat(out.resolve("adapter")).doesNotExist();
        Process resumed =
                start(
                        out,
                        "finetune",
                        "--config",
                        out.resolve("config.yaml").toString(),
                        "--resume");
        assertThat(finish(resumed)).as(log(out)).isZero();
        assertSame(out, whole);
    }

    @Test
    void compare_interrupted_keepsOnlyWhatIsFinished() throws Exception {
        assumeTrue(File.separatorChar == '/', "there is no SIGINT on Windows");
        Path out = folder.resolve("comparison");
        String[] command = {
            "compare",
            "--out=" + out,
            "--data=data/train.jsonl",
            "--limit=60",
            "--hold-out=0.2",
            "--batch-size=2",
            "--methods=lora",
            "--learning-rates=1e-3",
            "--seeds=0,1,2,3,4,5,6,7",
            "--max-steps=20",
            "--eval-steps=10"
        };
        Process process = start(out, command);
        Path first = out.resolve("runs").resolve("lora@1e-3@0.json");
        Path last = out.resolve("runs").resolve("lora@1e-3@7.json");
        while (process.isAlive() && !Files.exists(first)) {
            Thread.sleep(20);
        }
        finish(new ProcessBuilder("kill", "-INT", String.valueOf(process.pid())).start());
        assertThat(finish(process)).as(log(out)).isEqualTo(130);
        Map<Path, String> before = new TreeMap<>();
        try (Stream<Path> runs = Files.list(out.resolve("runs"))) {
            for (Path run : runs.toList()) {
                before.put(run, Files.readString(run));
            }
        }
        assertThat(before).containsKey(first).doesNotContainKey(last);
        assertThat(out.resolve("results.md")).doesNotExist();
        assertThat(finish(start(out, command))).as(log(out)).isZero();
        for (Path run : before.keySet()) {
            assertThat(Files.readString(run)).isEqualTo(before.get(run));
        }
        assertThat(last).exists();
        assertThat(out.resolve("results.md")).exists();
    }

    private static void assertSame(Path out, Path expected) throws IOException {
        assertThat(steps(out)).isEqualTo(steps(expected));
        Path tensors = Path.of("adapter", "adapter_model.safetensors");
        assertThat(out.resolve(tensors)).hasSameBinaryContentAs(expected.resolve(tensors));
    }

    /** Returns the lines of metrics.jsonl without what the machine's mood decides. */
    private static List<JsonObject> steps(Path out) throws IOException {
        List<JsonObject> lines = new ArrayList<>();
        for (String line : Files.readAllLines(out.resolve("metrics.jsonl"))) {
            JsonObject json = JsonParser.parseString(line).getAsJsonObject();
            json.remove("tokens_per_second");
            json.remove("peak_memory_mb");
            lines.add(json);
        }
        return lines;
    }

    private Process start(Path out) throws IOException {
        return start(
                out,
                "finetune",
                "--out=" + out,
                "--data=data/train.jsonl",
                "--limit=120",
                "--hold-out=0.1",
                "--batch-size=2",
                "--gradient-accumulation-steps=2",
                "--calibration-batches=2",
                "--dropout=0.1",
                "--learning-rate=0.001",
                "--max-steps=" + STEPS,
                "--eval-steps=10",
                "--save-steps=3",
                "--resume");
    }

    private static Process start(Path out, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        command.add("-Dai.djl.offline=true");
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add("io.github.loradjl.examples.Lora");
        command.addAll(List.of(arguments));
        Path log = out.resolveSibling(out.getFileName() + ".log");
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
    }

    private static String log(Path out) throws IOException {
        return Files.readString(out.resolveSibling(out.getFileName() + ".log"));
    }

    private static int finish(Process process) throws InterruptedException {
        assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
        return process.exitValue();
    }
}

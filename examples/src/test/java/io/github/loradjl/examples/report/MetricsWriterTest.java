package io.github.loradjl.examples.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;

class MetricsWriterTest {

    @TempDir private Path folder;

    @Test
    void write_openFile_leavesWholeLinesAtOnce() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        try (MetricsWriter writer = new MetricsWriter(file)) {
            writer.write(StepMetrics.evaluation(0, 0));
            writer.write(
                    new StepMetrics(
                            10, 0.5, 640L, 1.5, 0.25, 1e-4, 0.75, 1000.0, 99.5, null, null));
            assertThat(Files.readAllLines(file))
                    .containsExactly(
                            "{\"global_step\":0,\"eval_loss\":0.0,\"eval_perplexity\":1.0}",
                            "{\"global_step\":10,\"epoch\":0.5,\"num_tokens\":640,\"loss\":1.5,"
                                    + "\"mean_token_accuracy\":0.25,\"learning_rate\":1.0E-4,"
                                    + "\"grad_norm\":0.75,\"tokens_per_second\":1000.0,"
                                    + "\"peak_memory_mb\":99.5}");
            assertThat(writer.written()).hasSize(2);
        }
    }

    @Test
    void resume_keepsWholeLinesUpToTheStepAndAppends() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        Files.writeString(
                file,
                "{\"global_step\":0,\"eval_loss\":2.5}\n"
                        + "{\"global_step\":1,\"loss\":NaN}\n"
                        + "{\"global_step\":2,\"loss\":1.0,\"mine\":7}\n"
                        + "{\"global_step\":3}\n"
                        + "{\"glo");
        try (MetricsWriter writer = MetricsWriter.resume(file, 2)) {
            writer.write(StepMetrics.evaluation(3, 0));
            assertThat(writer.written())
                    .extracting(StepMetrics::globalStep)
                    .containsExactly(0L, 1L, 2L, 3L);
            assertThat(writer.written().get(1).loss()).isNaN();
        }
        assertThat(Files.readAllLines(file))
                .containsExactly(
                        "{\"global_step\":0,\"eval_loss\":2.5}",
                        "{\"global_step\":1,\"loss\":NaN}",
                        "{\"global_step\":2,\"loss\":1.0,\"mine\":7}",
                        "{\"global_step\":3,\"eval_loss\":0.0,\"eval_perplexity\":1.0}");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void resume_cutAtAnyByte_keepsTheLinesBeforeTheCut() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        try (MetricsWriter writer = new MetricsWriter(file)) {
            for (int step = 0; step < 3; step++) {
                writer.write(StepMetrics.evaluation(step, 0.5 * step));
            }
        }
        byte[] whole = Files.readAllBytes(file);
        for (int cut = 0; cut <= whole.length; cut++) {
            Files.write(file, Arrays.copyOf(whole, cut));
            String before = new String(whole, 0, cut, StandardCharsets.UTF_8);
            long lines = before.chars().filter(c -> c == '\n').count();
            // A line of which only the line break is missing is whole.
            lines += cut < whole.length && whole[cut] == '\n' ? 1 : 0;
            try (MetricsWriter writer = MetricsWriter.resume(file, 9)) {
                assertThat(writer.written()).hasSize((int) lines);
            }
            assertThat(Files.readAllLines(file)).hasSize((int) lines);
        }
    }

    @Test
    void resume_missingFile_beginsIt() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        MetricsWriter.resume(file, 5).close();
        assertThat(file).isEmptyFile();
    }

    @Test
    void resume_otherLine_isNamed() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        Files.writeString(file, "{\"global_step\":0}\nnotes\n{\"global_step\":1}\n");
        assertThatThrownBy(() -> MetricsWriter.resume(file, 5))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file + ":2 is not a line of metrics");
        assertThat(file).content().contains("notes");
    }
}

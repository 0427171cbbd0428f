package io.github.loradjl.examples.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

class MetricsWriterTest {

    @TempDir private Path folder;

    @Test
    void write_openFile_leavesWholeLinesAtOnce() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        try (MetricsWriter writer = new MetricsWriter(file)) {
            writer.write(StepMetrics.evaluation(0, 2.5));
            writer.write(new StepMetrics(10, 1.5, 1e-4, 1000.0, null));
            assertThat(Files.readAllLines(file))
                    .containsExactly(
                            "{\"global_step\":0,\"eval_loss\":2.5}",
                            "{\"global_step\":10,\"loss\":1.5,\"learning_rate\":1.0E-4,"
                                    + "\"tokens_per_second\":1000.0}");
            assertThat(writer.written()).hasSize(2);
        }
    }
}

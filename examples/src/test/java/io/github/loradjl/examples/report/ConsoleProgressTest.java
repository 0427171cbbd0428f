package io.github.loradjl.examples.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

class ConsoleProgressTest {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);

    private long now = 5;

    @AfterEach
    void forgetChoice() {
        System.clearProperty("lora.progress");
    }

    @Test
    void update_noTerminal_fewPlainLinesAndTheLast() {
        System.setProperty("lora.progress", "plain");
        try (ConsoleProgress progress = new ConsoleProgress(out, "training", 101, () -> now)) {
            for (int step = 1; step <= 101; step++) {
                now += 2_000_000_000L;
                progress.update(step, "loss 1.000");
            }
        }
        assertThat(bytes.toString(StandardCharsets.UTF_8).lines())
                .hasSizeBetween(10, 12)
                .startsWith(
                        "training 1/101  loss 1.000",
                        // 2 seconds a step.
                        "training 11/101  loss 1.000  (0:03:00 left)")
                .endsWith("training 101/101  loss 1.000");
    }

    @Test
    void update_noTerminal_aLineEachMinuteAtLeast() {
        System.setProperty("lora.progress", "plain");
        try (ConsoleProgress progress = new ConsoleProgress(out, "training", 9000, () -> now)) {
            // Resumed: 500 steps take no time.
            for (int step = 501; step <= 504; step++) {
                progress.update(step, "x");
                now += 30_000_000_000L;
            }
        }
        assertThat(bytes.toString(StandardCharsets.UTF_8).lines())
                .containsExactly("training 501/9000  x", "training 503/9000  x  (70:48:30 left)");
    }

    @Test
    void update_terminal_drawsABarWithTheFigures() {
        System.setProperty("lora.progress", "bar");
        try (ConsoleProgress progress = new ConsoleProgress(out, "training", 10)) {
            progress.update(10, "loss 1.000");
        }
        assertThat(bytes.toString(StandardCharsets.UTF_8))
                .contains("training", "100%", "10/10", "loss 1.000");
    }
}

package io.github.loradjl.examples.config;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

class ConfigWriterTest {

    private static final String PROMPT = " a: \"b\" # c\n\t'd' \\ é, [e] {f}\u2028 & g ";

    @TempDir private Path folder;

    @Test
    void write_thenRead_hasTheSameValues() throws IOException {
        Parsed parsed =
                Parsed.of(
                        "--out",
                        "a folder/ü",
                        "--prompt",
                        PROMPT,
                        "--data",
                        "x.jsonl,- y",
                        "--lr",
                        "1.25e-5",
                        "--kind",
                        "two",
                        "--packing");
        Path file = folder.resolve("config.yaml");
        Files.writeString(file, ConfigWriter.text(parsed.line.getCommandSpec(), Map.of()));
        Parsed read = Parsed.of("--config", file);
        assertThat(read)
                .usingRecursiveComparison()
                .ignoringFields("line", "config")
                .isEqualTo(parsed);
        assertThat(read.prompt).isEqualTo(PROMPT);
    }

    @Test
    void write_extremeNumbersAndWords_areReadBack() throws IOException {
        for (double rate : new double[] {Double.MIN_VALUE, 1e300, 1.0 / 3, -0.0, 1e-8, 1}) {
            for (String word : new String[] {"null", "~", "", "true", "1_0", "-", "*a", "2:30"}) {
                Parsed parsed = Parsed.of("--out", "o", "--prompt", word, "--lr", rate);
                Path file = folder.resolve("config.yaml");
                Files.writeString(file, ConfigWriter.text(parsed.line.getCommandSpec(), Map.of()));
                Parsed read = Parsed.of("--config", file);
                assertThat(read.learningRate).isEqualTo(rate);
                assertThat(read.prompt).isEqualTo(word);
            }
        }
    }

    @Test
    void write_noValue_isACommentOrWhatTheCommandDecides() throws IOException {
        Parsed parsed = Parsed.of("--out", "o", "learning_rate=0.25");
        String text =
                ConfigWriter.text(parsed.line.getCommandSpec(), Map.of("prompt", "p", "kind", "x"));
        assertThat(text.lines())
                .contains("# data:", "prompt: p", "kind: one", "learning_rate: 0.25", "# Layers.")
                .contains("target_modules: [all]", "packing: false")
                .noneMatch(line -> line.contains("help") || line.startsWith("config"));
        Path file = Files.writeString(folder.resolve("config.yaml"), text);
        assertThat(Parsed.of("--config", file).data).isNull();
    }
}

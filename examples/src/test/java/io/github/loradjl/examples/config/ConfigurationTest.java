package io.github.loradjl.examples.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine.ParameterException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

class ConfigurationTest {

    @TempDir private Path folder;

    @Test
    void value_everywhere_commandLineThenArgumentThenFileThenDefault() throws IOException {
        Path file = file("out: f", "learning_rate: 1e-4");
        assertThat(Parsed.of("--out", "o").learningRate).isEqualTo(0.5);
        assertThat(Parsed.of("--config", file).learningRate).isEqualTo(1e-4);
        assertThat(Parsed.of("--config", file, "learning_rate=2").learningRate).isEqualTo(2);
        assertThat(Parsed.of("learning_rate=2", "--config", file, "--lr", "3").learningRate)
                .isEqualTo(3);
        assertThat(Parsed.of("--config", file).out).isEqualTo(Path.of("f"));
    }

    @Test
    void value_withoutFile_comesFromTheArgument() {
        Parsed parsed = Parsed.of("out=a=b", "prompt=[INST] x");
        assertThat(parsed.out).isEqualTo(Path.of("a=b"));
        assertThat(parsed.prompt).isEqualTo("[INST] x");
    }

    @Test
    void list_inFileOrArgument_replacesTheDefault() throws IOException {
        Path file = file("out: f", "target_modules: [q_proj, v_proj]", "data:", "- a.jsonl", "- b");
        Parsed parsed = Parsed.of("--config", file);
        assertThat(parsed.targetModules).containsExactly("q_proj", "v_proj");
        assertThat(parsed.data).containsExactly(Path.of("a.jsonl"), Path.of("b"));
        assertThat(Parsed.of("--config", file, "target_modules=[k_proj, o_proj]").targetModules)
                .containsExactly("k_proj", "o_proj");
        assertThat(Parsed.of("--config", file, "target_modules=up_proj,k_proj").targetModules)
                .containsExactly("up_proj", "k_proj");
        assertThat(Parsed.of("--config", file, "--target-modules", "x").targetModules)
                .containsExactly("x");
    }

    @Test
    void flag_trueOrFalse_canBeGivenEverywhere() throws IOException {
        Path on = file("out: f", "packing: true");
        assertThat(Parsed.of("--config", on).packing).isTrue();
        assertThat(Parsed.of("--config", on, "--packing").packing).isTrue();
        assertThat(Parsed.of("--config", on, "--no-packing").packing).isFalse();
        assertThat(Parsed.of("--config", on, "packing=false").packing).isFalse();
        assertThat(Parsed.of("--out", "o", "packing=false", "--packing").packing).isTrue();
    }

    @Test
    void null_inFileOrArgument_isTheDefault() throws IOException {
        Path file = file("out: f", "learning_rate:", "kind: two", "prompt: 'null'");
        Parsed parsed = Parsed.of("--config", file, "kind=null");
        assertThat(parsed.learningRate).isEqualTo(0.5);
        assertThat(parsed.kind).isEqualTo(Parsed.Kind.one);
        assertThat(parsed.prompt).isEqualTo("null");
    }

    @Test
    void file_empty_changesNothing() throws IOException {
        assertThat(Parsed.of("--config", file("# nothing yet"), "--out", "o").kind)
                .isEqualTo(Parsed.Kind.one);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "learning_rat: 1 | :2:1: unknown key learning_rat; did you mean learning_rate?",
                "learning-rate: 1 | :2:1: unknown key learning-rate; did you mean learning_rate?",
                "Lr: 1 | :2:1: unknown key Lr",
                "lr: 1 | :2:1: unknown key lr; did you mean learning_rate?",
                "config: x | :2:1: unknown key config",
                "help: true | :2:1: unknown key help",
                "learning_rate:  fast | :2:17: learning_rate: 'fast' is not a double",
                "kind: three | :2:7: kind: expected one of [one, two]",
                "packing: yes | :2:10: packing: 'yes' is neither true nor false",
                "kind: [one] | :2:7: kind: takes one value, not a list",
                "kind: {one: 1} | :2:7: kind must be a value or a list of values",
                "data: [] | :2:7: data is an empty list",
                "data: [a, [b]] | :2:11: a list holds plain values only: data",
                "data: ['a,b'] | :2:7: data: a value in a list cannot have a comma",
                "out: g | :2:1: out is given at",
                "{a: 1}: 2 | :2:1: a key must be",
                "prompt: 'x | this is not YAML",
                "<<: x | :2:1: unknown key <<",
            })
    void wrongFile_namesPlaceKeyAndWhatIsAllowed(String line, String message) throws IOException {
        Path file = file("out: f", line);
        assertThatThrownBy(() -> Parsed.of("--config", file))
                .isInstanceOf(ParameterException.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "learning_rat=1 | unknown key learning_rat; did you mean learning_rate?",
                "learning_rate=x | learning_rate: 'x' is not a double",
                "three | an option (--name) or key=value is expected",
                "=3 | an option (--name) or key=value is expected",
                "data=[a | this is not YAML",
                "kind=three | kind: expected one of [one, two]",
            })
    void wrongArgument_isNamed(String argument, String message) {
        assertThatThrownBy(() -> Parsed.of("--out", "o", argument))
                .isInstanceOf(ParameterException.class)
                .hasMessageStartingWith("argument " + argument)
                .hasMessageContaining(message);
    }

    @Test
    void file_wrongWhereAnArgumentStandsInItsPlace_isStillWrong() throws IOException {
        Path file = file("out: f", "kind: three");
        assertThatThrownBy(() -> Parsed.of("--config", file, "kind=one", "--kind", "two"))
                .hasMessageContaining(":2:7: kind: expected one of");
    }

    @Test
    void file_thatIsNoMapping_isNamed() throws IOException {
        Path file = file("- out", "- f");
        assertThatThrownBy(() -> Parsed.of("--config", file))
                .hasMessage(file + ":1:1: keys with values are expected (key: value)");
        Path binary = Files.write(folder.resolve("b"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        assertThatThrownBy(() -> Parsed.of("--config", binary)).hasMessageContaining("UTF-8");
        Path two = file("out: f", "---", "out: g");
        assertThatThrownBy(() -> Parsed.of("--config", two)).hasMessageContaining(":2:1");
    }

    @Test
    void file_missing_isNamed() {
        Path file = folder.resolve("none.yaml");
        assertThatThrownBy(() -> Parsed.of("--config", file))
                .hasMessage("--config " + file + ": there is no such file");
        assertThatThrownBy(() -> Parsed.of("--config", folder))
                .hasMessageContaining("cannot be read");
    }

    @Test
    void file_givenTwice_isAnError() throws IOException {
        Path file = file("out: f");
        assertThatThrownBy(() -> Parsed.of("--config", file, "--config", file))
                .hasMessageContaining("--config")
                .hasMessageContaining("only once");
    }

    @Test
    void unknownOption_isReportedBeforeItsValue() {
        assertThatThrownBy(() -> Parsed.of("--out", "o", "--knd", "two"))
                .hasMessageContaining("--knd");
    }

    private Path file(String... lines) throws IOException {
        return Files.write(
                folder.resolve("run.yaml"),
                String.join("\n", lines).getBytes(StandardCharsets.UTF_8));
    }
}

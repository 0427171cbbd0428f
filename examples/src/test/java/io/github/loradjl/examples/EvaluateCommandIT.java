package io.github.loradjl.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
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
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Evaluations of the model that ships, on rows of the data that ship. */
class EvaluateCommandIT {

    private static final int ROWS = 6;

    @TempDir private Path folder;
    private Path data;
    private Path out;

    @BeforeEach
    void writeRows() throws IOException {
        List<String> rows = Files.readAllLines(Path.of("data/validation.jsonl")).subList(0, ROWS);
        data = Files.write(folder.resolve("rows.jsonl"), rows);
        out = folder.resolve("answers.jsonl");
    }

    private CommandLine evaluate(Object... more) {
        Object[] first = {"evaluate", "--data", data};
        return CommandLine.run(Stream.concat(Arrays.stream(first), Arrays.stream(more)).toArray());
    }

    private static JsonObject summary(CommandLine run) {
        assertThat(run.err()).isEmpty();
        assertThat(run.code()).isZero();
        assertThat(run.out().lines()).hasSize(1);
        return JsonParser.parseString(run.out()).getAsJsonObject();
    }

    @Test
    void exactMatch_writesAnOutcomeForEachRowAndASummary() throws IOException {
        JsonObject summary =
                summary(
                        evaluate(
                                "--metric",
                                "exact-match",
                                "--max-new-tokens",
                                8,
                                "--batch-size",
                                4,
                                "--seed",
                                3,
                                "--out",
                                out));
        List<JsonObject> lines =
                Files.readAllLines(out).stream()
                        .map(line -> JsonParser.parseString(line).getAsJsonObject())
                        .toList();
        assertThat(lines).hasSize(ROWS);
        List<String> rows = Files.readAllLines(data);
        int right = 0;
        for (int i = 0; i < ROWS; i++) {
            JsonObject line = lines.get(i);
            assertThat(line.keySet())
                    .containsExactly("id", "prompt", "output", "extracted", "gold", "correct");
            JsonObject row = JsonParser.parseString(rows.get(i)).getAsJsonObject();
            assertThat(line.get("id").getAsString()).isEqualTo(String.valueOf(i + 1));
            assertThat(line.get("prompt")).isEqualTo(row.get("prompt"));
            assertThat(line.get("gold").getAsString())
                    .isEqualTo(row.get("completion").getAsString().strip());
            right += line.get("correct").getAsBoolean() ? 1 : 0;
        }
        assertThat(summary.get("n").getAsInt()).isEqualTo(ROWS);
        assertThat(summary.get("metric").getAsString()).isEqualTo("exact_match_text");
        double share = (double) right / ROWS;
        assertThat(summary.get("value").getAsDouble()).isEqualTo(share);
        assertThat(summary.get("standard_error").getAsDouble())
                .isEqualTo(Math.sqrt(share * (1 - share) / ROWS));
        assertThat(summary.get("seed").getAsInt()).isEqualTo(3);
        assertThat(summary.get("adapter").isJsonNull()).isTrue();
        assertThat(summary.get("model").getAsString()).isEqualTo(TinyStoryLlama.NAME);
        CommandLine again = evaluate("--metric", "exact-match", "--out", out);
        assertThat(again.code()).isEqualTo(1);
        assertThat(again.err()).contains("exists already");
    }

    @Test
    void loss_isTheSameInAnyBatchesAndHasItsPerplexity() {
        JsonObject summary = summary(evaluate("--metric", "loss", "--batch-size", 4));
        double loss = summary.get("value").getAsDouble();
        assertThat(summary.get("perplexity").getAsDouble()).isEqualTo(Math.exp(loss));
        assertThat(summary.get("standard_error").isJsonNull()).isTrue();
        JsonObject one = summary(evaluate("--metric", "loss", "--batch-size", 1));
        assertThat(one.get("n")).isEqualTo(summary.get("n"));
        assertThat(one.get("value").getAsDouble())
                .isCloseTo(loss, org.assertj.core.api.Assertions.within(1e-5));
        JsonObject first = summary(evaluate("--metric", "loss", "--limit", 1));
        assertThat(first.get("n").getAsInt()).isLessThan(summary.get("n").getAsInt());
    }

    @Test
    void labels_ofTheRows_haveAccuracy() throws IOException {
        Set<String> labels =
                Files.readAllLines(data).stream()
                        .map(row -> JsonParser.parseString(row).getAsJsonObject())
                        .map(row -> row.get("completion").getAsString().strip())
                        .collect(Collectors.toCollection(java.util.TreeSet::new));
        assertThat(labels).hasSizeGreaterThan(1);
        JsonObject summary =
                summary(
                        evaluate(
                                "--metric",
                                "labels",
                                "--labels",
                                String.join(",", labels),
                                "--out",
                                out));
        assertThat(summary.get("metric").getAsString()).isEqualTo("accuracy_labels");
        assertThat(summary.has("f1_labels")).isEqualTo(labels.size() == 2);
        for (String line : Files.readAllLines(out)) {
            assertThat(JsonParser.parseString(line).getAsJsonObject().get("output").getAsString())
                    .isIn(labels);
        }
    }

    @Test
    void promptFormat_standsAroundThePrompt() throws IOException {
        Files.writeString(data, "{\"question\": \"1+1?\", \"answer\": \"so #### 2\"}\n");
        CommandLine run =
                evaluate(
                        "--metric",
                        "exact-match",
                        "--extractor",
                        "paper",
                        "--prompt-key",
                        "question",
                        "--completion-key",
                        "answer",
                        "--prompt-format",
                        "Q: {prompt}\\nA: ",
                        "--max-new-tokens",
                        2,
                        "--out",
                        out);
        assertThat(summary(run).get("metric").getAsString()).isEqualTo("exact_match_paper");
        JsonObject line = JsonParser.parseString(Files.readString(out)).getAsJsonObject();
        assertThat(line.get("prompt").getAsString()).isEqualTo("Q: 1+1?\nA: ");
        assertThat(line.get("gold").getAsString()).isEqualTo("2");
    }

    @Test
    void chat_withoutATemplate_isNamed() {
        assertFails(evaluate("--metric", "exact-match", "--chat", "--out", out), "chat template");
    }

    @Test
    void goldWithoutAnAnswer_isNamedWithItsRow() {
        assertFails(
                evaluate("--metric", "exact-match", "--extractor", "official", "--out", out),
                "example 1",
                "OFFICIAL");
    }

    @Test
    void labelsWithoutTheGold_areNamed() {
        assertFails(
                evaluate("--metric", "labels", "--labels", "left,right", "--out", out),
                "example 1",
                "[left, right]");
    }

    @Test
    void rowsThatCannotBeAnswered_areNamed() throws IOException {
        Files.writeString(data, "{\"prompt\": \"a\"}\n");
        assertFails(evaluate("--metric", "exact-match", "--out", out), "line 1", "completion");
        Files.writeString(data, "{\"text\": \"a b c\"}\n");
        assertFails(evaluate("--metric", "exact-match", "--out", out), "row 1", "--metric loss");
        Files.writeString(
                data,
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"},"
                        + " {\"role\": \"assistant\", \"content\": \"b\"}]}\n");
        assertFails(evaluate("--metric", "exact-match", "--out", out), "row 1", "chat template");
        Files.writeString(data, "");
        assertFails(evaluate("--metric", "exact-match", "--out", out), "rows.jsonl");
        Path nowhere = folder.resolve("nowhere");
        assertFails(evaluate("--metric", "loss", "--adapter", nowhere), "no such file", "nowhere");
    }

    private void assertFails(CommandLine run, String... named) {
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines()).hasSize(1);
        assertThat(run.err()).startsWith("lora: ").contains(named).doesNotContain("\tat ");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(data);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--metric perplexity | 'perplexity' is none of [loss, exact-match, labels, hard,"
                        + " soft]",
                "--batch-size 2 | --metric",
                "--metric labels | --labels",
                "--metric labels --labels a,b,a | a label comes twice",
                "--metric labels --labels a,b --positive c | --positive c",
                "--metric loss --labels a,b | --labels does not go with --metric loss",
                "--metric loss --extractor paper | --extractor does not go with --metric loss",
                "--metric loss --out x | --out does not go with --metric loss",
                "--metric exact-match --prompt-format Q: | {prompt}",
                "--metric exact-match --max-length 9 | --max-length",
                "--metric exact-match --limit 0 | --limit",
            })
    void wrongUsage_hasCodeTwo(String line, String named) {
        CommandLine run = evaluate((Object[]) line.split(" "));
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.err().lines()).hasSize(1);
        assertThat(run.err()).startsWith("lora: ").contains(named, "--help");
    }
}

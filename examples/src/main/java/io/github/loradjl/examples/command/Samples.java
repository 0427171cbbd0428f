package io.github.loradjl.examples.command;

import ai.djl.Model;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TextGenerator;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Rows to show what a model makes of them, before and after training. */
final class Samples {

    private static final int SHOWN_TOKENS = 48;
    private static final int ANSWER_TOKENS = 16;
    private static final int WORDS_OF_TEXT = 6;

    private final List<Row> rows;

    /**
     * A row.
     *
     * @param prompt what the model is given
     * @param completion what it should say, or null
     */
    record Row(String prompt, String completion) {}

    private Samples(List<Row> rows) {
        this.rows = rows;
    }

    /** Reads the first rows of a data file that was read as a data set before. */
    static Samples read(Path file, RowOptions options, int count) throws IOException {
        if (!file.toString().endsWith(".jsonl")) {
            return new Samples(List.of(new Row(beginning(Files.readString(file)), null)));
        }
        List<Row> rows = new ArrayList<>();
        try (Stream<String> lines = Files.lines(file)) {
            lines.filter(line -> !line.isBlank())
                    .limit(count)
                    .forEach(line -> rows.add(row(line, options)));
        }
        return new Samples(rows);
    }

    private static Row row(String line, RowOptions options) {
        JsonObject json = JsonParser.parseString(line).getAsJsonObject();
        if (json.has(options.promptKey()) && json.has(options.completionKey())) {
            return new Row(
                    json.get(options.promptKey()).getAsString() + options.separator(),
                    json.get(options.completionKey()).getAsString());
        }
        return new Row(beginning(json.get(options.textKey()).getAsString()), null);
    }

    private static String beginning(String text) {
        String[] words = text.strip().split("\\s+", WORDS_OF_TEXT + 1);
        return String.join(" ", List.of(words).subList(0, Math.min(words.length, WORDS_OF_TEXT)));
    }

    Row first() {
        return rows.get(0);
    }

    int size() {
        return rows.size();
    }

    /** Continues the first row's prompt, on one line. */
    String continueFirst(Model model, TextTokenizer tokenizer) {
        return generate(model, tokenizer, first(), SHOWN_TOKENS).replaceAll("\\s+", " ").strip();
    }

    /** Counts the rows whose completion the model says word for word. */
    int countRight(Model model, TextTokenizer tokenizer) {
        int right = 0;
        for (Row row : rows) {
            Interruption.check();
            String answer = generate(model, tokenizer, row, ANSWER_TOKENS);
            right += answer.strip().equals(row.completion().strip()) ? 1 : 0;
        }
        return right;
    }

    private static String generate(Model model, TextTokenizer tokenizer, Row row, int tokens) {
        GenerationConfig config = GenerationConfig.builder().optMaxNewTokens(tokens).build();
        return new TextGenerator(model, tokenizer).generate(row.prompt(), config);
    }
}

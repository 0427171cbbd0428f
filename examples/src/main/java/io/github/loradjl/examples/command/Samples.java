package io.github.loradjl.examples.command;

import ai.djl.Model;

import io.github.loradjl.zoo.text.PromptRow;
import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.evaluate.ExactMatch;
import io.github.loradjl.zoo.text.evaluate.Example;
import io.github.loradjl.zoo.text.evaluate.Outcome;
import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TextGenerator;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

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
        if (file.toString().endsWith(".txt")) {
            return new Samples(List.of(new Row(beginning(Files.readString(file)), null)));
        }
        PromptRow.Keys keys =
                new PromptRow.Keys(options.promptKey(), options.completionKey(), options.textKey());
        return new Samples(
                PromptRow.read(file, keys, count).stream()
                        .map(row -> row(row, options.separator()))
                        .toList());
    }

    private static Row row(PromptRow row, String separator) {
        if (row.prompt() != null) {
            return new Row(row.prompt() + separator, row.answer());
        }
        if (row.messages() != null) {
            Object asked = row.messages().get(row.messages().size() - 1).get("content");
            return new Row(String.valueOf(asked), row.answer());
        }
        return new Row(beginning(row.answer()), null);
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
        return new TextGenerator(model, tokenizer)
                .generate(first().prompt(), tokens(SHOWN_TOKENS))
                .replaceAll("\\s+", " ")
                .strip();
    }

    /** Counts the rows whose completion the model says word for word. */
    long countRight(Model model, TextTokenizer tokenizer) {
        List<Example> examples =
                rows.stream().map(row -> new Example("", row.prompt(), row.completion())).toList();
        return ExactMatch.builder()
                .setGenerator(new TextGenerator(model, tokenizer))
                .optGeneration(tokens(ANSWER_TOKENS))
                .optStep(Interruption::check)
                .build()
                .evaluate(examples)
                .stream()
                .filter(Outcome::correct)
                .count();
    }

    private static GenerationConfig tokens(int count) {
        return GenerationConfig.builder().optMaxNewTokens(count).build();
    }
}

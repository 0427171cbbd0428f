package io.github.loradjl.examples.command;

import ai.djl.Model;

import io.github.loradjl.zoo.text.RenderedExample;
import io.github.loradjl.zoo.text.RenderedExample.Stretch;
import io.github.loradjl.zoo.text.TextDataset;
import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.chat.ChatTemplate;
import io.github.loradjl.zoo.text.evaluate.ExactMatch;
import io.github.loradjl.zoo.text.evaluate.Example;
import io.github.loradjl.zoo.text.evaluate.Outcome;
import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TextGenerator;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Rows to show what a model makes of them, before and after training: what is masked at the
 * beginning of a row is given to the model, what follows is what it should say.
 */
final class Samples {

    private static final int ANSWERS = 50;
    private static final int SHOWN_TOKENS = 48;
    private static final int SHOWN_CHARACTERS = 80;
    private static final int ANSWER_TOKENS = 16;
    private static final int WORDS_OF_TEXT = 6;

    private final TextTokenizer tokenizer;
    private final List<Row> rows;

    /**
     * A row.
     *
     * @param prompt what the model is given, with its special tokens
     * @param answer what it should say, with its special tokens
     */
    private record Row(String prompt, String answer) {}

    private Samples(TextTokenizer tokenizer, List<Row> rows) {
        this.tokenizer = tokenizer;
        this.rows = rows;
    }

    /** Takes the prompt that the options give, or the first rows of the validation or training. */
    static Samples of(
            FinetuneOptions options,
            DataOptions.Data data,
            TextTokenizer tokenizer,
            ChatTemplate template)
            throws IOException {
        String own = options.run().samplePrompt();
        if (own != null) {
            String prompt =
                    options.rows().isChat()
                            ? template.render(List.of(Map.of("role", "user", "content", own)), true)
                            : tokenizer.decode(tokenizer.encode(own), false);
            return new Samples(tokenizer, List.of(new Row(prompt, "")));
        }
        TextDataset shown = data.validation() == null ? data.train() : data.validation();
        long count = Math.min(ANSWERS, shown.getReport().rows());
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            rows.add(row(shown.render(i)));
        }
        return new Samples(tokenizer, rows);
    }

    private static Row row(RenderedExample example) {
        List<Stretch> stretches = example.stretches();
        Stretch first = stretches.get(0);
        String rest = stretches.size() > 1 ? stretches.get(1).text() : "";
        boolean isPrompt = !first.learnt() && words(first.text()).length > 1;
        return isPrompt ? new Row(first.text(), rest) : new Row(beginning(first.text() + rest), "");
    }

    private static String[] words(String text) {
        return text.strip().split("\\s+");
    }

    private static String beginning(String text) {
        String[] words = words(text);
        return String.join(" ", List.of(words).subList(0, Math.min(words.length, WORDS_OF_TEXT)));
    }

    int size() {
        return rows.size();
    }

    /** Returns the end of the first row's prompt, on one line. */
    String lastWords() {
        String end = plain(rows.get(0).prompt()).replaceAll("\\s+", " ").strip();
        return end.substring(Math.max(0, end.length() - SHOWN_CHARACTERS));
    }

    /** Continues the first row's prompt, on one line. */
    String continueFirst(Model model) {
        return generator(model)
                .generate(rows.get(0).prompt(), tokens(SHOWN_TOKENS))
                .replaceAll("\\s+", " ")
                .strip();
    }

    /** Counts the rows whose answer the model gives word for word. */
    long countRight(Model model) {
        List<Example> examples =
                rows.stream()
                        .map(row -> new Example("", row.prompt(), plain(row.answer())))
                        .toList();
        return ExactMatch.builder()
                .setGenerator(generator(model))
                .optGeneration(tokens(ANSWER_TOKENS))
                .optStep(Interruption::check)
                .build()
                .evaluate(examples)
                .stream()
                .filter(Outcome::correct)
                .count();
    }

    /** Takes the special tokens out of a text. */
    private String plain(String text) {
        return tokenizer.decode(tokenizer.encode(text, false));
    }

    private TextGenerator generator(Model model) {
        return new TextGenerator(model, tokenizer, false);
    }

    private static GenerationConfig tokens(int count) {
        return GenerationConfig.builder().optMaxNewTokens(count).build();
    }
}

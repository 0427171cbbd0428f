package io.github.loradjl.zoo.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes a tokenizer of the words a and b, which also asks for truncation and padding. */
public final class WordTokenizer {

    private static final String ENDING =
            """
            {"type": "TemplateProcessing",
             "single": [{"Sequence": {"id": "A", "type_id": 0}},
                        {"SpecialToken": {"id": "</s>", "type_id": 0}}],
             "pair": [{"Sequence": {"id": "A", "type_id": 0}},
                      {"Sequence": {"id": "B", "type_id": 0}}],
             "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}}""";

    private WordTokenizer() {}

    static void write(Path folder) throws IOException {
        Files.writeString(
                folder.resolve("tokenizer.json"),
                """
                {"version": "1.0",
                 "truncation": {"direction": "Right", "max_length": 4,
                                "strategy": "LongestFirst", "stride": 0},
                 "padding": {"strategy": {"Fixed": 4}, "direction": "Right",
                             "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0,
                             "pad_token": "<unk>"},
                 "added_tokens": [
                   {"id": 1, "content": "<s>", "single_word": false, "lstrip": false,
                    "rstrip": false, "normalized": false, "special": true},
                   {"id": 2, "content": "</s>", "single_word": false, "lstrip": false,
                    "rstrip": false, "normalized": false, "special": true}],
                 "normalizer": null, "pre_tokenizer": {"type": "WhitespaceSplit"},
                 "post_processor": null, "decoder": null,
                 "model": {"type": "WordLevel", "unk_token": "<unk>",
                           "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, "a": 3, "b": 4}}}
                """);
    }

    /**
     * Writes a tokenizer of twenty words with four of T5's sentinels, 30 to 33; the words a to t
     * are 2 to 21, all others 22, {@code </s>}, which ends a text, is 1, and padding is 0.
     *
     * @param endsTexts whether the tokenizer itself ends every text, as T5's does
     */
    public static void writeLetters(Path folder, boolean endsTexts) throws IOException {
        StringBuilder vocabulary = new StringBuilder("\"<pad>\": 0, \"</s>\": 1, \"<unk>\": 22");
        for (char word = 'a'; word <= 't'; word++) {
            vocabulary.append(", \"").append(word).append("\": ").append(2 + word - 'a');
        }
        StringBuilder special = new StringBuilder(added(0, "<pad>") + ", " + added(1, "</s>"));
        for (int i = 0; i < 4; i++) {
            special.append(", ").append(added(30 + i, "<extra_id_" + i + ">"));
        }
        Files.writeString(
                folder.resolve("tokenizer.json"),
                """
                {"version": "1.0", "truncation": null, "padding": null,
                 "added_tokens": [%s],
                 "normalizer": null, "pre_tokenizer": {"type": "WhitespaceSplit"},
                 "post_processor": %s, "decoder": null,
                 "model": {"type": "WordLevel", "unk_token": "<unk>", "vocab": {%s}}}
                """
                        .formatted(special, endsTexts ? ENDING : null, vocabulary));
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                "{\"eos_token\": \"</s>\", \"pad_token\": \"<pad>\"}");
    }

    private static String added(int id, String content) {
        return """
               {"id": %d, "content": "%s", "single_word": false, "lstrip": false,
                "rstrip": false, "normalized": false, "special": true}"""
                .formatted(id, content);
    }
}

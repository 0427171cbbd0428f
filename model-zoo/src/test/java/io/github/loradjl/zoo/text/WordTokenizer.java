package io.github.loradjl.zoo.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes a tokenizer of the words a and b, which also asks for truncation and padding. */
final class WordTokenizer {

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
}

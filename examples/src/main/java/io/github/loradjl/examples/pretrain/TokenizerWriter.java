package io.github.loradjl.examples.pretrain;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a byte-level tokenizer as the files {@code tokenizer.json} and {@code
 * tokenizer_config.json} that Hugging Face's tokenizers read.
 */
final class TokenizerWriter {

    private static final Gson GSON =
            new GsonBuilder().setPrettyPrinting().serializeNulls().disableHtmlEscaping().create();

    private final Map<String, Integer> vocabulary;
    private final List<String> merges;
    private final SpecialTokens special;

    /**
     * Creates the tokenizer.
     *
     * @param bpe the encoding, trained with the first special tokens
     * @param special the special tokens; the last ones get the ids behind the encoding's
     */
    TokenizerWriter(BpeTrainer.Bpe bpe, SpecialTokens special) {
        vocabulary = new LinkedHashMap<>(bpe.vocabulary());
        special.last().forEach(token -> vocabulary.put(token, vocabulary.size()));
        merges = bpe.merges();
        this.special = special;
    }

    /**
     * Writes both files.
     *
     * @param folder an existing folder
     * @param maxLength the longest input of the model, in tokens
     * @throws IOException if a file cannot be written
     */
    void write(Path folder, int maxLength) throws IOException {
        Map<String, Object> tokenizer = new LinkedHashMap<>();
        tokenizer.put("version", "1.0");
        tokenizer.put("truncation", null);
        tokenizer.put("padding", null);
        tokenizer.put("added_tokens", addedTokens());
        tokenizer.put("normalizer", null);
        tokenizer.put("pre_tokenizer", byteLevel(false));
        tokenizer.put("post_processor", template());
        tokenizer.put("decoder", byteLevel(true));
        tokenizer.put("model", model());
        Files.writeString(folder.resolve("tokenizer.json"), GSON.toJson(tokenizer) + "\n");

        Map<String, Object> config = new LinkedHashMap<>();
        config.put("tokenizer_class", "PreTrainedTokenizerFast");
        special.roles().forEach((role, token) -> config.put(role + "_token", token));
        config.put("model_max_length", maxLength);
        config.put("clean_up_tokenization_spaces", false);
        Files.writeString(folder.resolve("tokenizer_config.json"), GSON.toJson(config) + "\n");
    }

    private List<Map<String, Object>> addedTokens() {
        List<Map<String, Object>> tokens = new ArrayList<>();
        for (String token : special.all()) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("id", vocabulary.get(token));
            entry.put("content", token);
            for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
                entry.put(flag, false);
            }
            entry.put("special", true);
            tokens.add(entry);
        }
        return tokens;
    }

    private static Map<String, Object> byteLevel(boolean prefixSpace) {
        Map<String, Object> component = new LinkedHashMap<>();
        component.put("type", "ByteLevel");
        component.put("add_prefix_space", prefixSpace);
        component.put("trim_offsets", true);
        component.put("use_regex", true);
        return component;
    }

    /** Begins a text with the token that begins one, or ends it with the one that ends it. */
    private Map<String, Object> template() {
        boolean begins = special.roles().containsKey(SpecialTokens.BOS);
        String added = special.roles().get(begins ? SpecialTokens.BOS : SpecialTokens.EOS);
        Map<String, Object> mark = Map.of("SpecialToken", typed("id", added, 0));
        Map<String, Object> first = Map.of("Sequence", typed("id", "A", 0));
        Map<String, Object> second = Map.of("Sequence", typed("id", "B", 1));
        Map<String, Object> token = new LinkedHashMap<>();
        token.put("id", added);
        token.put("ids", List.of(vocabulary.get(added)));
        token.put("tokens", List.of(added));
        Map<String, Object> component = new LinkedHashMap<>();
        component.put("type", "TemplateProcessing");
        component.put("single", begins ? List.of(mark, first) : List.of(first, mark));
        component.put(
                "pair", begins ? List.of(mark, first, second) : List.of(first, mark, second, mark));
        component.put("special_tokens", Map.of(added, token));
        return component;
    }

    private static Map<String, Object> typed(String key, String value, int type) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put(key, value);
        map.put("type_id", type);
        return map;
    }

    private Map<String, Object> model() {
        Map<String, Object> model = new LinkedHashMap<>();
        model.put("type", "BPE");
        model.put("dropout", null);
        model.put("unk_token", null);
        model.put("continuing_subword_prefix", null);
        model.put("end_of_word_suffix", null);
        model.put("fuse_unk", false);
        model.put("byte_fallback", false);
        model.put("ignore_merges", false);
        model.put("vocab", vocabulary);
        model.put("merges", merges);
        return model;
    }
}

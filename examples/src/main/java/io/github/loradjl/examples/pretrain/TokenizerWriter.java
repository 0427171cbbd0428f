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
 *
 * <p>Every text starts with {@code <s>}; {@code </s>} ends one, {@code <pad>} fills up a batch.
 */
public final class TokenizerWriter {

    /** The token before every text; its id is 0. */
    public static final String BOS = "<s>";

    /** The token after a text; its id is 1. */
    public static final String EOS = "</s>";

    /** The token that fills up a batch; its id is 2. */
    public static final String PAD = "<pad>";

    /** The special tokens in the order of their ids. */
    public static final List<String> SPECIAL_TOKENS = List.of(BOS, EOS, PAD);

    private static final Gson GSON =
            new GsonBuilder().setPrettyPrinting().serializeNulls().disableHtmlEscaping().create();

    private TokenizerWriter() {}

    /**
     * Writes both files.
     *
     * @param folder an existing folder
     * @param bpe the encoding, trained with {@link #SPECIAL_TOKENS}
     * @param maxLength the longest input of the model, in tokens
     * @throws IOException if a file cannot be written
     */
    public static void write(Path folder, BpeTrainer.Bpe bpe, int maxLength) throws IOException {
        Map<String, Object> tokenizer = new LinkedHashMap<>();
        tokenizer.put("version", "1.0");
        tokenizer.put("truncation", null);
        tokenizer.put("padding", null);
        tokenizer.put("added_tokens", addedTokens());
        tokenizer.put("normalizer", null);
        tokenizer.put("pre_tokenizer", byteLevel(false));
        tokenizer.put("post_processor", startWithBos());
        tokenizer.put("decoder", byteLevel(true));
        tokenizer.put("model", model(bpe));
        Files.writeString(folder.resolve("tokenizer.json"), GSON.toJson(tokenizer) + "\n");

        Map<String, Object> config = new LinkedHashMap<>();
        config.put("tokenizer_class", "PreTrainedTokenizerFast");
        config.put("bos_token", BOS);
        config.put("eos_token", EOS);
        config.put("pad_token", PAD);
        config.put("model_max_length", maxLength);
        config.put("clean_up_tokenization_spaces", false);
        Files.writeString(folder.resolve("tokenizer_config.json"), GSON.toJson(config) + "\n");
    }

    private static List<Map<String, Object>> addedTokens() {
        List<Map<String, Object>> tokens = new ArrayList<>();
        for (String token : SPECIAL_TOKENS) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("id", tokens.size());
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

    private static Map<String, Object> startWithBos() {
        Map<String, Object> bos = Map.of("SpecialToken", typed("id", BOS, 0));
        Map<String, Object> first = Map.of("Sequence", typed("id", "A", 0));
        Map<String, Object> second = Map.of("Sequence", typed("id", "B", 1));
        Map<String, Object> token = new LinkedHashMap<>();
        token.put("id", BOS);
        token.put("ids", List.of(SPECIAL_TOKENS.indexOf(BOS)));
        token.put("tokens", List.of(BOS));
        Map<String, Object> component = new LinkedHashMap<>();
        component.put("type", "TemplateProcessing");
        component.put("single", List.of(bos, first));
        component.put("pair", List.of(bos, first, second));
        component.put("special_tokens", Map.of(BOS, token));
        return component;
    }

    private static Map<String, Object> typed(String key, String value, int type) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put(key, value);
        map.put("type_id", type);
        return map;
    }

    private static Map<String, Object> model(BpeTrainer.Bpe bpe) {
        Map<String, Object> model = new LinkedHashMap<>();
        model.put("type", "BPE");
        model.put("dropout", null);
        model.put("unk_token", null);
        model.put("continuing_subword_prefix", null);
        model.put("end_of_word_suffix", null);
        model.put("fuse_unk", false);
        model.put("byte_fallback", false);
        model.put("ignore_merges", false);
        model.put("vocab", bpe.vocabulary());
        model.put("merges", bpe.merges());
        return model;
    }
}

package io.github.loradjl.zoo.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import ai.djl.huggingface.tokenizers.jni.LibUtils;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The tokenizer of a Hugging Face folder: text to token ids and back, never truncated or padded.
 *
 * <p>Reads {@code tokenizer.json}; {@code tokenizer_config.json}, {@code config.json} and {@code
 * generation_config.json} say which tokens begin, end and pad a text. Files on disk are all it
 * needs; no call uses the network. May be used from many threads at once.
 *
 * <pre>{@code
 * try (TextTokenizer tokenizer = TextTokenizer.load(Path.of("SmolLM2-135M-Instruct"))) {
 *     long[] ids = tokenizer.encode("The capital of France is");
 *     String text = tokenizer.decode(ids);
 * }
 * }</pre>
 */
public final class TextTokenizer implements AutoCloseable {

    private final HuggingFaceTokenizer tokenizer;
    private final Map<String, Long> vocabulary;
    private final long vocabularySize;
    private final OptionalLong bosId;
    private final OptionalLong eosId;
    private final OptionalLong padId;
    private final Set<Long> endIds;
    private final OptionalLong modelMaxLength;

    private TextTokenizer(HuggingFaceTokenizer tokenizer, TokenizerFiles files) throws IOException {
        this.tokenizer = tokenizer;
        vocabulary = files.vocabulary();
        vocabularySize = Collections.max(vocabulary.values()) + 1;
        bosId = files.specialId("bos");
        eosId = files.specialId("eos");
        padId = files.specialId("pad");
        endIds = Collections.unmodifiableSet(files.endIds());
        modelMaxLength = files.modelMaxLength();
    }

    /**
     * Loads the tokenizer of a folder.
     *
     * @param folder a folder with {@code tokenizer.json} and, usually, the other files
     * @return the tokenizer, to be closed
     * @throws IOException if a file is missing or malformed
     */
    public static TextTokenizer load(Path folder) throws IOException {
        TokenizerFiles files = new TokenizerFiles(folder);
        loadNative();
        Path file = folder.resolve("tokenizer.json");
        // DJL cuts at 512 tokens unless told not to.
        Map<String, String> options = Map.of("truncation", "false", "padding", "false");
        try (InputStream in = Files.newInputStream(file)) {
            HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(in, options);
            try {
                return new TextTokenizer(tokenizer, files);
            } catch (IOException | RuntimeException e) {
                tokenizer.close();
                throw e;
            }
        } catch (RuntimeException e) {
            throw new IOException(file + " cannot be loaded: " + e.getMessage(), e);
        }
    }

    /**
     * Tokenising needs no GPU, yet DJL would download a GPU build of the native library where it
     * sees one.
     */
    private static synchronized void loadNative() {
        boolean chosen =
                System.getenv("RUST_FLAVOR") != null || System.getProperty("RUST_FLAVOR") != null;
        if (chosen) {
            LibUtils.checkStatus();
            return;
        }
        System.setProperty("RUST_FLAVOR", "cpu");
        try {
            LibUtils.checkStatus();
        } finally {
            System.clearProperty("RUST_FLAVOR");
        }
    }

    /**
     * Encodes a text with the special tokens that the tokenizer adds by itself, as {@code <s>} at
     * the start.
     *
     * @param text the text
     * @return the token ids
     */
    public long[] encode(String text) {
        return encode(text, true);
    }

    /**
     * Encodes a text.
     *
     * @param text the text; special tokens written out in it are recognised either way
     * @param addSpecialTokens true to add the special tokens that the tokenizer adds by itself
     * @return the token ids
     */
    public long[] encode(String text, boolean addSpecialTokens) {
        return tokenizer.encode(text, addSpecialTokens, false).getIds();
    }

    /**
     * Cuts token ids at the end to what an encoder reads; if they end with the end token, so do
     * those that are left.
     *
     * @param ids the token ids
     * @param maxLength the most tokens to keep, at least 1
     * @return the same array if it is short enough, or a new one
     */
    public long[] truncate(long[] ids, int maxLength) {
        if (ids.length <= maxLength) {
            return ids;
        }
        long[] kept = Arrays.copyOf(ids, maxLength);
        OptionalLong end = getEosId();
        if (end.isPresent() && ids[ids.length - 1] == end.getAsLong()) {
            kept[maxLength - 1] = end.getAsLong();
        }
        return kept;
    }

    /**
     * Encodes a text without adding tokens, and tells which chars each token stands for: places
     * [start, end) in the text, or -1 where it stands for none.
     */
    PlacedTokens encodePlaced(String text) {
        Encoding encoding = tokenizer.encode(text, false, false);
        CharSpan[] spans = encoding.getCharTokenSpans();
        int[] starts = new int[spans.length];
        int[] ends = new int[spans.length];
        // The tokenizer counts code points. Its places mostly ascend, so each is sought from the
        // one before.
        int character = 0;
        int codePoint = 0;
        for (int i = 0; i < spans.length; i++) {
            if (spans[i] == null) {
                starts[i] = -1;
                ends[i] = -1;
                continue;
            }
            character = text.offsetByCodePoints(character, spans[i].getStart() - codePoint);
            codePoint = spans[i].getStart();
            starts[i] = character;
            ends[i] = text.offsetByCodePoints(character, spans[i].getEnd() - codePoint);
        }
        return new PlacedTokens(encoding.getIds(), starts, ends);
    }

    /** Tokens with their places in the text. */
    record PlacedTokens(long[] ids, int[] starts, int[] ends) {}

    /**
     * Decodes token ids and leaves special tokens out.
     *
     * @param ids the token ids
     * @return the text
     * @throws IllegalArgumentException if an id is outside the vocabulary
     */
    public String decode(long... ids) {
        return decode(ids, true);
    }

    /**
     * Decodes token ids.
     *
     * @param ids the token ids
     * @param skipSpecialTokens true to leave special tokens out
     * @return the text
     * @throws IllegalArgumentException if an id is outside the vocabulary
     */
    public String decode(long[] ids, boolean skipSpecialTokens) {
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0 || ids[i] >= vocabularySize) {
                throw new IllegalArgumentException(
                        "Token id "
                                + ids[i]
                                + " at position "
                                + i
                                + " is outside the tokenizer's vocabulary of "
                                + vocabularySize
                                + " tokens");
            }
        }
        return ids.length == 0 ? "" : tokenizer.decode(ids, skipSpecialTokens);
    }

    /**
     * Returns the number of ids, added tokens included: one more than the largest id.
     *
     * @return the vocabulary size
     */
    public long getVocabularySize() {
        return vocabularySize;
    }

    /**
     * Finds the id of one token, written as in the vocabulary.
     *
     * @param token the token, as {@code <|im_end|>}
     * @return its id, or empty if the vocabulary has no such token
     */
    public OptionalLong getId(String token) {
        Long id = vocabulary.get(token);
        return id == null ? OptionalLong.empty() : OptionalLong.of(id);
    }

    /**
     * Returns the id of the token that begins a text. A tokenizer may have one and yet not add it.
     *
     * @return the id, if there is one
     */
    public OptionalLong getBosId() {
        return bosId;
    }

    /**
     * Returns the id of the token that ends a text.
     *
     * @return the id, if there is one
     */
    public OptionalLong getEosId() {
        return eosId;
    }

    /**
     * Returns the id of the token that fills short rows.
     *
     * @return the id, if there is one
     */
    public OptionalLong getPadId() {
        return padId;
    }

    /**
     * Returns all ids at which generation ends: the tokenizer's end token and those of {@code
     * config.json} and {@code generation_config.json}.
     *
     * @return the ids, unmodifiable
     */
    public Set<Long> getEndIds() {
        return endIds;
    }

    /**
     * Returns the longest input, in tokens, that {@code tokenizer_config.json} names.
     *
     * @return the length, if there is one
     */
    public OptionalLong getModelMaxLength() {
        return modelMaxLength;
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        tokenizer.close();
    }
}

package io.github.loradjl.zoo.text.generate;

import ai.djl.Model;

import io.github.loradjl.zoo.text.TextTokenizer;

import java.util.function.Consumer;

/**
 * Continues text with a causal language model.
 *
 * <pre>{@code
 * TextGenerator generator = new TextGenerator(model, tokenizer);
 * generator.generate("Once upon a time", GenerationConfig.builder().build(), System.out::print);
 * }</pre>
 */
public final class TextGenerator {

    private final TokenGenerator generator;
    private final TextTokenizer tokenizer;

    /**
     * Creates a generator.
     *
     * @param model a loaded model, adapted or not; it stays the caller's
     * @param tokenizer the model's tokenizer; it stays the caller's
     */
    public TextGenerator(Model model, TextTokenizer tokenizer) {
        generator = new TokenGenerator(model);
        this.tokenizer = tokenizer;
    }

    /**
     * Continues a text.
     *
     * @param prompt the text to continue; the tokenizer adds its special tokens
     * @param config how to choose tokens
     * @return the continuation, without the prompt and without special tokens
     */
    public String generate(String prompt, GenerationConfig config) {
        return generate(prompt, config, piece -> {});
    }

    /**
     * Continues a text and tells it piece by piece.
     *
     * @param prompt the text to continue; the tokenizer adds its special tokens
     * @param config how to choose tokens
     * @param listener called with each piece, which is whole characters
     * @return the continuation, without the prompt and without special tokens: all pieces together
     */
    public String generate(String prompt, GenerationConfig config, Consumer<String> listener) {
        long[] ids = prompt(tokenizer, prompt);
        TextStream stream = new TextStream(tokenizer, ids, listener);
        generator.generate(ids, config, stream::add);
        return stream.finish();
    }

    /** Encodes a prompt; an empty one is the token that begins a text. */
    static long[] prompt(TextTokenizer tokenizer, String text) {
        long[] ids = tokenizer.encode(text);
        if (ids.length == 0 && tokenizer.getBosId().isPresent()) {
            return new long[] {tokenizer.getBosId().getAsLong()};
        }
        return ids;
    }
}

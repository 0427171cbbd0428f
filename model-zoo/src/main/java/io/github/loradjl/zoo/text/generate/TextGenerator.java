package io.github.loradjl.zoo.text.generate;

import ai.djl.Model;

import io.github.loradjl.zoo.text.TextTokenizer;

import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Continues text with a causal language model, or answers it with an encoder and a decoder.
 *
 * <p>An answer is a text of its own, so its first character does not depend on how the prompt ends.
 *
 * <pre>{@code
 * TextGenerator generator = new TextGenerator(model, tokenizer);
 * generator.generate("Once upon a time", GenerationConfig.builder().build(), System.out::print);
 * }</pre>
 */
public final class TextGenerator {

    private final TokenGenerator generator;
    private final TextTokenizer tokenizer;
    private final boolean addSpecialTokens;

    /**
     * Creates a generator.
     *
     * @param model a loaded model, adapted or not; it stays the caller's
     * @param tokenizer the model's tokenizer; it stays the caller's
     */
    public TextGenerator(Model model, TextTokenizer tokenizer) {
        this(model, tokenizer, true);
    }

    /**
     * Creates a generator.
     *
     * @param model a loaded model, adapted or not; it stays the caller's
     * @param tokenizer the model's tokenizer; it stays the caller's
     * @param addSpecialTokens false if prompts hold all special tokens, as those that a {@link
     *     io.github.loradjl.zoo.text.chat.ChatTemplate} renders
     */
    public TextGenerator(Model model, TextTokenizer tokenizer, boolean addSpecialTokens) {
        generator = new TokenGenerator(model);
        this.tokenizer = tokenizer;
        this.addSpecialTokens = addSpecialTokens;
    }

    /**
     * Continues or answers a text.
     *
     * @param prompt the text to continue or answer
     * @param config how to choose tokens
     * @return the new text, without the prompt and without special tokens
     */
    public String generate(String prompt, GenerationConfig config) {
        return generate(prompt, config, piece -> {});
    }

    /**
     * Continues or answers a text and tells it piece by piece; after a beam search, all at once.
     *
     * @param prompt the text to continue or answer
     * @param config how to choose tokens
     * @param listener called with each piece, which is whole characters
     * @return the new text, without the prompt and without special tokens: all pieces together
     */
    public String generate(String prompt, GenerationConfig config, Consumer<String> listener) {
        long[] ids = prompt(tokenizer, prompt, addSpecialTokens);
        TextStream stream = new TextStream(tokenizer, generator.context(ids), listener);
        generator.generate(ids, config, stream::add);
        return stream.finish();
    }

    /**
     * Continues or answers several texts as one batch, each as it would be alone.
     *
     * @param prompts the texts to continue or answer
     * @param config how to choose tokens, the same for each text
     * @return the new text of each, without the prompt and without special tokens
     */
    public List<String> generate(List<String> prompts, GenerationConfig config) {
        return generate(prompts, config, () -> {});
    }

    /**
     * Continues or answers several texts as one batch, each as it would be alone.
     *
     * @param prompts the texts to continue or answer
     * @param config how to choose tokens, the same for each text
     * @param step called after each token of a text, by a beam search at its end, and may throw to
     *     stop
     * @return the new text of each, without the prompt and without special tokens
     */
    public List<String> generate(List<String> prompts, GenerationConfig config, Runnable step) {
        List<long[]> ids =
                prompts.stream()
                        .map(prompt -> prompt(tokenizer, prompt, addSpecialTokens))
                        .toList();
        List<long[]> generated = generator.generate(ids, config, (prompt, id) -> step.run());
        return IntStream.range(0, ids.size())
                .mapToObj(i -> text(generator, tokenizer, ids.get(i), generated.get(i)))
                .toList();
    }

    /** Encodes a prompt; an empty one is the token that begins a text. */
    static long[] prompt(TextTokenizer tokenizer, String text, boolean addSpecialTokens) {
        long[] ids = tokenizer.encode(text, addSpecialTokens);
        if (ids.length == 0 && tokenizer.getBosId().isPresent()) {
            return new long[] {tokenizer.getBosId().getAsLong()};
        }
        return ids;
    }

    /** Turns new tokens into text. */
    static String text(
            TokenGenerator generator, TextTokenizer tokenizer, long[] prompt, long[] ids) {
        return TextStream.text(tokenizer, generator.context(prompt), ids);
    }
}

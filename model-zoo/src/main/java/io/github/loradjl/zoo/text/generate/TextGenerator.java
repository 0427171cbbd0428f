package io.github.loradjl.zoo.text.generate;

import ai.djl.Model;

import io.github.loradjl.zoo.text.TextTokenizer;

import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;

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
     * Continues a text.
     *
     * @param prompt the text to continue
     * @param config how to choose tokens
     * @return the continuation, without the prompt and without special tokens
     */
    public String generate(String prompt, GenerationConfig config) {
        return generate(prompt, config, piece -> {});
    }

    /**
     * Continues a text and tells it piece by piece.
     *
     * @param prompt the text to continue
     * @param config how to choose tokens
     * @param listener called with each piece, which is whole characters
     * @return the continuation, without the prompt and without special tokens: all pieces together
     */
    public String generate(String prompt, GenerationConfig config, Consumer<String> listener) {
        long[] ids = prompt(tokenizer, prompt, addSpecialTokens);
        TextStream stream = new TextStream(tokenizer, ids, listener);
        generator.generate(ids, config, stream::add);
        return stream.finish();
    }

    /**
     * Continues several texts as one batch, each as it would be alone.
     *
     * @param prompts the texts to continue
     * @param config how to choose tokens, the same for each text
     * @return the continuation of each, without the prompt and without special tokens
     */
    public List<String> generate(List<String> prompts, GenerationConfig config) {
        return generate(prompts, config, () -> {});
    }

    /**
     * Continues several texts as one batch, each as it would be alone.
     *
     * @param prompts the texts to continue
     * @param config how to choose tokens, the same for each text
     * @param step called after each token of a text, and may throw to stop
     * @return the continuation of each, without the prompt and without special tokens
     */
    public List<String> generate(List<String> prompts, GenerationConfig config, Runnable step) {
        List<long[]> ids =
                prompts.stream()
                        .map(prompt -> prompt(tokenizer, prompt, addSpecialTokens))
                        .toList();
        List<long[]> generated = generator.generate(ids, config, (prompt, id) -> step.run());
        return IntStream.range(0, ids.size())
                .mapToObj(i -> TextStream.text(tokenizer, ids.get(i), generated.get(i)))
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
}

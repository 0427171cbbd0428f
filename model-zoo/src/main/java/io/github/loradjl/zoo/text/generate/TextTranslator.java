package io.github.loradjl.zoo.text.generate;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.TranslatorContext;

import io.github.loradjl.zoo.text.TextTokenizer;

/**
 * Text in, text out for DJL's own predictors, such as those of its stock loader.
 *
 * <p>Such a predictor runs the block once, while a text takes one run for each token. So this gives
 * it a single token to run on, does not look at what comes out, and generates by itself. {@link
 * TextZooModel} does without that.
 */
public final class TextTranslator implements NoBatchifyTranslator<String, String> {

    private static final String PROMPT = "prompt";

    private final TextTokenizer tokenizer;
    private final LengthLimits limits;

    /**
     * Creates a translator.
     *
     * @param model the model that predicts, with its block
     * @param tokenizer the model's tokenizer; it stays the caller's
     * @param config how to choose tokens
     * @param maxLength the most tokens of a prompt and its continuation together; where an encoder
     *     reads the prompt, of each
     * @throws IllegalArgumentException if the length is not positive
     */
    public TextTranslator(
            Model model, TextTokenizer tokenizer, GenerationConfig config, int maxLength) {
        this.tokenizer = tokenizer;
        limits =
                new LengthLimits(
                        CausalModel.of(model).block().isEncoderDecoder(), config, maxLength);
    }

    /** {@inheritDoc} */
    @Override
    public NDList processInput(TranslatorContext context, String input) {
        long[] prompt = prompt(input);
        context.setAttachment(PROMPT, prompt);
        return token(context, prompt);
    }

    /** {@inheritDoc} */
    @Override
    public String processOutput(TranslatorContext context, NDList output) {
        return answer(context, (long[]) context.getAttachment(PROMPT));
    }

    /** Encodes a text, and refuses one that is too long before the block runs. */
    long[] prompt(String text) {
        long[] prompt = TextGenerator.prompt(tokenizer, text, true);
        limits.of(prompt);
        return prompt;
    }

    /** Makes what the predictor runs the block on. */
    NDList token(TranslatorContext context, long[] prompt) {
        NDManager manager = context.getNDManager();
        NDArray token = manager.create(new long[][] {{prompt.length == 0 ? 0 : prompt[0]}});
        return limits.isApart() ? new NDList(token, token.onesLike(), token) : new NDList(token);
    }

    String answer(TranslatorContext context, long[] prompt) {
        Model model = context.getModel();
        TokenGenerator generator = new TokenGenerator(model);
        long[] ids = generator.generate(prompt, limits.of(prompt));
        return TextGenerator.text(generator, tokenizer, prompt, ids);
    }
}

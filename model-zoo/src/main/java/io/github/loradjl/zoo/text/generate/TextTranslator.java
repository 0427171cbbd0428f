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
        long[] prompt = TextGenerator.prompt(tokenizer, input, true);
        context.setAttachment(PROMPT, prompt);
        // Too long a prompt is to be told before the block runs.
        limits.of(prompt);
        NDManager manager = context.getNDManager();
        NDArray token = manager.create(new long[][] {{prompt.length == 0 ? 0 : prompt[0]}});
        return limits.isApart() ? new NDList(token, token.onesLike(), token) : new NDList(token);
    }

    /** {@inheritDoc} */
    @Override
    public String processOutput(TranslatorContext context, NDList output) {
        Model model = context.getModel();
        long[] prompt = (long[]) context.getAttachment(PROMPT);
        TokenGenerator generator = new TokenGenerator(model);
        long[] ids = generator.generate(prompt, limits.of(prompt));
        return TextGenerator.text(generator, tokenizer, prompt, ids);
    }
}

package io.github.loradjl.zoo.text.generate;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.ArgumentsUtil;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;

import io.github.loradjl.zoo.text.TextTokenizer;

import java.util.Map;

/**
 * A model whose predictor continues a text, or answers it where an encoder reads the text.
 *
 * <p>A predictor runs a block once, while a text takes one run for each token; so the predictors of
 * this model generate where others run the block. Adapters that are attached later are used.
 */
public final class TextZooModel extends ZooModel<String, String> {

    private static final String PROMPT = "prompt";

    private final TextTokenizer tokenizer;

    /**
     * Creates the model.
     *
     * @param model the model to wrap, closed with this one
     * @param tokenizer its tokenizer, closed with this one
     * @param config how predictors choose tokens
     */
    public TextZooModel(Model model, TextTokenizer tokenizer, GenerationConfig config) {
        super(model, new PromptTranslator(tokenizer, config));
        this.tokenizer = tokenizer;
    }

    /**
     * Reads a configuration from the arguments of a {@code Criteria}.
     *
     * <ul>
     *   <li>{@code maxNewTokens}, 128 by default
     *   <li>{@code temperature}, {@code topK}, {@code topP}: with any of them tokens are drawn
     *   <li>{@code seed} of the draws, 0 by default
     *   <li>{@code numBeams}: with more than one the most probable text is searched for
     *   <li>{@code lengthPenalty} of that search, 1 by default
     * </ul>
     *
     * @param arguments the arguments
     * @return the configuration
     * @throws IllegalArgumentException if a value is out of its range, or two contradict each other
     */
    public static GenerationConfig config(Map<String, ?> arguments) {
        GenerationConfig.Builder config = GenerationConfig.builder();
        config.optMaxNewTokens(ArgumentsUtil.intValue(arguments, "maxNewTokens", 128));
        config.optSeed(ArgumentsUtil.longValue(arguments, "seed", 0));
        if (arguments.containsKey("temperature")) {
            config.optTemperature(ArgumentsUtil.floatValue(arguments, "temperature"));
        }
        if (arguments.containsKey("topK")) {
            config.optTopK(ArgumentsUtil.intValue(arguments, "topK"));
        }
        if (arguments.containsKey("topP")) {
            config.optTopP(ArgumentsUtil.floatValue(arguments, "topP"));
        }
        config.optBeams(ArgumentsUtil.intValue(arguments, "numBeams", 1));
        if (arguments.containsKey("lengthPenalty")) {
            config.optLengthPenalty(
                    Double.parseDouble(ArgumentsUtil.stringValue(arguments, "lengthPenalty")));
        }
        return config.build();
    }

    /** {@inheritDoc} */
    @Override
    public Predictor<String, String> newPredictor(Device device) {
        return newPredictor(getTranslator(), device);
    }

    /** {@inheritDoc} */
    @Override
    public <P, Q> Predictor<P, Q> newPredictor(Translator<P, Q> translator, Device device) {
        if (translator instanceof PromptTranslator prompts) {
            return new GeneratingPredictor<>(getWrappedModel(), translator, device, prompts.config);
        }
        return super.newPredictor(translator, device);
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        super.close();
        tokenizer.close();
    }

    /** Generates where another predictor runs the block. */
    private static final class GeneratingPredictor<I, O> extends Predictor<I, O> {

        private final GenerationConfig config;

        GeneratingPredictor(
                Model model, Translator<I, O> translator, Device device, GenerationConfig config) {
            super(model, translator, device, false);
            this.config = config;
        }

        /** {@inheritDoc} */
        @Override
        protected NDList predictInternal(TranslatorContext context, NDList inputs) {
            long[] prompt = inputs.singletonOrThrow().toLongArray();
            long[] ids = new TokenGenerator(model).generate(prompt, config);
            return new NDList(context.getNDManager().create(ids));
        }
    }

    /** A prompt as token ids, and token ids as the text that follows it. */
    private static final class PromptTranslator implements NoBatchifyTranslator<String, String> {

        private final TextTokenizer tokenizer;
        private final GenerationConfig config;

        PromptTranslator(TextTokenizer tokenizer, GenerationConfig config) {
            this.tokenizer = tokenizer;
            this.config = config;
        }

        /** {@inheritDoc} */
        @Override
        public NDList processInput(TranslatorContext context, String input) {
            long[] ids = TextGenerator.prompt(tokenizer, input, true);
            context.setAttachment(PROMPT, ids);
            return new NDList(context.getNDManager().create(ids));
        }

        /** {@inheritDoc} */
        @Override
        public String processOutput(TranslatorContext context, NDList output) {
            TokenGenerator generator = new TokenGenerator(context.getModel());
            long[] prompt = (long[]) context.getAttachment(PROMPT);
            long[] ids = output.singletonOrThrow().toLongArray();
            return TextGenerator.text(generator, tokenizer, prompt, ids);
        }
    }
}

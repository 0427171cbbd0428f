package io.github.loradjl.zoo.text.generate;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.ArgumentsUtil;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorContext;

import io.github.loradjl.zoo.text.TextTokenizer;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A model whose predictor continues a text, or answers it where an encoder reads the text.
 *
 * <p>A predictor runs a block once, while a text takes one run for each token; so the predictors of
 * this model generate where others run the block. {@code batchPredict} generates all its texts
 * together, each as it would be alone up to rounding; {@link #generate} tells a text piece by piece
 * as it comes. Adapters that are attached later are used.
 */
public final class TextZooModel extends ZooModel<String, String> {

    private static final String PROMPT = "prompt";
    private static final String MAX_LENGTH = "maxLength";

    private final TextTokenizer tokenizer;
    private final LengthLimits limits;

    /**
     * Creates a model without a largest length but the model's own.
     *
     * @param model the model to wrap, closed with this one
     * @param tokenizer its tokenizer, closed with this one
     * @param config how predictors choose tokens
     */
    public TextZooModel(Model model, TextTokenizer tokenizer, GenerationConfig config) {
        this(model, tokenizer, config, Integer.MAX_VALUE);
    }

    /**
     * Creates a model.
     *
     * @param model the model to wrap, closed with this one
     * @param tokenizer its tokenizer, closed with this one
     * @param config how predictors choose tokens
     * @param maxLength the most tokens of a prompt and its continuation together; where an encoder
     *     reads the prompt, of each
     * @throws IllegalArgumentException if the length is not positive
     */
    public TextZooModel(
            Model model, TextTokenizer tokenizer, GenerationConfig config, int maxLength) {
        this(
                model,
                tokenizer,
                new LengthLimits(
                        CausalModel.of(model).block().isEncoderDecoder(), config, maxLength));
    }

    private TextZooModel(Model model, TextTokenizer tokenizer, LengthLimits limits) {
        super(model, new PromptTranslator(tokenizer, limits));
        this.tokenizer = tokenizer;
        this.limits = limits;
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

    /**
     * Reads the largest length from the arguments of a {@code Criteria}, {@code maxLength}.
     *
     * @param arguments the arguments
     * @return the most tokens of a prompt and its continuation together; without the argument,
     *     {@link Integer#MAX_VALUE}
     * @throws IllegalArgumentException if the value is no number
     */
    public static int maxLength(Map<String, ?> arguments) {
        return ArgumentsUtil.intValue(arguments, MAX_LENGTH, Integer.MAX_VALUE);
    }

    /**
     * Continues or answers a text, as this model's predictors do, and tells it piece by piece.
     *
     * @param prompt the text to continue or answer
     * @param listener called with each piece, which is whole characters
     * @return the new text: all pieces together
     * @throws IllegalArgumentException if the prompt is longer than allowed
     */
    public String generate(String prompt, Consumer<String> listener) {
        TokenGenerator generator = new TokenGenerator(getWrappedModel());
        long[] ids = TextGenerator.prompt(tokenizer, prompt, true);
        TextStream stream = new TextStream(tokenizer, generator.context(ids), listener);
        generator.generate(ids, limits.of(ids), stream::add);
        return stream.finish();
    }

    /**
     * Returns the tokenizer, which is closed with this model.
     *
     * @return the tokenizer
     */
    public TextTokenizer getTokenizer() {
        return tokenizer;
    }

    /** {@inheritDoc} */
    @Override
    public Predictor<String, String> newPredictor(Device device) {
        return newPredictor(getTranslator(), device);
    }

    /** {@inheritDoc} */
    @Override
    @SuppressWarnings("unchecked")
    public <P, Q> Predictor<P, Q> newPredictor(Translator<P, Q> translator, Device device) {
        if (translator instanceof PromptTranslator prompts) {
            return (Predictor<P, Q>) new GeneratingPredictor(getWrappedModel(), prompts, device);
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
    private static final class GeneratingPredictor extends Predictor<String, String> {

        private final PromptTranslator prompts;

        GeneratingPredictor(Model model, PromptTranslator prompts, Device device) {
            super(model, prompts, device, false);
            this.prompts = prompts;
        }

        /** {@inheritDoc} */
        @Override
        public List<String> batchPredict(List<String> inputs) throws TranslateException {
            if (inputs.size() < 2) {
                return super.batchPredict(inputs);
            }
            try {
                List<long[]> ids =
                        inputs.stream()
                                .map(text -> TextGenerator.prompt(prompts.tokenizer, text, true))
                                .toList();
                List<GenerationConfig> configs = ids.stream().map(prompts.limits::of).toList();
                int tokens = configs.get(0).getMaxNewTokens();
                if (configs.stream().anyMatch(c -> c.getMaxNewTokens() != tokens)) {
                    // One batch ends at one length.
                    return super.batchPredict(inputs);
                }
                return new TextGenerator(model, prompts.tokenizer).generate(inputs, configs.get(0));
            } catch (IllegalArgumentException e) {
                throw new TranslateException(e.getMessage(), e);
            }
        }

        /** {@inheritDoc} */
        @Override
        protected NDList predictInternal(TranslatorContext context, NDList inputs) {
            long[] prompt = inputs.singletonOrThrow().toLongArray();
            long[] ids = new TokenGenerator(model).generate(prompt, prompts.limits.of(prompt));
            return new NDList(context.getNDManager().create(ids));
        }
    }

    /** A prompt as token ids, and token ids as the text that follows it. */
    private static final class PromptTranslator implements NoBatchifyTranslator<String, String> {

        private final TextTokenizer tokenizer;
        private final LengthLimits limits;

        PromptTranslator(TextTokenizer tokenizer, LengthLimits limits) {
            this.tokenizer = tokenizer;
            this.limits = limits;
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

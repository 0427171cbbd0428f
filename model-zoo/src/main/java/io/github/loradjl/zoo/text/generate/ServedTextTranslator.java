package io.github.loradjl.zoo.text.generate;

import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.modality.nlp.TextPrompt;
import ai.djl.ndarray.BytesSupplier;
import ai.djl.ndarray.NDList;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.TranslateException;
import ai.djl.translate.TranslatorContext;

import java.util.List;
import java.util.Map;

/**
 * Text in, text out for a server such as DJL Serving.
 *
 * <p>A request is a plain text, or JSON with {@code inputs}, a text or a list of texts. The answer
 * is JSON: {@code generated_text}, or a list of these. How tokens are chosen is the model's matter;
 * a request's own parameters are not looked at.
 */
public final class ServedTextTranslator implements NoBatchifyTranslator<Input, Output> {

    private static final String PROMPTS = "prompts";

    private final TextTranslator translator;

    /**
     * Creates a translator.
     *
     * @param translator what to do with each text
     */
    public ServedTextTranslator(TextTranslator translator) {
        this.translator = translator;
    }

    /** {@inheritDoc} */
    @Override
    public NDList processInput(TranslatorContext context, Input input) throws TranslateException {
        if (input.getContent().isEmpty()) {
            throw new TranslateException(
                    "the request is empty; send a text, or {\"inputs\": text}");
        }
        TextPrompt request = TextPrompt.parseInput(input);
        List<String> texts = request.isBatch() ? request.getBatch() : List.of(request.getText());
        if (texts.isEmpty()) {
            throw new TranslateException("the request has no texts in its inputs");
        }
        List<long[]> prompts = texts.stream().map(translator::prompt).toList();
        context.setAttachment(PROMPTS, new Request(prompts, request.isBatch()));
        return translator.token(context, prompts.get(0));
    }

    /** {@inheritDoc} */
    @Override
    public Output processOutput(TranslatorContext context, NDList list) {
        Request request = (Request) context.getAttachment(PROMPTS);
        List<Map<String, String>> answers =
                request.prompts().stream()
                        .map(prompt -> translator.answer(context, prompt))
                        .map(answer -> Map.of("generated_text", answer))
                        .toList();
        Output output = new Output();
        output.addProperty("Content-Type", "application/json");
        output.add(BytesSupplier.wrapAsJson(request.isBatch() ? answers : answers.get(0)));
        return output;
    }

    private record Request(List<long[]> prompts, boolean isBatch) {}
}

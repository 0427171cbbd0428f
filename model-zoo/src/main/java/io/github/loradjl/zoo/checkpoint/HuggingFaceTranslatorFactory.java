package io.github.loradjl.zoo.checkpoint;

import ai.djl.Model;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorFactory;
import ai.djl.util.Pair;

import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.generate.ServedTextTranslator;
import io.github.loradjl.zoo.text.generate.TextTranslator;
import io.github.loradjl.zoo.text.generate.TextZooModel;

import java.io.IOException;
import java.lang.reflect.Type;
import java.util.Map;
import java.util.Set;

/**
 * Translators for a model that DJL's own loader has made with {@link HuggingFaceBlockFactory}:
 * NDList to NDList, String to String, which continues or answers a text as {@link
 * TextZooModel#config} and {@link TextZooModel#maxLength} say, and Input to Output, which does so
 * in a server ({@link ServedTextTranslator}).
 */
public final class HuggingFaceTranslatorFactory implements TranslatorFactory {

    /** Creates the factory. */
    public HuggingFaceTranslatorFactory() {}

    /** {@inheritDoc} */
    @Override
    public Set<Pair<Type, Type>> getSupportedTypes() {
        return Set.of(
                new Pair<>(NDList.class, NDList.class),
                new Pair<>(String.class, String.class),
                new Pair<>(Input.class, Output.class));
    }

    /** {@inheritDoc} */
    @Override
    @SuppressWarnings("unchecked")
    public <I, O> Translator<I, O> newInstance(
            Class<I> input, Class<O> output, Model model, Map<String, ?> arguments)
            throws TranslateException {
        // Keeps DJL's trainer from unfreezing everything that was loaded.
        model.setBlock(model.getBlock());
        if (input == NDList.class) {
            return (Translator<I, O>) new NoopTranslator();
        }
        try {
            TextTokenizer tokenizer = TextTokenizer.load(model.getModelPath());
            // Closed with the model.
            model.getNDManager().attachInternal(NDManager.nextUid(), tokenizer);
            TextTranslator texts =
                    new TextTranslator(
                            model,
                            tokenizer,
                            TextZooModel.config(arguments),
                            TextZooModel.maxLength(arguments));
            return (Translator<I, O>)
                    (input == String.class ? texts : new ServedTextTranslator(texts));
        } catch (IOException e) {
            throw new TranslateException(e.getMessage(), e);
        }
    }
}

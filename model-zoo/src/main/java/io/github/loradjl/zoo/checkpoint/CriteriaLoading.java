package io.github.loradjl.zoo.checkpoint;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelNotFoundException;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.DefaultTranslatorFactory;
import ai.djl.translate.TranslateException;
import ai.djl.translate.TranslatorFactory;
import ai.djl.util.Progress;

import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.generate.TextZooModel;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Loads a folder, and adapters with it, as a criteria asks. */
final class CriteriaLoading<I, O> {

    private final String name;
    private final Criteria<I, O> criteria;
    private final Map<String, Object> settings;

    CriteriaLoading(String name, Criteria<I, O> criteria) {
        this.name = name;
        this.criteria = criteria;
        settings = settings(criteria);
    }

    /** Returns arguments and options in one map. */
    static Map<String, Object> settings(Criteria<?, ?> criteria) {
        Map<String, Object> settings = new HashMap<>(orEmpty(criteria.getArguments()));
        settings.putAll(orEmpty(criteria.getOptions()));
        return settings;
    }

    /** Refuses, before anything is loaded or fetched, what no translator can be made for. */
    void checkTypes() throws ModelNotFoundException {
        Class<?> input = criteria.getInputClass();
        Class<?> output = criteria.getOutputClass();
        if (!isText() && !translators().isSupported(input, output)) {
            throw new ModelNotFoundException(
                    name
                            + " has no translator from "
                            + input.getName()
                            + " to "
                            + output.getName()
                            + "; use NDList to NDList or String to String, or give a translator");
        }
    }

    ZooModel<I, O> load(Path folder, List<WeightedAdapter> adapters)
            throws IOException, ModelNotFoundException, MalformedModelException {
        checkTypes();
        String modelName = criteria.getModelName() == null ? name : criteria.getModelName();
        LoadSettings how = new LoadSettings(settings);
        Progress progress = criteria.getProgress();
        Model model = null;
        try {
            model =
                    HuggingFaceFolder.load(
                            folder,
                            modelName,
                            device(),
                            how.dataType(),
                            how.isTrainable(),
                            progress);
            AdapterAttachment.attach(model, adapters, how.isForced());
            return translated(model, folder);
        } catch (TranslateException e) {
            model.close();
            throw new ModelNotFoundException("The translator cannot be made", e);
        } catch (IOException | RuntimeException e) {
            if (model != null) {
                model.close();
            }
            throw e;
        } finally {
            if (progress != null) {
                progress.end();
            }
        }
    }

    private TranslatorFactory translators() {
        TranslatorFactory given = criteria.getTranslatorFactory();
        return given == null ? new DefaultTranslatorFactory() : given;
    }

    private boolean isText() {
        return criteria.getTranslatorFactory() == null
                && criteria.getInputClass() == String.class
                && criteria.getOutputClass() == String.class;
    }

    @SuppressWarnings("unchecked")
    private ZooModel<I, O> translated(Model model, Path folder)
            throws IOException, TranslateException {
        if (isText()) {
            TextTokenizer tokenizer = TextTokenizer.load(folder);
            try {
                return (ZooModel<I, O>)
                        new TextZooModel(
                                model,
                                tokenizer,
                                TextZooModel.config(settings),
                                TextZooModel.maxLength(settings));
            } catch (RuntimeException e) {
                tokenizer.close();
                throw e;
            }
        }
        Class<I> input = criteria.getInputClass();
        Class<O> output = criteria.getOutputClass();
        return new ZooModel<>(model, translators().newInstance(input, output, model, settings));
    }

    private static <V> Map<String, V> orEmpty(Map<String, V> map) {
        return map == null ? Map.of() : map;
    }

    private Device device() {
        return criteria.getDevice() == null
                ? new LoadSettings(settings).device()
                : criteria.getDevice();
    }
}

package io.github.loradjl.zoo.checkpoint;

import ai.djl.Application;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.types.DataType;
import ai.djl.pytorch.engine.PtEngine;
import ai.djl.repository.MRL;
import ai.djl.repository.Repository;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelLoader;
import ai.djl.repository.zoo.ModelNotFoundException;
import ai.djl.repository.zoo.ModelZoo;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.DefaultTranslatorFactory;
import ai.djl.translate.TranslateException;
import ai.djl.translate.TranslatorFactory;
import ai.djl.util.Progress;

import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TextZooModel;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** A model zoo of one folder. */
final class FolderZoo extends ModelZoo {

    private static final String GROUP_ID = "io.github.loradjl.local";

    FolderZoo(Path folder) {
        addModel(new Loader(folder));
    }

    /** {@inheritDoc} */
    @Override
    public String getGroupId() {
        return GROUP_ID;
    }

    /** {@inheritDoc} */
    @Override
    public Set<String> getSupportedEngines() {
        return Set.of(PtEngine.ENGINE_NAME);
    }

    private static final class Loader implements ModelLoader {

        private final Path folder;
        private final String name;

        Loader(Path folder) {
            this.folder = folder;
            name = folder.toAbsolutePath().normalize().getFileName().toString();
        }

        /** {@inheritDoc} */
        @Override
        public String getGroupId() {
            return GROUP_ID;
        }

        /** {@inheritDoc} */
        @Override
        public String getArtifactId() {
            return name;
        }

        /** {@inheritDoc} */
        @Override
        public Application getApplication() {
            return Application.NLP.TEXT_GENERATION;
        }

        /** {@inheritDoc} */
        @Override
        public MRL getMrl() {
            Repository repository = Repository.newInstance(name, folder);
            return repository.model(getApplication(), GROUP_ID, name, "0.0.1");
        }

        /** {@inheritDoc} */
        @Override
        public <I, O> ZooModel<I, O> loadModel(Criteria<I, O> criteria)
                throws IOException, ModelNotFoundException, MalformedModelException {
            checkTypes(criteria);
            Map<String, Object> settings = new HashMap<>(orEmpty(criteria.getArguments()));
            settings.putAll(orEmpty(criteria.getOptions()));
            String modelName = criteria.getModelName() == null ? name : criteria.getModelName();
            Progress progress = criteria.getProgress();
            Model model = null;
            try {
                model =
                        HuggingFaceFolder.load(
                                folder,
                                modelName,
                                criteria.getDevice(),
                                dataType(settings.get("dtype")),
                                Boolean.parseBoolean(String.valueOf(settings.get("trainParam"))),
                                progress);
                return translated(model, criteria, settings);
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

        private void checkTypes(Criteria<?, ?> criteria) throws ModelNotFoundException {
            Class<?> input = criteria.getInputClass();
            Class<?> output = criteria.getOutputClass();
            if (!isText(criteria) && !translators(criteria).isSupported(input, output)) {
                throw new ModelNotFoundException(
                        name
                                + " has no translator from "
                                + input.getName()
                                + " to "
                                + output.getName()
                                + "; use NDList to NDList or String to String, or give a"
                                + " translator");
            }
        }

        private static TranslatorFactory translators(Criteria<?, ?> criteria) {
            TranslatorFactory given = criteria.getTranslatorFactory();
            return given == null ? new DefaultTranslatorFactory() : given;
        }

        private static boolean isText(Criteria<?, ?> criteria) {
            return criteria.getTranslatorFactory() == null
                    && criteria.getInputClass() == String.class
                    && criteria.getOutputClass() == String.class;
        }

        @SuppressWarnings("unchecked")
        private <I, O> ZooModel<I, O> translated(
                Model model, Criteria<I, O> criteria, Map<String, Object> settings)
                throws IOException, TranslateException {
            if (isText(criteria)) {
                GenerationConfig config = TextZooModel.config(settings);
                TextTokenizer tokenizer = TextTokenizer.load(folder);
                return (ZooModel<I, O>) new TextZooModel(model, tokenizer, config);
            }
            Class<I> input = criteria.getInputClass();
            Class<O> output = criteria.getOutputClass();
            return new ZooModel<>(
                    model, translators(criteria).newInstance(input, output, model, settings));
        }

        private static <V> Map<String, V> orEmpty(Map<String, V> map) {
            return map == null ? Map.of() : map;
        }

        private static DataType dataType(Object name) {
            if (name == null) {
                return DataType.FLOAT32;
            }
            switch (name.toString().toLowerCase(Locale.ROOT)) {
                case "float32":
                    return DataType.FLOAT32;
                case "bfloat16":
                    return DataType.BFLOAT16;
                default:
                    throw new IllegalArgumentException(
                            "option dtype is float32 or bfloat16, not \"" + name + "\"");
            }
        }

        /** {@inheritDoc} */
        @Override
        public <I, O> boolean isDownloaded(Criteria<I, O> criteria) {
            return true;
        }

        /** {@inheritDoc} */
        @Override
        public <I, O> void downloadModel(Criteria<I, O> criteria, Progress progress) {
            // It is on the disk already.
        }
    }
}

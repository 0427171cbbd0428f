package io.github.loradjl.zoo.checkpoint;

import ai.djl.Application;
import ai.djl.MalformedModelException;
import ai.djl.pytorch.engine.PtEngine;
import ai.djl.repository.MRL;
import ai.djl.repository.Repository;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelLoader;
import ai.djl.repository.zoo.ModelNotFoundException;
import ai.djl.repository.zoo.ModelZoo;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.util.Progress;

import io.github.loradjl.zoo.repository.AdapterRepositories;

import java.io.IOException;
import java.nio.file.Path;
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
            return HuggingFaceFolder.load(
                    folder,
                    name,
                    criteria,
                    id -> AdapterRepositories.fetch(id, criteria.getProgress()));
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

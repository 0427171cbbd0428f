package io.github.loradjl.zoo;

import ai.djl.Application;
import ai.djl.MalformedModelException;
import ai.djl.repository.MRL;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelLoader;
import ai.djl.repository.zoo.ModelNotFoundException;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.util.Progress;

import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.repository.AdapterRepositories;
import io.github.loradjl.zoo.repository.RepositoryLayout;

import java.io.IOException;
import java.util.Map;

/** Loads a base model of the zoo, and adapters that a criteria names with it. */
final class BaseLoader implements ModelLoader {

    private static final String VERSION = "0.0.1";

    private final BaseEntry entry;

    BaseLoader(BaseEntry entry) {
        this.entry = entry;
    }

    /** {@inheritDoc} */
    @Override
    public String getGroupId() {
        return LoraModelZoo.GROUP_ID;
    }

    /** {@inheritDoc} */
    @Override
    public String getArtifactId() {
        return entry.artifactId();
    }

    /** {@inheritDoc} */
    @Override
    public Application getApplication() {
        return RepositoryLayout.APPLICATION;
    }

    /** {@inheritDoc} */
    @Override
    public MRL getMrl() {
        String description =
                entry.hubId() == null
                        ? "A small model that ships."
                        : entry.hubId()
                                + " of the Hugging Face hub"
                                + (entry.isVerified() ? "." : ", unverified.");
        Listing listing = new Listing(getGroupId(), getArtifactId(), description, entry.license());
        listing.add(VERSION, entry.properties());
        return listing.mrl();
    }

    /** {@inheritDoc} */
    @Override
    public <I, O> ZooModel<I, O> loadModel(Criteria<I, O> criteria)
            throws IOException, ModelNotFoundException, MalformedModelException {
        Asked.check(criteria, getGroupId() + ":" + getArtifactId(), this::matches);
        return HuggingFaceFolder.load(
                entry.folder(criteria.getProgress()),
                getArtifactId(),
                criteria,
                id -> AdapterRepositories.fetch(id, criteria.getProgress()));
    }

    private boolean matches(Map<String, String> filters) {
        Map<String, String> properties = entry.properties();
        return filters.entrySet().stream()
                .allMatch(e -> e.getValue().equals(properties.get(e.getKey())));
    }

    /** {@inheritDoc} */
    @Override
    public <I, O> boolean isDownloaded(Criteria<I, O> criteria) throws IOException {
        return entry.isFetched();
    }

    /** {@inheritDoc} */
    @Override
    public <I, O> void downloadModel(Criteria<I, O> criteria, Progress progress)
            throws IOException {
        entry.folder(progress);
    }
}

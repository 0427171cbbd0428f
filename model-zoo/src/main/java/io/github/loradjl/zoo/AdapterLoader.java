package io.github.loradjl.zoo;

import ai.djl.Application;
import ai.djl.MalformedModelException;
import ai.djl.repository.MRL;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelLoader;
import ai.djl.repository.zoo.ModelNotFoundException;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.util.Progress;

import io.github.loradjl.zoo.checkpoint.AdapterArgument;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.checkpoint.WeightedAdapter;
import io.github.loradjl.zoo.repository.AdapterEntry;
import io.github.loradjl.zoo.repository.AdapterRepositories;
import io.github.loradjl.zoo.repository.AdapterRepositories.Found;
import io.github.loradjl.zoo.repository.RepositoryLayout;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Loads a published adapter with its base. */
final class AdapterLoader implements ModelLoader {

    private final List<Found> versions;
    private final AdapterEntry newest;

    /**
     * Creates a loader.
     *
     * @param versions the versions of one adapter, at least one
     */
    AdapterLoader(List<Found> versions) {
        this.versions = versions;
        newest = AdapterRepositories.newest(versions).entry();
    }

    /** {@inheritDoc} */
    @Override
    public String getGroupId() {
        return newest.groupId();
    }

    /** {@inheritDoc} */
    @Override
    public String getArtifactId() {
        return newest.artifactId();
    }

    /** {@inheritDoc} */
    @Override
    public Application getApplication() {
        return RepositoryLayout.APPLICATION;
    }

    /** {@inheritDoc} */
    @Override
    public MRL getMrl() {
        Listing listing =
                new Listing(getGroupId(), getArtifactId(), newest.description(), newest.license());
        // Of several that match, DJL takes the first.
        for (int i = versions.size() - 1; i >= 0; i--) {
            AdapterEntry entry = versions.get(i).entry();
            listing.add(entry.version(), entry.properties());
        }
        return listing.mrl();
    }

    /** {@inheritDoc} */
    @Override
    public <I, O> ZooModel<I, O> loadModel(Criteria<I, O> criteria)
            throws IOException, ModelNotFoundException, MalformedModelException {
        Found found = select(criteria);
        AdapterEntry entry = found.entry();
        Path folder = base(entry, criteria, criteria.getProgress());
        List<WeightedAdapter> adapters = new ArrayList<>();
        adapters.add(new WeightedAdapter(found.fetch(), 1));
        Object others = arguments(criteria).get(AdapterArgument.NAME);
        adapters.addAll(
                AdapterArgument.read(
                        others, id -> AdapterRepositories.fetch(id, criteria.getProgress())));
        return HuggingFaceFolder.load(folder, getArtifactId(), criteria, adapters);
    }

    private static Map<String, ?> arguments(Criteria<?, ?> criteria) {
        return criteria.getArguments() == null ? Map.of() : criteria.getArguments();
    }

    private static Path base(AdapterEntry entry, Criteria<?, ?> criteria, Progress progress)
            throws IOException {
        // A repository names models of the zoo and the hub, never folders of this machine.
        Object given = Bases.argument(arguments(criteria).get("base"));
        return Bases.folder(
                given == null ? entry.base().id() : given,
                given == null ? entry.base().revision() : null,
                "adapter " + entry.id(),
                progress);
    }

    private Found select(Criteria<?, ?> criteria) throws ModelNotFoundException {
        String id = getGroupId() + ":" + getArtifactId();
        Asked.check(
                criteria,
                id,
                filters -> versions.stream().anyMatch(v -> v.entry().matches(filters)));
        return AdapterRepositories.newest(
                versions.stream().filter(v -> v.entry().matches(criteria.getFilters())).toList());
    }

    /** {@inheritDoc} */
    @Override
    public <I, O> boolean isDownloaded(Criteria<I, O> criteria)
            throws IOException, ModelNotFoundException {
        Found found = select(criteria);
        AdapterEntry entry = found.entry();
        return found.repository().isFetched(entry)
                && (arguments(criteria).containsKey("base")
                        || Bases.isFetched(entry.base().id(), entry.base().revision()));
    }

    /** {@inheritDoc} */
    @Override
    public <I, O> void downloadModel(Criteria<I, O> criteria, Progress progress)
            throws IOException, ModelNotFoundException {
        Found found = select(criteria);
        base(found.entry(), criteria, progress);
        found.fetch();
    }
}

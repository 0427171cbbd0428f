package io.github.loradjl.zoo;

import ai.djl.pytorch.engine.PtEngine;
import ai.djl.repository.AbstractRepository;
import ai.djl.repository.Artifact;
import ai.djl.repository.MRL;
import ai.djl.repository.Metadata;
import ai.djl.repository.zoo.DefaultModelZoo;
import ai.djl.util.Progress;

import io.github.loradjl.zoo.checkpoint.HuggingFaceBlockFactory;
import io.github.loradjl.zoo.checkpoint.HuggingFaceTranslatorFactory;
import io.github.loradjl.zoo.hub.HubClient;
import io.github.loradjl.zoo.hub.HubId;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** One repository of the hub, as DJL sees repositories: with one artifact. */
final class HubRepository extends AbstractRepository {

    private final HubClient client = HubClient.builder().build();
    private final HubId id;
    private final Artifact artifact = new HubArtifact();
    private final Metadata metadata = new Metadata.MatchAllMetadata();
    private Path folder;

    HubRepository(String name, URI uri) {
        super(name, uri);
        id = HubId.parse(uri.toString().replaceFirst("[?#].*", ""));
        artifact.setName(id.getName());
        artifact.setFiles(Map.of());
        artifact.getArguments().putAll(arguments);
        // An instance: for the name of a class DJL would look in what was downloaded as well.
        artifact.getArguments().put("blockFactory", new HuggingFaceBlockFactory());
        artifact.getArguments()
                .put("translatorFactory", HuggingFaceTranslatorFactory.class.getName());
        artifact.getArguments().put("engine", PtEngine.ENGINE_NAME);
        artifact.setOptions(HuggingFaceBlockFactory.options());
        metadata.setRepositoryUri(uri);
        metadata.setArtifactId(id.getName());
        metadata.setArtifacts(List.of(artifact));
    }

    /** {@inheritDoc} */
    @Override
    public boolean isRemote() {
        return true;
    }

    /** {@inheritDoc} */
    @Override
    public Metadata locate(MRL mrl) {
        return metadata;
    }

    /** {@inheritDoc} */
    @Override
    public Artifact resolve(MRL mrl, Map<String, String> filter) {
        return artifact;
    }

    /** {@inheritDoc} */
    @Override
    public List<MRL> getResources() {
        return List.of(MRL.undefined(this, DefaultModelZoo.GROUP_ID, id.getName()));
    }

    /** {@inheritDoc} */
    @Override
    public synchronized void prepare(Artifact wanted, Progress progress) throws IOException {
        folder = client.snapshot(id, progress);
    }

    /** Returns the snapshot; before it is fetched, one in the cache or where nothing is yet. */
    @Override
    public synchronized Path getResourceDirectory(Artifact wanted) throws IOException {
        if (folder != null) {
            return folder;
        }
        return client.cached(id).orElse(client.getCacheFolder().resolve(id.getRepository()));
    }

    /** {@inheritDoc} */
    @Override
    public Path getCacheDirectory() {
        return client.getCacheFolder();
    }

    /** Refuses options that DJL's loader does not tell to the block's factory. */
    private static final class HubArtifact extends Artifact {

        private static final List<String> UNHEARD =
                List.of("dtype", "trainParam", "device", "adapter", "forceAdapter", "maxLength");

        /** {@inheritDoc} */
        @Override
        public Map<String, String> getOptions(Map<String, String> override) {
            Map<String, String> options = super.getOptions(override);
            for (String key : UNHEARD) {
                if (options.containsKey(key)) {
                    throw new IllegalArgumentException(
                            "with hf:// the option "
                                    + key
                                    + " is not heard: give it by Criteria.optArgument, and the"
                                    + " device by optDevice");
                }
            }
            return options;
        }
    }
}

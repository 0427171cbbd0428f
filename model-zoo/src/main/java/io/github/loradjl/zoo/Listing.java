package io.github.loradjl.zoo;

import ai.djl.repository.Artifact;
import ai.djl.repository.License;
import ai.djl.repository.MRL;
import ai.djl.repository.Metadata;
import ai.djl.repository.Repository;
import ai.djl.util.Progress;

import io.github.loradjl.zoo.repository.RepositoryLayout;

import java.io.InputStream;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a loader offers, in DJL's words: so that {@code ModelZoo.listModels} and {@code
 * MRL.listArtifacts} show it. Files are got by the loader alone.
 */
final class Listing implements Repository {

    private final String groupId;
    private final Metadata metadata = new Metadata();

    Listing(String groupId, String artifactId, String description, String license) {
        this.groupId = groupId;
        metadata.setMetadataVersion("0.2");
        metadata.setResourceType("model");
        metadata.setGroupId(groupId);
        metadata.setArtifactId(artifactId);
        metadata.setName(artifactId);
        metadata.setDescription(description);
        metadata.setApplication(RepositoryLayout.APPLICATION);
        metadata.setArtifacts(new ArrayList<>());
        if (license != null) {
            License entry = new License();
            entry.setId(license);
            entry.setName(license);
            metadata.addLicense(entry);
        }
    }

    void add(String version, Map<String, String> properties) {
        Artifact artifact = new Artifact();
        artifact.setVersion(version);
        artifact.setName(metadata.getArtifactId());
        artifact.setProperties(properties);
        artifact.setFiles(Map.of());
        artifact.setMetadata(metadata);
        metadata.addArtifact(artifact);
    }

    MRL mrl() {
        return model(metadata.getApplication(), groupId, metadata.getArtifactId());
    }

    /** {@inheritDoc} */
    @Override
    public boolean isRemote() {
        return false;
    }

    /** {@inheritDoc} */
    @Override
    public String getName() {
        return groupId;
    }

    /** {@inheritDoc} */
    @Override
    public URI getBaseUri() {
        return URI.create("zoo:" + groupId + "/");
    }

    /** {@inheritDoc} */
    @Override
    public Metadata locate(MRL mrl) {
        return metadata;
    }

    /** {@inheritDoc} */
    @Override
    public Artifact resolve(MRL mrl, Map<String, String> filter) {
        List<Artifact> artifacts = metadata.getArtifacts();
        return artifacts.stream()
                .filter(a -> filter == null || a.hasProperties(filter))
                .findFirst()
                .orElse(null);
    }

    /** {@inheritDoc} */
    @Override
    public InputStream openStream(Artifact.Item item, String path) {
        throw unsupported();
    }

    /** {@inheritDoc} */
    @Override
    public Path getFile(Artifact.Item item, String path) {
        throw unsupported();
    }

    /** {@inheritDoc} */
    @Override
    public String[] listDirectory(Artifact.Item item, String path) {
        throw unsupported();
    }

    /** {@inheritDoc} */
    @Override
    public void prepare(Artifact artifact, Progress progress) {
        throw unsupported();
    }

    /** {@inheritDoc} */
    @Override
    public Path getCacheDirectory() {
        throw unsupported();
    }

    private static UnsupportedOperationException unsupported() {
        return new UnsupportedOperationException(
                "this only lists what there is; load a model by Criteria.loadModel");
    }

    /** {@inheritDoc} */
    @Override
    public List<MRL> getResources() {
        return List.of(mrl());
    }

    /** {@inheritDoc} */
    @Override
    public void addResource(MRL mrl) {
        throw unsupported();
    }
}

package io.github.loradjl.zoo;

import ai.djl.pytorch.engine.PtEngine;
import ai.djl.repository.zoo.ModelLoader;
import ai.djl.repository.zoo.ModelZoo;

import io.github.loradjl.zoo.repository.AdapterRepositories;
import io.github.loradjl.zoo.repository.AdapterRepositories.Found;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The adapters of one group in all repositories that are known. */
final class AdapterZoo extends ModelZoo {

    private final String groupId;

    AdapterZoo(String groupId) {
        this.groupId = groupId;
    }

    /** {@inheritDoc} */
    @Override
    public String getGroupId() {
        return groupId;
    }

    /** {@inheritDoc} */
    @Override
    public Set<String> getSupportedEngines() {
        return Set.of(PtEngine.ENGINE_NAME);
    }

    /** {@inheritDoc} */
    @Override
    public Collection<ModelLoader> getModelLoaders() {
        return List.copyOf(loaders(groupId).values());
    }

    /** {@inheritDoc} */
    @Override
    public ModelLoader getModelLoader(String name) {
        return loaders(groupId).get(name);
    }

    /** Makes the loaders of a group's adapters, by artifact. */
    static Map<String, ModelLoader> loaders(String groupId) {
        Map<String, List<Found>> artifacts = new LinkedHashMap<>();
        for (Found found : AdapterRepositories.list()) {
            if (found.entry().groupId().equals(groupId)) {
                artifacts
                        .computeIfAbsent(found.entry().artifactId(), id -> new ArrayList<>())
                        .add(found);
            }
        }
        Map<String, ModelLoader> loaders = new LinkedHashMap<>();
        artifacts.forEach((id, versions) -> loaders.put(id, new AdapterLoader(versions)));
        return loaders;
    }
}

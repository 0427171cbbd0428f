package io.github.loradjl.zoo;

import ai.djl.pytorch.engine.PtEngine;
import ai.djl.repository.zoo.ModelLoader;
import ai.djl.repository.zoo.ModelZoo;

import io.github.loradjl.zoo.repository.AdapterRepositories;
import io.github.loradjl.zoo.repository.AdapterRepository;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Base models, and adapters from repositories of one's own, for {@code Criteria}.
 *
 * <p>The group {@value #GROUP_ID} has the two small models that ship, {@code tiny-story-llama} and
 * {@code tiny-story-t5}, and entries for well-known checkpoints of the Hugging Face hub. Adapters
 * are found by the group and artifact that they were published under, and by filters: {@code base},
 * {@code method}, {@code rank}, {@code task}, {@code version}; the newest version is taken.
 *
 * <pre>{@code
 * LoraModelZoo.addRepository("https://example.com/adapters"); // or a folder, or a jar
 * Criteria<String, String> criteria =
 *         Criteria.builder()
 *                 .setTypes(String.class, String.class)
 *                 .optGroupId(LoraModelZoo.GROUP_ID)
 *                 .optArtifactId("tiny-story-llama")
 *                 .optArgument("adapter", "com.example:story-answers")
 *                 .build();
 * }</pre>
 *
 * <p>Repositories that are jars on the class path, and those of the system property {@value
 * AdapterRepositories#PROPERTY}, need no call. The arguments of a criteria are those of {@link
 * io.github.loradjl.zoo.checkpoint.HuggingFaceFolder#zoo}; an adapter that is the artifact itself
 * brings its base, unless the argument {@code base} names another folder or id.
 *
 * <p>What is loaded here is safetensors, json and text. A block factory, a translator or a class
 * that an artifact names is not looked at, and jars that lie in it are not loaded.
 */
public final class LoraModelZoo extends ModelZoo {

    /** The group of the base models. */
    public static final String GROUP_ID = "io.github.loradjl";

    private static final Logger logger = LoggerFactory.getLogger(LoraModelZoo.class);

    private final Map<String, ModelLoader> bases = new LinkedHashMap<>();

    LoraModelZoo() {
        for (BaseEntry entry : BaseEntry.ALL) {
            bases.put(entry.artifactId(), new BaseLoader(entry));
        }
    }

    /**
     * Adds a repository of adapters; one that was added before is read again.
     *
     * @param location a folder, a jar, or a URL with file, http or https
     * @throws IOException if it cannot be read
     */
    public static void addRepository(String location) throws IOException {
        AdapterRepository repository = AdapterRepositories.add(location);
        Set<String> groups = new TreeSet<>();
        repository.getEntries().forEach(entry -> groups.add(entry.groupId()));
        groups.forEach(LoraModelZoo::register);
    }

    /**
     * Finds a base model's artifact id.
     *
     * @param id its name here or on the Hugging Face hub
     * @return the artifact id, if the zoo has an entry
     */
    public static Optional<String> findBase(String id) {
        return Optional.ofNullable(BaseEntry.find(id)).map(BaseEntry::artifactId);
    }

    /** Offers the groups of the repositories that are known from the start. */
    static void registerKnown() {
        Set<String> groups = new TreeSet<>();
        AdapterRepositories.list().forEach(found -> groups.add(found.entry().groupId()));
        groups.forEach(LoraModelZoo::register);
    }

    /** A repository must not take the place of a zoo that somebody else offers. */
    private static void register(String groupId) {
        if (GROUP_ID.equals(groupId)) {
            return;
        }
        if (ModelZoo.hasModelZoo(groupId)
                && !(ModelZoo.getModelZoo(groupId) instanceof AdapterZoo)) {
            logger.warn(
                    "the adapters of group {} are found by the argument adapter only: another model"
                            + " zoo has that group",
                    groupId);
            return;
        }
        ModelZoo.registerModelZoo(() -> new AdapterZoo(groupId));
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

    /** {@inheritDoc} */
    @Override
    public Collection<ModelLoader> getModelLoaders() {
        return List.copyOf(loaders().values());
    }

    /** {@inheritDoc} */
    @Override
    public ModelLoader getModelLoader(String name) {
        return loaders().get(name);
    }

    private Map<String, ModelLoader> loaders() {
        Map<String, ModelLoader> loaders = new LinkedHashMap<>(bases);
        AdapterZoo.loaders(GROUP_ID).forEach(loaders::putIfAbsent);
        return loaders;
    }
}

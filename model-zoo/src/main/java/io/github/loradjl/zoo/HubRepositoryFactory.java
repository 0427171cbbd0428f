package io.github.loradjl.zoo;

import ai.djl.repository.Repository;
import ai.djl.repository.RepositoryFactory;

import io.github.loradjl.zoo.hub.HubId;

import java.net.URI;
import java.util.Set;

/**
 * Lets DJL understand {@code hf://owner/name[@revision]} as the URL of a model. DJL finds it by
 * itself.
 *
 * <pre>
 * Criteria.builder()
 *         .setTypes(String.class, String.class)
 *         .optModelUrls("hf://HuggingFaceTB/SmolLM2-135M-Instruct?dtype=bfloat16")
 *         .build()
 *         .loadModel();
 * </pre>
 *
 * <p>The parameters of the URL are arguments of the criteria, as with DJL's other URLs; what they
 * can be is told with {@link io.github.loradjl.zoo.checkpoint.HuggingFaceBlockFactory} and {@link
 * io.github.loradjl.zoo.text.generate.TextZooModel#config}. The blocks are this library's, whatever
 * a folder names. DJL's loader makes the model, so its predictors take one text after another and
 * do not stream; {@code HuggingFaceFolder.zoo(HubClient...snapshot(id))} does both.
 */
public final class HubRepositoryFactory implements RepositoryFactory {

    /** Creates the factory. */
    public HubRepositoryFactory() {}

    /** {@inheritDoc} */
    @Override
    public Repository newInstance(String name, URI uri) {
        return new HubRepository(name, uri);
    }

    /** {@inheritDoc} */
    @Override
    public Set<String> getSupportedScheme() {
        return Set.of(HubId.SCHEME);
    }
}

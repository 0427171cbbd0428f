package io.github.loradjl.zoo;

import ai.djl.repository.zoo.ModelZoo;
import ai.djl.repository.zoo.ZooProvider;

/** Offers the {@link LoraModelZoo} to DJL, which finds this class by itself. */
public final class LoraZooProvider implements ZooProvider {

    /** Creates a provider. */
    public LoraZooProvider() {}

    /** {@inheritDoc} */
    @Override
    public ModelZoo getModelZoo() {
        LoraModelZoo.registerKnown();
        return new LoraModelZoo();
    }
}

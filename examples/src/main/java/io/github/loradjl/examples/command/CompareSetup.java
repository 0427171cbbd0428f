package io.github.loradjl.examples.command;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;

import io.github.loradjl.examples.compare.Setup;
import io.github.loradjl.zoo.text.TextDataset;

import java.io.IOException;

/** Models and rows of a comparison, from the options of its command. */
record CompareSetup(ModelOptions model, DataOptions.Data rows) implements Setup.Models, Setup.Data {

    /** The rows held out and those of a share are the same whatever the seed of a run. */
    static final int DATA_SEED = 0;

    /** {@inheritDoc} */
    @Override
    public ZooModel<NDList, NDList> frozen() throws IOException, MalformedModelException {
        return model.load();
    }

    /** {@inheritDoc} */
    @Override
    public ZooModel<NDList, NDList> trainable() throws IOException, MalformedModelException {
        return model.loadTrainable();
    }

    /** {@inheritDoc} */
    @Override
    public TextDataset train(int seed, double share) throws IOException {
        TextDataset all = rows.train();
        TextDataset part = share == 1 ? all : all.split(1 - share, DATA_SEED).train();
        return part.reordered(seed);
    }

    /** {@inheritDoc} */
    @Override
    public TextDataset validation() {
        return rows.validation();
    }
}

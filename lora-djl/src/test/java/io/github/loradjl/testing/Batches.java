package io.github.loradjl.testing;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.Batchifier;

/** Makes batches for tests. */
public final class Batches {

    private Batches() {}

    /** Returns a batch of one data and one label array, which belong to its own manager. */
    public static Batch of(NDManager parent, NDArray data, NDArray labels) {
        NDManager manager = parent.newSubManager();
        data.attach(manager);
        labels.attach(manager);
        int size = Math.toIntExact(data.getShape().get(0));
        return new Batch(
                manager,
                new NDList(data),
                new NDList(labels),
                size,
                Batchifier.STACK,
                Batchifier.STACK,
                0,
                1);
    }
}

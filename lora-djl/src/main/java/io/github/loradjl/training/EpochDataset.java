package io.github.loradjl.training;

import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.translate.TranslateException;

import java.io.IOException;

/**
 * A data set that knows the order of each of its epochs beforehand, so that a run can be resumed in
 * the middle of one without reading what lies before.
 */
public interface EpochDataset extends Dataset {

    /**
     * Gives the batches of an epoch from one of them on, always the same for the same numbers.
     *
     * @param manager the manager of the batches' own managers; arrays are made on its device
     * @param epoch the number of the epoch, from 0
     * @param firstBatch the number of batches to leave out at the beginning
     * @return the batches, each to be closed; none if the epoch has no more
     * @throws IOException if the data cannot be read
     * @throws TranslateException if the data cannot be prepared
     */
    Iterable<Batch> getEpoch(NDManager manager, int epoch, long firstBatch)
            throws IOException, TranslateException;
}

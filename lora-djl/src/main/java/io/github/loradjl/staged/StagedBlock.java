package io.github.loradjl.staged;

import ai.djl.ndarray.NDList;

import java.util.List;

/**
 * A block that is a chain of stages: running the stages one after another, each on the output of
 * the one before, gives exactly the block's own forward pass.
 *
 * <p>The chain is what lets a backward pass hold one stage's activations and gradients at a time.
 * Activation checkpointing and the layer-by-layer gradient pass are two uses of it.
 */
public interface StagedBlock {

    /**
     * Returns the stages in the order of the forward pass.
     *
     * @return the stages, at least one
     */
    List<Stage> getStages();

    /**
     * Returns what the first stage gets where labels are at hand. It is the data unless the model
     * reads its labels, as a decoder does under teacher forcing.
     *
     * @param data the data, left open
     * @param labels the labels, left open
     * @return the arrays of the data, perhaps followed by new ones, which are the caller's
     */
    default NDList withLabels(NDList data, NDList labels) {
        return data;
    }
}

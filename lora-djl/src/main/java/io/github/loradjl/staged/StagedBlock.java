package io.github.loradjl.staged;

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
}

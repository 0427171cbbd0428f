package io.github.loradjl.staged;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;

import java.util.List;

/**
 * One link of a {@link StagedBlock}.
 *
 * <p><b>Lists.</b> A stage maps a list to a list. Entries for which {@link #carriesGradient} is
 * true are differentiated; all others (masks, positions) pass through the chain as they are and get
 * no gradient. An entry may be handed on untouched, as the same array object, and used by several
 * stages: its gradient is the sum over all of them.
 *
 * <p><b>Recomputation.</b> The backward pass runs a stage again from its saved input. A stage must
 * therefore depend on nothing but its input, its parameters and LibTorch's random generator, which
 * the caller seeds alike for both runs, so that dropout draws the same mask.
 *
 * <p><b>Recording.</b> A stage that has a backward pass by formulas can be {@link #record recorded}
 * instead: then nothing runs twice, and it keeps less than a graph would.
 *
 * <p><b>Tied weights.</b> A block may belong to several stages. Its gradient is complete only after
 * the lowest of them.
 *
 * <p><b>Ownership.</b> A stage closes its intermediates and leaves its inputs open.
 */
public interface Stage {

    /**
     * Returns the blocks whose parameters this stage uses.
     *
     * @return the blocks
     */
    List<Block> getBlocks();

    /**
     * Runs the stage.
     *
     * @param parameterStore the parameter store
     * @param inputs the output of the stage before, or the data
     * @param training true to run in training mode
     * @return the output
     */
    NDList forward(ParameterStore parameterStore, NDList inputs, boolean training);

    /**
     * Runs the stage, the last of its chain, in training mode with the labels at hand. The default
     * ignores the labels; a stage that can compute its loss may return that scalar instead of
     * predictions.
     *
     * @param parameterStore the parameter store
     * @param inputs the output of the stage before
     * @param labels the labels
     * @return predictions or the scalar loss
     */
    default NDList forward(ParameterStore parameterStore, NDList inputs, NDList labels) {
        return forward(parameterStore, inputs, true);
    }

    /**
     * Tells whether an entry of this stage's input list is differentiated. Entries that hold no
     * floating point numbers never are.
     *
     * @param index the index in the list
     * @return true for the first entry unless overridden
     */
    default boolean carriesGradient(int index) {
        return index == 0;
    }

    /**
     * Tells whether {@link #record} is possible for the stage as it is now.
     *
     * @return false unless overridden
     */
    default boolean isRecordable() {
        return false;
    }

    /**
     * Runs the stage in training mode and keeps what its own backward pass needs.
     *
     * @param parameterStore the parameter store
     * @param inputs the output of the stage before, which stays as it is until the backward pass
     * @param manager the manager whose child owns what is kept
     * @return the recording
     */
    default Recording record(ParameterStore parameterStore, NDList inputs, NDManager manager) {
        throw new UnsupportedOperationException(getClass().getSimpleName() + " cannot be recorded");
    }
}

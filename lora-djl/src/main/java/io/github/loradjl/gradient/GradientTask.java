package io.github.loradjl.gradient;

import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.training.loss.Loss;
import ai.djl.util.Progress;

import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.staged.StagedBlock;
import io.github.loradjl.staged.StagedBlocks;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a {@link GradientSvd} is asked for.
 *
 * @param base the base block, its targets wrapped; run without adapters, in training mode
 * @param targets the layers whose weights' gradients are wanted, by path
 * @param counts the number of singular triplets wanted of each, by path
 * @param loss the loss
 * @param batches the calibration batches, read as often as needed and left open
 * @param init what is kept of each gradient, and how it is decomposed
 * @param initSeed the seed of the adapter's own draws, {@code LoraConfig.getSeed()}
 * @param seed the seed of dropout
 * @param manager the owner of the result, on the model's device
 * @param progress told about each unit of work, or null
 */
public record GradientTask(
        Block base,
        Map<String, LoraLinear> targets,
        Map<String, Integer> counts,
        Loss loss,
        List<Batch> batches,
        LoraGaInit init,
        long initSeed,
        long seed,
        NDManager manager,
        Progress progress) {

    /**
     * Returns the base as a chain of stages.
     *
     * @return the chain, or empty if it is none
     */
    Optional<StagedBlock> stages() {
        return StagedBlocks.of(base);
    }

    /** Returns a parameter store for one pass. */
    ParameterStore newStore(NDManager owner) {
        return new ParameterStore(owner, false);
    }

    /** Returns the dropout seed of a batch. */
    long seedOf(int batch) {
        return seed + 0x632BE59BD9B4E019L * (batch + 1);
    }

    void begin(String what, long units) {
        if (progress != null) {
            progress.reset(what, units);
        }
    }

    void advance() {
        if (progress != null) {
            progress.increment(1);
        }
    }

    void end() {
        if (progress != null) {
            progress.end();
        }
    }
}

package io.github.loradjl.zoo.text.generate;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;

import io.github.loradjl.adapter.AdaptedBlock;
import io.github.loradjl.adapter.AdapterSelection;

/**
 * The block of a model that predicts tokens, below its adapters.
 *
 * @param block the block
 * @param adapted the block around it, or null where the model has no adapters
 * @param manager the model's manager
 */
record CausalModel(AutoregressiveBlock block, AdaptedBlock adapted, NDManager manager) {

    static CausalModel of(Model model) {
        AdaptedBlock adapted = model.getBlock() instanceof AdaptedBlock around ? around : null;
        Block root = adapted == null ? model.getBlock() : adapted.getBase();
        if (root instanceof AutoregressiveBlock block) {
            return new CausalModel(block, adapted, model.getNDManager());
        }
        throw new IllegalArgumentException(
                "model "
                        + model.getName()
                        + " cannot generate: its block "
                        + (root == null ? "(none)" : root.getClass().getName())
                        + " is no AutoregressiveBlock");
    }

    /** Keeps to the adapters that are active in this thread; null where there are none. */
    AdapterSelection.Scope pinAdapters() {
        return adapted == null ? null : adapted.pinAdapters();
    }

    /** Makes a manager for one call. */
    NDManager newManager() {
        Device device = manager.getDevice();
        return manager.newSubManager(device);
    }
}

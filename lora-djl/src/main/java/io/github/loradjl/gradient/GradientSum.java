package io.github.loradjl.gradient;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.init.GradientFactors;
import io.github.loradjl.staged.LeafStore;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The gradients of some targets, summed over batches in float32, then reduced one after another to
 * what the start needs of them.
 */
final class GradientSum implements AutoCloseable {

    private final GradientTask task;
    private final NDManager manager;
    private final Map<LoraLinear, NDArray> sums = new LinkedHashMap<>();

    GradientSum(GradientTask task) {
        this.task = task;
        manager = task.manager().newSubManager();
    }

    /** Adds what the backward pass of one batch has left in a store, and empties the store. */
    void add(LeafStore store, Collection<LoraLinear> layers) {
        try (GradientMode mode = GradientMode.off()) {
            for (LoraLinear layer : layers) {
                NDArray gradient = store.gradient(layer.getWeightParameter());
                if (gradient != null) {
                    add(layer, gradient);
                }
            }
        }
        store.release();
    }

    private void add(LoraLinear layer, NDArray gradient) {
        NDArray sum = sums.get(layer);
        if (sum == null) {
            NDArray first = TorchOps.toFloat32(gradient);
            first.attach(manager);
            sums.put(layer, first);
        } else {
            try (NDArray wide = TorchOps.toFloat32(gradient)) {
                sum.addi(wide);
            }
        }
        gradient.close();
    }

    /** Reduces the averaged gradient of a target and frees it. */
    GradientFactors reduce(LoraLinear layer) {
        String path = layer.getPath();
        NDArray sum = sums.remove(layer);
        if (sum == null) {
            throw noGradient(path);
        }
        try (GradientMode mode = GradientMode.off();
                sum) {
            sum.divi(task.batches().size());
            requireGradient(path, TorchOps.squareSum(sum));
            return task.init()
                    .reduce(path, sum, task.counts().get(path), task.initSeed(), task.manager());
        } catch (IllegalArgumentException e) {
            throw new IllegalStateException("gradient of " + path + ": " + e.getMessage(), e);
        }
    }

    /** Requires that a gradient of some energy can be decomposed; the sign of NaN would be 0. */
    static void requireGradient(String path, double energy) {
        if (energy == 0) {
            throw noGradient(path);
        }
        if (!Double.isFinite(energy)) {
            throw new IllegalStateException(
                    "gradient of "
                            + path
                            + ": it holds NaN or infinite numbers; look for them in the weights and"
                            + " in the calibration data");
        }
    }

    static IllegalStateException noGradient(String path) {
        return new IllegalStateException(
                "target "
                        + path
                        + " receives no gradient from the calibration batches: the loss does not"
                        + " depend on it; exclude it from the targets");
    }

    @Override
    public void close() {
        manager.close();
    }
}

package io.github.loradjl.gradient;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.init.GradientKind;
import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.linalg.SingularFactors;
import io.github.loradjl.linalg.TruncatedSvd;
import io.github.loradjl.staged.LeafStore;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The gradients of some targets, summed over batches in float32, then reduced to their leading
 * singular vectors one after another.
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

    /** Decomposes the averaged gradient of a target and frees it. */
    SingularFactors reduce(LoraLinear layer) {
        NDArray sum = sums.remove(layer);
        if (sum == null) {
            throw noGradient(layer.getPath());
        }
        try (GradientMode mode = GradientMode.off();
                sum) {
            sum.divi(task.batches().size());
            String path = layer.getPath();
            int count = task.counts().get(path);
            if (task.kind() == GradientKind.SIGN) {
                try (NDArray sign = sum.sign()) {
                    return decompose(path, sign, count);
                }
            }
            return decompose(path, sum, count);
        }
    }

    private SingularFactors decompose(String path, NDArray matrix, int count) {
        SingularFactors factors;
        try {
            factors =
                    TruncatedSvd.compute(
                            matrix,
                            count,
                            task.svd().withSeed(RandomMatrix.seedFor(task.svd().seed(), path)),
                            task.manager());
        } catch (IllegalArgumentException e) {
            throw new IllegalStateException("gradient of " + path + ": " + e.getMessage(), e);
        }
        if (factors.energy() == 0) {
            factors.close();
            throw noGradient(path);
        }
        return factors;
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

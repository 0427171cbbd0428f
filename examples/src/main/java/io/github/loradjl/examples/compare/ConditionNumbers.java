package io.github.loradjl.examples.compare;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;

import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.LowRankUpdate;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.util.ArrayList;
import java.util.List;

/**
 * The condition numbers of an adapter's factors, the largest singular value over the smallest: the
 * median over the adapted layers.
 *
 * @param a of A; null where it is zero
 * @param b of B; likewise
 */
public record ConditionNumbers(Double a, Double b) {

    /** Returns those of an adapted model's adapter. */
    static ConditionNumbers of(LoraModel lora) {
        List<Double> ofA = new ArrayList<>();
        List<Double> ofB = new ArrayList<>();
        try (GradientMode mode = GradientMode.off()) {
            for (LoraLinear layer : lora.getTargets(LoraModel.DEFAULT_ADAPTER).values()) {
                LowRankUpdate update = layer.get(LoraModel.DEFAULT_ADAPTER);
                add(update.getA(), ofA);
                add(update.getB(), ofB);
            }
        }
        return new ConditionNumbers(median(ofA), median(ofB));
    }

    private static void add(NDArray factor, List<Double> numbers) {
        try (NDList usv = TorchOps.svd(factor)) {
            float[] values = usv.get(1).toFloatArray();
            if (values[0] > 0) {
                numbers.add((double) values[0] / values[values.length - 1]);
            }
        }
    }

    private static Double median(List<Double> numbers) {
        return numbers.isEmpty() ? null : Figures.median(numbers);
    }
}

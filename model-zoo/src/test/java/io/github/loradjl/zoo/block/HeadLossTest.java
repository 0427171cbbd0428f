package io.github.loradjl.zoo.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;

import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HeadLossTest {

    private NDManager manager;
    private NDArray hidden;
    private NDArray weight;
    private NDArray targets;

    @BeforeEach
    void create() {
        Engine.getInstance().setRandomSeed(5);
        manager = NDManager.newBaseManager();
        hidden = manager.randomNormal(new Shape(7, 6));
        weight = manager.randomNormal(new Shape(11, 6));
        targets = manager.create(new long[] {0, 10, 3, 3, 5, 1, 9});
    }

    @AfterEach
    void close() {
        manager.close();
    }

    /** Differentiates twice the recorded loss, or that of this class. */
    private NDArray gradient(NDArray x, NDArray w, long rows) {
        NDArray leaf = x.stopGradient().duplicate();
        leaf.setRequiresGradient(true);
        // The graph refers to the factor's memory, which ends with its handle.
        try (NDArray two = manager.create(2f);
                GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray loss =
                    rows == 0
                            ? TorchOps.crossEntropy(TorchOps.linear(leaf, w), targets)
                            // As in a model, an array that was computed.
                            : HeadLoss.mean(leaf.add(0), w, targets, rows).head();
            collector.backward(loss.mul(two));
        }
        return TorchOps.toFloat32(leaf.getGradient());
    }

    @Test
    void mean_anyNumberOfRowsAtOnce_equalsRecordedLossAndGradient() {
        NDArray expected = gradient(hidden, weight, 0);
        float loss = TorchOps.crossEntropy(TorchOps.linear(hidden, weight), targets).getFloat();
        for (long rows : new long[] {1, 3, 7, 100}) {
            assertThat(HeadLoss.mean(hidden, weight, targets, rows).head().getFloat())
                    .isCloseTo(loss, within(1e-5f));
            assertThat(HeadLoss.mean(hidden, weight, targets, rows).get(1).getFloat())
                    .isEqualTo(countCorrect());
            // Rounding of float32.
            assertThat(gradient(hidden, weight, rows).sub(expected).abs().max().getFloat())
                    .isLessThan(1e-6f);
        }
    }

    @Test
    void mean_recordedOrNot_isTheSameNumber() {
        hidden.setRequiresGradient(true);
        float quiet;
        try (GradientMode mode = GradientMode.off()) {
            quiet = HeadLoss.mean(hidden, weight, targets, 3).head().getFloat();
        }
        try (GradientMode mode = GradientMode.on()) {
            assertThat(HeadLoss.mean(hidden, weight, targets, 3).head().getFloat())
                    .isEqualTo(quiet);
        }
    }

    @Test
    void mean_bfloat16_isCloseToFloat32() {
        NDArray expected = gradient(hidden, weight, 0);
        NDArray rounded = gradient(TorchOps.toBfloat16(hidden), TorchOps.toBfloat16(weight), 3);
        // bfloat16 has 8 bits; weights and their products are rounded.
        assertThat(rounded.sub(expected).abs().max().getFloat()).isLessThan(0.03f);
    }

    @Test
    void mean_leavesOnlyTheResults() {
        try (NDManager scope = manager.newSubManager()) {
            hidden.attach(scope);
            hidden.setRequiresGradient(true);
            try (GradientMode mode = GradientMode.on()) {
                HeadLoss.mean(hidden, weight, targets, 2);
            }
            assertThat(scope.getManagedArrays()).hasSize(3);
            hidden.attach(manager);
        }
    }

    private float countCorrect() {
        float[] logits = TorchOps.toFloat32(TorchOps.linear(hidden, weight)).toFloatArray();
        long[] labels = targets.toLongArray();
        int classes = logits.length / labels.length;
        int correct = 0;
        for (int row = 0; row < labels.length; row++) {
            int best = 0;
            for (int i = 1; i < classes; i++) {
                best = logits[row * classes + i] > logits[row * classes + best] ? i : best;
            }
            correct += best == labels[row] ? 1 : 0;
        }
        return correct;
    }
}

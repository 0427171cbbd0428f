package io.github.loradjl.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.training.GradientCollector;

import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.testing.Distance;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.SplittableRandom;

/** Normalisation, activation, embedding, loss and dropout against plain DJL. */
class TorchOpsLayersTest {

    private NDManager manager;
    private SplittableRandom random;

    @BeforeEach
    void setUp() {
        manager = NDManager.newBaseManager();
        random = new SplittableRandom(22);
    }

    @AfterEach
    void tearDown() {
        manager.close();
    }

    private NDArray normal(long... dims) {
        Shape shape = new Shape(dims);
        return RandomMatrix.normal(manager, 1, shape.size(), 1, random).reshape(shape);
    }

    @Test
    void rmsNorm_dividesByTheRootMeanSquare() {
        for (float eps : new float[] {1e-6f, 0.5f}) {
            OpCheck.agrees(
                    manager,
                    x -> TorchOps.rmsNorm(x.get(0), x.get(1), eps),
                    x -> {
                        NDArray meanSquare = x.get(0).square().mean(new int[] {-1}, true);
                        return x.get(0).div(meanSquare.add(eps).sqrt()).mul(x.get(1));
                    },
                    normal(3, 4, 16),
                    normal(16));
        }
    }

    @Test
    void rmsNorm_bfloat16_squaresInFloat32() {
        // 100^2 * 64 terms summed in bfloat16 would stop growing long before the end.
        NDArray x = TorchOps.toBfloat16(manager.ones(new Shape(1, 4096)).mul(100));
        NDArray one = TorchOps.toBfloat16(manager.ones(new Shape(4096)));
        NDArray y = TorchOps.toFloat32(TorchOps.rmsNorm(x, one, 1e-6f));
        assertThat(Distance.largest(y, y.onesLike())).isZero();
    }

    @Test
    void siluProduct_isGateTimesSigmoidTimesUp() {
        OpCheck.agrees(
                manager,
                x -> TorchOps.siluProduct(x.get(0), x.get(1)),
                x -> x.get(0).mul(Activation.sigmoid(x.get(0))).mul(x.get(1)),
                normal(5, 7),
                normal(5, 7));
    }

    @Test
    void geluProduct_isTheApproximationByTanh() {
        OpCheck.agrees(
                manager,
                x -> TorchOps.geluProduct(x.get(0), x.get(1)),
                x -> {
                    NDArray g = x.get(0);
                    NDArray inner = g.add(g.pow(3).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
                    return g.mul(0.5).mul(inner.tanh().add(1)).mul(x.get(1));
                },
                normal(5, 7),
                normal(5, 7));
    }

    @Test
    void linear_isTheProductWithTheTransposedWeight() {
        OpCheck.agrees(
                manager,
                x -> TorchOps.linear(x.get(0), x.get(1)),
                x -> x.get(0).matMul(x.get(1).transpose()),
                normal(2, 5, 7),
                normal(3, 7));
    }

    @Test
    void embedding_looksUpRowsAndSumsTheirGradients() {
        // Id 1 comes twice: its row's gradient is a sum.
        NDArray ids = manager.create(new long[] {1, 4, 1, 0}, new Shape(2, 2));
        NDArray oneHot = ids.oneHot(5).toType(DataType.FLOAT64, false);
        OpCheck.agrees(
                manager,
                x -> TorchOps.embedding(x.get(0), ids),
                x -> oneHot.matMul(x.get(0)),
                normal(5, 3));
    }

    @Test
    void embedding_result_livesWithTheIds() {
        NDArray table = normal(5, 3);
        try (NDManager batch = manager.newSubManager()) {
            NDArray rows = TorchOps.embedding(table, batch.create(new long[] {2}));
            assertThat(rows.getManager()).isSameAs(batch);
        }
    }

    /** The mean or sum over the rows that count, written out with log-softmax. */
    private static NDArray plainLoss(NDArray logits, NDArray oneHot, double divisor) {
        return logits.logSoftmax(-1).mul(oneHot).sum().neg().div(divisor);
    }

    /** Rows of one-hot labels; all zero for an ignored label. */
    private NDArray oneHot(long[] labels, int classes) {
        double[] values = new double[labels.length * classes];
        for (int i = 0; i < labels.length; i++) {
            if (labels[i] != TorchOps.IGNORE_INDEX) {
                values[i * classes + (int) labels[i]] = 1;
            }
        }
        return manager.create(values, new Shape(labels.length, classes));
    }

    @Test
    void crossEntropy_ignoresLabels() {
        long[] labels = {3, -100, 0, 5, -100, 3};
        NDArray array = manager.create(labels);
        NDArray oneHot = oneHot(labels, 6);
        OpCheck.agrees(
                manager,
                x -> TorchOps.crossEntropy(x.get(0), array),
                x -> plainLoss(x.get(0), oneHot, 4),
                normal(6, 6));
        OpCheck.agrees(
                manager,
                x -> TorchOps.crossEntropySum(x.get(0), array),
                x -> plainLoss(x.get(0), oneHot, 1),
                normal(6, 6));
        NDArray logits = normal(6, 6);
        NDArray each =
                logits.toType(DataType.FLOAT64, true)
                        .logSoftmax(-1)
                        .mul(oneHot)
                        .sum(new int[] {1})
                        .neg();
        // Some roundings of float32 at a magnitude of a few units.
        assertThat(Distance.largest(TorchOps.crossEntropyEach(logits, array), each))
                .isLessThan(2e-6);
    }

    @Test
    void crossEntropy_isFloat32AlsoForBfloat16() {
        NDArray labels = manager.create(new long[] {1, 0});
        NDArray logits = TorchOps.toBfloat16(normal(2, 3));
        NDArray loss = TorchOps.crossEntropy(logits, labels);
        assertThat(loss.getDataType()).isEqualTo(DataType.FLOAT32);
        NDArray wide = TorchOps.crossEntropy(TorchOps.toFloat32(logits), labels);
        assertThat(loss).isEqualTo(wide);
    }

    @Test
    void crossEntropy_allIgnored_isNaNAsMeanAndZeroAsSum() {
        NDArray labels = manager.create(new long[] {-100, -100});
        NDArray logits = normal(2, 3);
        assertThat(TorchOps.crossEntropy(logits, labels).toFloatArray()[0]).isNaN();
        assertThat(TorchOps.crossEntropySum(logits, labels).toFloatArray()[0]).isZero();
    }

    @Test
    void takeRows_copiesThemInTheirNewOrder() {
        NDArray x = normal(3, 2, 2);
        NDArray rows = TorchOps.takeRows(x, manager.create(new long[] {2, 0}));
        assertThat(rows).isEqualTo(NDArrays.stack(new NDList(x.get(2), x.get(0))));
        NDArray narrow = TorchOps.takeRows(TorchOps.toBfloat16(x), manager.create(new long[] {1}));
        assertThat(TorchOps.toFloat32(narrow))
                .isEqualTo(TorchOps.toFloat32(TorchOps.toBfloat16(x.get("1:2"))));
    }

    @Test
    void requiresGradient_followsWhatWasRecorded() {
        NDArray x = normal(2, 3);
        assertThat(TorchOps.requiresGradient(x)).isFalse();
        x.setRequiresGradient(true);
        assertThat(TorchOps.requiresGradient(x)).isTrue();
        try (GradientMode mode = GradientMode.on()) {
            assertThat(TorchOps.requiresGradient(x.mul(2))).isTrue();
        }
        try (GradientMode mode = GradientMode.off()) {
            assertThat(TorchOps.requiresGradient(x.mul(2))).isFalse();
        }
    }

    @Test
    void crossEntropyGradient_withGradient_equalsTheRecordedLoss() {
        long[] labels = {3, 1, 0, 5};
        NDArray array = manager.create(labels);
        NDArray oneHot = oneHot(labels, 6);
        OpCheck.agrees(
                manager,
                x -> {
                    NDArray logits = x.get(0).duplicate();
                    NDList known = TorchOps.crossEntropyGradient(logits, array);
                    return TorchOps.withGradient(x.get(0), known.get(0), known.get(1));
                },
                x -> plainLoss(x.get(0), oneHot, 1),
                normal(4, 6));
    }

    @Test
    void nextTokenRows_pairsEachPositionWithTheNextLabel() {
        // The first label of a row is never predicted, the last position predicts nothing.
        long[] labels = {7, -100, 8, 9, 6, 5, -100, -100};
        NDArray array = manager.create(labels, new Shape(2, 4));
        NDArray rows = manager.create(new long[] {1, 2, 4});
        NDArray x = normal(2, 4, 3);
        NDList kept = TorchOps.nextTokenRows(x, array);
        assertThat(kept.get(1).toLongArray()).containsExactly(8, 9, 5);
        assertThat(kept.get(0)).isEqualTo(x.reshape(8, 3).get(rows));
        OpCheck.agrees(
                manager,
                v -> TorchOps.nextTokenRows(v.get(0), array).get(0),
                v -> v.get(0).reshape(8, 3).get(rows),
                x);
    }

    @Test
    void scale_isAProductOfTheSameType() {
        NDArray x = normal(3, 4);
        NDArray half = manager.full(x.getShape(), 0.5f);
        OpCheck.agrees(manager, v -> TorchOps.scale(v.get(0), 0.5), v -> v.get(0).mul(half), x);
        assertThat(TorchOps.elementSize(TorchOps.scale(TorchOps.toBfloat16(x), 0.5))).isEqualTo(2);
    }

    @Test
    void labelledRows_pairsEachPositionWithItsLabel() {
        long[] labels = {7, -100, 8, -100, 6, -100};
        NDArray array = manager.create(labels, new Shape(2, 3));
        NDArray rows = manager.create(new long[] {0, 2, 4});
        NDArray x = normal(2, 3, 3);
        NDList kept = TorchOps.labelledRows(x, array);
        assertThat(kept.get(1).toLongArray()).containsExactly(7, 8, 6);
        assertThat(kept.get(0)).isEqualTo(x.reshape(6, 3).get(rows));
        OpCheck.agrees(
                manager,
                v -> TorchOps.labelledRows(v.get(0), array).get(0),
                v -> v.get(0).reshape(6, 3).get(rows),
                x);
    }

    @Test
    void nextTokenRows_nothingKept_isEmpty() {
        NDArray labels = manager.create(new long[] {1, -100, -100}, new Shape(1, 3));
        NDList kept = TorchOps.nextTokenRows(normal(1, 3, 2), labels);
        assertThat(kept.get(0).getShape()).isEqualTo(new Shape(0, 2));
        assertThat(kept.get(1).getShape()).isEqualTo(new Shape(0));
    }

    @Test
    void dropout_keepsTheMeanAndMasksTheGradientAlike() {
        double rate = 0.3;
        int n = 20_000;
        for (boolean narrow : new boolean[] {false, true}) {
            NDArray ones = manager.ones(new Shape(n));
            NDArray x = narrow ? TorchOps.toBfloat16(ones) : ones;
            x.setRequiresGradient(true);
            manager.getEngine().setRandomSeed(5);
            NDArray y;
            try (GradientCollector collector = manager.getEngine().newGradientCollector()) {
                y = TorchOps.dropout(x, rate);
                collector.backward(TorchOps.toFloat32(y).sum());
            }
            float[] values = TorchOps.toFloat32(y.stopGradient()).toFloatArray();
            int zeros = 0;
            for (float value : values) {
                zeros += value == 0 ? 1 : 0;
                // 1 / 0.7 in bfloat16 is off by up to 2^-8 of itself.
                assertThat(value == 0 || Math.abs(value - 1 / 0.7) < 0.006).isTrue();
            }
            // Five standard errors of a share of 0.3.
            double error = Math.sqrt(rate * (1 - rate) / n);
            assertThat(zeros / (double) n).isCloseTo(rate, within(5 * error));
            // The input is all ones, so the gradient is the output.
            assertThat(Distance.absolute(x.getGradient(), y.stopGradient())).isZero();
            manager.getEngine().setRandomSeed(5);
            assertThat(Distance.absolute(TorchOps.dropout(x, rate), y.stopGradient())).isZero();
            assertThat(Distance.absolute(TorchOps.dropout(x, rate), y.stopGradient())).isPositive();
        }
    }
}

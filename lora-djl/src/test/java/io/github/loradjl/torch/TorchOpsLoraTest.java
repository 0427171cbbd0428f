package io.github.loradjl.torch;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;

import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.testing.Distance;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.SplittableRandom;

/** The low-rank branch of a linear layer, in its three forms. */
class TorchOpsLoraTest {

    private static final int M = 9;
    private static final int N = 13;
    private static final int R = 4;
    private static final double ETA = 1.7;

    private NDManager manager;
    private SplittableRandom random;

    @BeforeEach
    void setUp() {
        manager = NDManager.newBaseManager();
        random = new SplittableRandom(23);
    }

    @AfterEach
    void tearDown() {
        manager.close();
    }

    private NDArray normal(long... dims) {
        Shape shape = new Shape(dims);
        return RandomMatrix.normal(manager, 1, shape.size(), 0.5, random).reshape(shape);
    }

    private static NDArray branch(NDArray x, NDArray a, NDArray b) {
        return x.matMul(a.transpose()).matMul(b.transpose()).mul(ETA);
    }

    private static void assertSameBits(NDArray actual, NDArray expected) {
        if (expected.getDataType() == DataType.UNKNOWN) {
            assertThat(TorchOps.bfloat16AsBytes(actual).toByteArray())
                    .isEqualTo(TorchOps.bfloat16AsBytes(expected).toByteArray());
        } else {
            assertThat(actual.toByteArray()).isEqualTo(expected.toByteArray());
        }
    }

    @Test
    void loraLinear_isTheWeightPlusTheScaledProduct() {
        OpCheck.agrees(
                manager,
                x -> TorchOps.loraLinear(x.get(0), x.get(1), x.get(2), x.get(3), ETA),
                x ->
                        x.get(0)
                                .matMul(x.get(1).transpose())
                                .add(branch(x.get(0), x.get(2), x.get(3))),
                normal(2, 5, N),
                normal(M, N),
                normal(R, N),
                normal(M, R));
    }

    @Test
    void addLora_addsTheScaledProduct() {
        OpCheck.agrees(
                manager,
                x -> TorchOps.addLora(x.get(0), x.get(1), x.get(2), x.get(3), ETA),
                x -> x.get(0).add(branch(x.get(1), x.get(2), x.get(3))),
                normal(2, 5, M),
                normal(2, 5, N),
                normal(R, N),
                normal(M, R));
    }

    @Test
    void addLoraDifference_addsTheScaledDifferenceOfTheProducts() {
        OpCheck.agrees(
                manager,
                x ->
                        TorchOps.addLoraDifference(
                                x.get(0), x.get(1), x.get(2), x.get(3), x.get(4), x.get(5), ETA),
                x ->
                        x.get(0)
                                .add(branch(x.get(1), x.get(2), x.get(3)))
                                .sub(branch(x.get(1), x.get(4), x.get(5))),
                normal(2, 5, M),
                normal(2, 5, N),
                normal(R, N),
                normal(M, R),
                normal(R, N),
                normal(M, R));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void start_differenceOfEqualPairs_isTheBaseToTheLastBit(boolean narrow) {
        NDArray a = normal(R, N).mul(30);
        NDArray b = normal(M, R).mul(30);
        // Rows that take the matrix-vector path of the product and rows that take the blocked one.
        for (int rows : new int[] {1, 2, 5, 64, 257}) {
            NDArray x = typed(normal(rows, N), narrow);
            NDArray y = typed(normal(rows, M), narrow);
            NDArray same =
                    TorchOps.addLoraDifference(y, x, a.duplicate(), b.duplicate(), a, b, ETA);
            assertSameBits(same, y);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void start_oneFactorZero_isTheBaseToTheLastBit(boolean narrow) {
        NDArray weight = typed(normal(M, N), narrow);
        NDArray a = normal(R, N);
        NDArray b = normal(M, R);
        for (int rows : new int[] {1, 2, 5, 64, 257}) {
            NDArray x = typed(normal(rows, N), narrow);
            NDArray y = TorchOps.linear(x, weight);
            assertSameBits(TorchOps.loraLinear(x, weight, a, b.zerosLike(), ETA), y);
            assertSameBits(TorchOps.loraLinear(x, weight, a.zerosLike(), b, ETA), y);
            assertSameBits(TorchOps.addLora(y, x, a, b.zerosLike(), ETA), y);
            assertSameBits(TorchOps.addLora(y, x, a.zerosLike(), b, ETA), y);
        }
    }

    private static NDArray typed(NDArray x, boolean narrow) {
        return narrow ? TorchOps.toBfloat16(x) : x;
    }

    @Test
    void bfloat16Base_floatFactors_giveFloatGradients() {
        NDArray x = TorchOps.toBfloat16(normal(6, N));
        NDArray weight = TorchOps.toBfloat16(normal(M, N));
        NDArray a = normal(R, N);
        NDArray b = normal(M, R);
        a.setRequiresGradient(true);
        b.setRequiresGradient(true);
        try (GradientCollector collector = manager.getEngine().newGradientCollector()) {
            NDArray y = TorchOps.loraLinear(x, weight, a, b, ETA);
            assertThat(y.getDataType()).isEqualTo(DataType.UNKNOWN);
            collector.backward(TorchOps.toFloat32(y).sum());
        }
        NDArray wide = TorchOps.toFloat32(x);
        NDArray ones = manager.ones(new Shape(6, M));
        // With the sum as loss dY is all ones: dA = eta B^T dY^T X, dB = eta dY^T X A^T.
        NDArray gradient = ones.transpose().matMul(wide).mul(ETA);
        NDArray plainB = b.stopGradient();
        NDArray plainA = a.stopGradient();
        assertThat(a.getGradient().getDataType()).isEqualTo(DataType.FLOAT32);
        assertThat(Distance.relative(a.getGradient(), plainB.transpose().matMul(gradient)))
                .isLessThan(OpCheck.BFLOAT16);
        assertThat(Distance.relative(b.getGradient(), gradient.matMul(plainA.transpose())))
                .isLessThan(OpCheck.BFLOAT16);
    }

    @Test
    void inputs_areNotChanged() {
        NDArray x = normal(3, N);
        NDArray y = normal(3, M);
        NDArray weight = normal(M, N);
        NDArray a = normal(R, N);
        NDArray b = normal(M, R);
        NDArray[] inputs = {x, y, weight, a, b};
        NDArray[] before = new NDArray[inputs.length];
        for (int i = 0; i < inputs.length; i++) {
            before[i] = inputs[i].duplicate();
        }
        TorchOps.loraLinear(x, weight, a, b, ETA);
        TorchOps.addLora(y, x, a, b, ETA);
        TorchOps.addLoraDifference(y, x, a, b, a.mul(2), b, ETA);
        for (int i = 0; i < inputs.length; i++) {
            assertThat(inputs[i]).isEqualTo(before[i]);
        }
    }
}

package io.github.loradjl.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;

import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.testing.Distance;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;
import java.util.SplittableRandom;

/** Decompositions, inner products, norms and the update of AdamW. */
class TorchOpsLinalgTest {

    private NDManager manager;
    private SplittableRandom random;

    @BeforeEach
    void setUp() {
        manager = NDManager.newBaseManager();
        random = new SplittableRandom(24);
    }

    @AfterEach
    void tearDown() {
        manager.close();
    }

    private NDArray normal(long rows, long columns) {
        return RandomMatrix.normal(manager, rows, columns, 1, random);
    }

    @ParameterizedTest
    @CsvSource({"7,4", "4,7", "5,5", "1,3"})
    void svd_rebuildsFromOrthonormalFactorsAndDescendingValues(int m, int n) {
        NDArray x = normal(m, n);
        int k = Math.min(m, n);
        NDList usv = TorchOps.svd(x);
        NDArray u = usv.get(0);
        NDArray s = usv.get(1);
        NDArray vt = usv.get(2);
        assertThat(u.getShape()).isEqualTo(new Shape(m, k));
        assertThat(vt.getShape()).isEqualTo(new Shape(k, n));
        assertThat(Distance.relative(u.mul(s).matMul(vt), x)).isLessThan(OpCheck.FLOAT32);
        assertThat(Distance.largest(u.transpose().matMul(u), manager.eye(k)))
                .isLessThan(OpCheck.FLOAT32);
        assertThat(Distance.largest(vt.matMul(vt.transpose()), manager.eye(k)))
                .isLessThan(OpCheck.FLOAT32);
        float[] values = s.toFloatArray();
        for (int i = 1; i < k; i++) {
            assertThat(values[i]).isBetween(0f, values[i - 1]);
        }
    }

    @Test
    void svd_gradientOfTheSumOfValues_isUTimesVt() {
        NDArray x = normal(6, 4);
        x.setRequiresGradient(true);
        NDArray expected;
        try (GradientCollector collector = manager.getEngine().newGradientCollector()) {
            NDList usv = TorchOps.svd(x);
            expected = usv.get(0).stopGradient().matMul(usv.get(2).stopGradient());
            collector.backward(usv.get(1).sum());
        }
        assertThat(Distance.relative(x.getGradient(), expected)).isLessThan(1e-5);
    }

    @ParameterizedTest
    @CsvSource({"7,4", "4,7", "5,5"})
    void qr_rebuildsFromOrthonormalColumnsAndATriangle(int m, int n) {
        NDArray x = normal(m, n);
        int k = Math.min(m, n);
        NDList qr = TorchOps.qr(x);
        NDArray q = qr.get(0);
        NDArray r = qr.get(1);
        assertThat(q.getShape()).isEqualTo(new Shape(m, k));
        assertThat(r.getShape()).isEqualTo(new Shape(k, n));
        assertThat(Distance.relative(q.matMul(r), x)).isLessThan(OpCheck.FLOAT32);
        assertThat(Distance.largest(q.transpose().matMul(q), manager.eye(k)))
                .isLessThan(OpCheck.FLOAT32);
        float[] entries = r.toFloatArray();
        for (int i = 1; i < k; i++) {
            for (int j = 0; j < i; j++) {
                assertThat(entries[i * n + j]).isZero();
            }
        }
    }

    @Test
    void qr_gradientThroughTheProduct_isThatOfTheMatrix() {
        NDArray x = normal(6, 4);
        NDArray direction = normal(6, 4);
        x.setRequiresGradient(true);
        try (GradientCollector collector = manager.getEngine().newGradientCollector()) {
            NDList qr = TorchOps.qr(x);
            collector.backward(qr.get(0).matMul(qr.get(1)).mul(direction).sum());
        }
        assertThat(Distance.relative(x.getGradient(), direction)).isLessThan(1e-5);
    }

    @Test
    void inner_isTheSumOfProductsInFloat32() {
        OpCheck.agrees(
                manager,
                x -> TorchOps.inner(x.get(0), x.get(1)),
                x -> x.get(0).mul(x.get(1)).sum(),
                normal(4, 6),
                normal(4, 6));
        NDArray narrow = TorchOps.toBfloat16(normal(4, 6));
        assertThat(TorchOps.inner(narrow, narrow).getDataType()).isEqualTo(DataType.FLOAT32);
    }

    @Test
    void squareSum_isAccumulatedInDoublePrecision() {
        // 1 + 2^24 times 2^-24: float32 would lose every one of the small terms.
        float small = (float) Math.pow(2, -12);
        NDArray x = manager.full(new Shape(1 << 20), small, DataType.FLOAT32);
        x.set(new NDIndex("0"), 64);
        double expected = 64.0 * 64 + ((1 << 20) - 1) * Math.pow(2, -24);
        assertThat(TorchOps.squareSum(x)).isCloseTo(expected, within(1e-9));
        assertThat(TorchOps.squareSum(TorchOps.toBfloat16(x))).isCloseTo(expected, within(1e-9));
    }

    @Test
    void globalNorm_isThatOfAllArraysTogether() {
        NDArray x = manager.create(new float[] {3, 0});
        NDArray y = manager.create(new float[][] {{0, 4}, {12, 0}});
        x.setName("x");
        y.setName("a.dotted.name");
        assertThat(TorchOps.globalNorm(List.of(x, y))).isCloseTo(13, within(1e-5f));
        assertThat(TorchOps.globalNorm(List.of(y)))
                .isCloseTo((float) Math.sqrt(160), within(1e-5f));
        assertThat(x.getName()).isEqualTo("x");
        assertThat(y.getName()).isEqualTo("a.dotted.name");
    }

    @Test
    void scaleAll_multipliesInPlace() {
        NDArray x = manager.create(new float[] {3, -1});
        NDArray y = manager.create(new float[][] {{0.5f, 4}});
        x.setRequiresGradient(true);
        TorchOps.scaleAll(List.of(x, y), 0.25);
        assertThat(x.toFloatArray()).containsExactly(0.75f, -0.25f);
        assertThat(y.toFloatArray()).containsExactly(0.125f, 1);
    }

    @Test
    void adamw_followsTheFormulaInDoublePrecision() {
        double lr = 0.01;
        double beta1 = 0.9;
        double beta2 = 0.99;
        double eps = 1e-3;
        double decay = 0.1;
        int n = 50;
        NDArray weight = normal(1, n);
        weight.setRequiresGradient(true);
        NDArray mean = manager.zeros(new Shape(1, n));
        NDArray square = manager.zeros(new Shape(1, n));
        float[] start = weight.toFloatArray();
        double[] w = new double[n];
        double[] m = new double[n];
        double[] v = new double[n];
        for (int i = 0; i < n; i++) {
            w[i] = start[i];
        }
        for (int t = 1; t <= 20; t++) {
            NDArray gradient = normal(1, n);
            float[] g = gradient.toFloatArray();
            double correction1 = 1 - Math.pow(beta1, t);
            double root2 = Math.sqrt(1 - Math.pow(beta2, t));
            for (int i = 0; i < n; i++) {
                w[i] *= 1 - lr * decay;
                m[i] = beta1 * m[i] + (1 - beta1) * g[i];
                v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
                w[i] -= lr / correction1 * m[i] / (Math.sqrt(v[i]) / root2 + eps);
            }
            NDArray hyper =
                    manager.create(new double[] {lr, beta1, beta2, eps, decay, correction1, root2});
            TorchOps.adamw(weight, gradient, mean, square, hyper);
        }
        // Twenty steps of a few float32 roundings each.
        assertThat(Distance.largest(weight.stopGradient(), manager.create(w, new Shape(1, n))))
                .isLessThan(20 * 2e-7);
        assertThat(Distance.largest(mean, manager.create(m, new Shape(1, n)))).isLessThan(1e-6);
        assertThat(Distance.largest(square, manager.create(v, new Shape(1, n)))).isLessThan(1e-6);
    }
}

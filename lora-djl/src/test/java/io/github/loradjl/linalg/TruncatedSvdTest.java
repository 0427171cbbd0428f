package io.github.loradjl.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.torch.TorchOps;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.SplittableRandom;

class TruncatedSvdTest {

    private static final SvdOptions EXACT = SvdOptions.builder().optExact(true).build();
    private static final SvdOptions SAMPLED = SvdOptions.defaults();

    private NDManager manager;

    @BeforeEach
    void setUp() {
        manager = NDManager.newBaseManager();
    }

    @AfterEach
    void tearDown() {
        manager.close();
    }

    /** U diag(ratio^i) V^T with random orthonormal U and V. */
    private NDArray decaying(long m, long n, double ratio, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int k = (int) Math.min(m, n);
        NDArray u =
                TruncatedSvd.orthonormalise(RandomMatrix.normal(manager, m, k, 1, random), manager);
        NDArray v =
                TruncatedSvd.orthonormalise(RandomMatrix.normal(manager, n, k, 1, random), manager);
        float[] s = new float[k];
        for (int i = 0; i < k; i++) {
            s[i] = (float) Math.pow(ratio, i);
        }
        return u.mul(manager.create(s)).matMul(v.transpose());
    }

    private static float distance(NDArray x, NDArray y) {
        return x.sub(y).norm().toFloatArray()[0];
    }

    @ParameterizedTest
    @CsvSource({"40,24", "24,40", "30,30", "1,7", "7,1", "1,1", "2,3"})
    void compute_exactWithAllTriplets_rebuildsTheMatrix(long m, long n) {
        NDArray x = RandomMatrix.normal(manager, m, n, 1, new SplittableRandom(m * 100 + n));
        int k = (int) Math.min(m, n);
        SingularFactors f = TruncatedSvd.compute(x, k, EXACT, manager);
        NDArray rebuilt = f.u().mul(f.s()).matMul(f.vt());
        // A backward stable decomposition in float32 leaves a small multiple of 2^-24 ||M||.
        assertThat(distance(rebuilt, x)).isLessThan(2e-6f * x.norm().toFloatArray()[0]);
        assertThat(f.captured(k)).isCloseTo(1, within(1e-5));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.6, 0.8, 0.9})
    void compute_sampledDecayingSpectrum_matchesExact(double ratio) {
        NDArray x = decaying(120, 80, ratio, 5);
        int k = 8;
        SingularFactors exact = TruncatedSvd.compute(x, k, EXACT, manager);
        SingularFactors sampled = TruncatedSvd.compute(x, k, SAMPLED, manager);
        float[] expected = exact.s().toFloatArray();
        float[] actual = sampled.s().toFloatArray();
        for (int i = 0; i < k; i++) {
            assertThat(expected[i]).isCloseTo((float) Math.pow(ratio, i), within(2e-6f));
            // q = 16 columns and two power iterations damp the tail by ratio^(5 (17 - i)): at
            // most 0.9^45 = 0.009 for ratio 0.9, squared in the singular value.
            assertThat(actual[i]).isCloseTo(expected[i], within(1e-3f * expected[i]));
        }
        float[] left = Subspaces.columnCosines(exact.u(), sampled.u());
        float[] right = Subspaces.rowCosines(exact.vt(), sampled.vt());
        // The same damping, for the worst angle: sin at most about 0.009, cosine 1 - 0.00004;
        // the factor ten covers the constant of the random test matrix.
        assertThat(left[k - 1]).isGreaterThan(1 - 4e-4f);
        assertThat(right[k - 1]).isGreaterThan(1 - 4e-4f);
    }

    @Test
    void compute_morePowerIterations_isSharper() {
        NDArray x = decaying(120, 80, 0.95, 6);
        SingularFactors exact = TruncatedSvd.compute(x, 8, EXACT, manager);
        float[] worst = new float[3];
        for (int i = 0; i < 3; i++) {
            SvdOptions options = SvdOptions.builder().optPowerIterations(i).build();
            SingularFactors sampled = TruncatedSvd.compute(x, 8, options, manager);
            worst[i] = Subspaces.columnCosines(exact.u(), sampled.u())[7];
        }
        assertThat(worst[0]).isLessThan(worst[1]);
        assertThat(worst[1]).isLessThan(worst[2]);
    }

    @Test
    void compute_manyPowerIterationsOnSteepSpectrum_keepsAllDirections() {
        // Without the QR between passes 0.3^(8 * 11) would vanish in float32.
        NDArray x = decaying(60, 50, 0.3, 7);
        SvdOptions options = SvdOptions.builder().optPowerIterations(5).build();
        SingularFactors f = TruncatedSvd.compute(x, 8, options, manager);
        float[] s = f.s().toFloatArray();
        for (int i = 0; i < 8; i++) {
            // Rounding of M itself: 2^-24 of the largest singular value, which is 1.
            assertThat(s[i]).isCloseTo((float) Math.pow(0.3, i), within(1e-6f));
        }
    }

    @Test
    void compute_sameSeed_isEqualToTheLastBit() {
        NDArray x = decaying(90, 70, 0.9, 8);
        SingularFactors first = TruncatedSvd.compute(x, 6, SAMPLED, manager);
        SingularFactors second = TruncatedSvd.compute(x, 6, SAMPLED, manager);
        SingularFactors other = TruncatedSvd.compute(x, 6, SAMPLED.withSeed(1), manager);
        assertThat(first.u()).isEqualTo(second.u());
        assertThat(first.s()).isEqualTo(second.s());
        assertThat(first.vt()).isEqualTo(second.vt());
        assertThat(first.vt()).isNotEqualTo(other.vt());
    }

    @Test
    void compute_leavesTheEnginesGeneratorAlone() {
        NDArray x = decaying(90, 70, 0.9, 8);
        manager.getEngine().setRandomSeed(3);
        NDArray expected = manager.randomNormal(new Shape(5));
        manager.getEngine().setRandomSeed(3);
        TruncatedSvd.compute(x, 6, SAMPLED, manager);
        assertThat(manager.randomNormal(new Shape(5))).isEqualTo(expected);
    }

    @Test
    void compute_fixesSigns_largestEntryOfLeftVectorsPositive() {
        NDArray x = decaying(50, 30, 0.8, 9);
        for (SvdOptions options : new SvdOptions[] {EXACT, SAMPLED}) {
            SingularFactors f = TruncatedSvd.compute(x, 7, options, manager);
            SingularFactors negated = TruncatedSvd.compute(x.neg(), 7, options, manager);
            float[] u = f.u().toFloatArray();
            for (int j = 0; j < 7; j++) {
                float largest = 0;
                for (int i = 0; i < 50; i++) {
                    float entry = u[i * 7 + j];
                    largest = Math.abs(entry) > Math.abs(largest) ? entry : largest;
                }
                assertThat(largest).isPositive();
            }
            // The left vectors of -M are those of M, so all of the sign is in the right ones.
            assertThat(distance(f.u(), negated.u())).isLessThan(1e-4f);
            assertThat(distance(f.vt(), negated.vt().neg())).isLessThan(1e-4f);
            NDArray along = f.u().transpose().matMul(x).mul(f.vt()).sum(new int[] {1});
            // u_i^T M v_i = s_i, which fails if only one of the two was flipped.
            assertThat(distance(along, f.s())).isLessThan(1e-4f);
        }
    }

    @Test
    void compute_basisWouldReachTheSmallerSide_isExact() {
        NDArray x = RandomMatrix.normal(manager, 40, 9, 1, new SplittableRandom(4));
        SingularFactors exact = TruncatedSvd.compute(x, 5, EXACT, manager);
        SingularFactors capped = TruncatedSvd.compute(x, 5, SAMPLED, manager);
        assertThat(capped.u()).isEqualTo(exact.u());
        assertThat(capped.vt()).isEqualTo(exact.vt());
    }

    @Test
    void compute_result_isRowMajorSmallAndOnlyItStaysWithTheManager() {
        NDArray x = decaying(50, 30, 0.8, 9);
        try (NDManager owner = manager.newSubManager()) {
            for (SvdOptions options : new SvdOptions[] {EXACT, SAMPLED}) {
                int arrays = manager.getManagedArrays().size();
                try (SingularFactors f = TruncatedSvd.compute(x, 4, options, owner)) {
                    assertThat(owner.getManagedArrays()).hasSize(3);
                    assertThat(f.u().getShape()).isEqualTo(new Shape(50, 4));
                    assertThat(f.s().getShape()).isEqualTo(new Shape(4));
                    assertThat(f.vt().getShape()).isEqualTo(new Shape(4, 30));
                }
                assertThat(owner.getManagedArrays()).isEmpty();
                assertThat(manager.getManagedArrays()).hasSize(arrays);
            }
        }
    }

    @Test
    void compute_bfloat16_isThatOfTheWidenedMatrix() {
        NDArray narrow = TorchOps.toBfloat16(decaying(50, 30, 0.8, 9));
        SingularFactors f = TruncatedSvd.compute(narrow, 4, SAMPLED, manager);
        NDArray wide = TorchOps.toFloat32(narrow);
        assertThat(f.s()).isEqualTo(TruncatedSvd.compute(wide, 4, SAMPLED, manager).s());
    }

    @Test
    void compute_zeroMatrix_hasZeroValuesAndNoEnergy() {
        NDArray zeros = manager.zeros(new Shape(30, 20), DataType.FLOAT32);
        SingularFactors f = TruncatedSvd.compute(zeros, 3, SAMPLED, manager);
        assertThat(f.s().toFloatArray()).containsExactly(0, 0, 0);
        assertThat(f.captured(3)).isZero();
        assertThat(Float.isFinite(TorchOps.globalNorm(List.of(f.u(), f.vt())))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
    void compute_notFinite_isRefused(float bad) {
        NDArray x = manager.create(new float[] {1, 2, bad, 4}, new Shape(2, 2));
        assertThatThrownBy(() -> TruncatedSvd.compute(x, 1, SAMPLED, manager))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("(2, 2)")
                .hasMessageContaining("NaN");
    }

    @Test
    void compute_tooManyTripletsOrNoMatrix_isRefused() {
        NDArray x = manager.ones(new Shape(4, 3));
        assertThatThrownBy(() -> TruncatedSvd.compute(x, 4, SAMPLED, manager))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("4 singular triplets")
                .hasMessageContaining("(4, 3), which has 3");
        NDArray vector = manager.ones(new Shape(4));
        assertThatThrownBy(() -> TruncatedSvd.compute(vector, 1, SAMPLED, manager))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("needs a matrix");
    }

    @Test
    void fromRange_wholeRange_isTheExactDecomposition() {
        NDArray x = decaying(50, 30, 0.8, 9);
        NDArray y = RandomMatrix.normal(manager, 30, 30, 1, new SplittableRandom(2));
        NDArray basis = TruncatedSvd.orthonormalise(x.matMul(y), manager);
        NDArray projected = basis.transpose().matMul(x);
        SingularFactors f = TruncatedSvd.fromRange(basis, projected, 5, 1.25, manager);
        SingularFactors exact = TruncatedSvd.compute(x, 5, EXACT, manager);
        assertThat(f.energy()).isEqualTo(1.25);
        // Well separated vectors: float32 rounding over a gap of 0.2 of the singular value.
        assertThat(distance(f.u(), exact.u())).isLessThan(1e-4f);
        assertThat(distance(f.vt(), exact.vt())).isLessThan(1e-4f);
        assertThat(distance(f.s(), exact.s())).isLessThan(1e-5f);
    }

    @Test
    void basisSize_isCappedByTheSmallerSide() {
        SvdOptions options = SvdOptions.builder().optOversampling(2.5).build();
        assertThat(options.basisSize(3, 100, 90)).isEqualTo(8);
        assertThat(options.basisSize(3, 100, 5)).isEqualTo(5);
        assertThat(options.basisSize(3, 1, 90)).isEqualTo(1);
    }

    @Test
    void options_outOfRange_areRefused() {
        assertThatThrownBy(() -> SvdOptions.builder().optOversampling(0.5).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("oversampling is 0.5");
        assertThatThrownBy(() -> SvdOptions.builder().optPowerIterations(-1).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("powerIterations is -1");
    }
}

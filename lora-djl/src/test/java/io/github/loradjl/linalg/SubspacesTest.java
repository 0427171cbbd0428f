package io.github.loradjl.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.SplittableRandom;

class SubspacesTest {

    private NDManager manager;

    @BeforeEach
    void setUp() {
        manager = NDManager.newBaseManager();
    }

    @AfterEach
    void tearDown() {
        manager.close();
    }

    @Test
    void columnCosines_planesThatShareALine_giveOneAndTheirAngle() {
        // span(e1, e2) and span(e1, cos(60) e2 + sin(60) e3).
        float root = (float) Math.sqrt(0.75);
        NDArray x = manager.create(new float[] {1, 0, 0, 1, 0, 0}, new Shape(3, 2));
        NDArray y = manager.create(new float[] {1, 0, 0, 0.5f, 0, root}, new Shape(3, 2));
        float[] cosines = Subspaces.columnCosines(x, y);
        assertThat(cosines).hasSize(2);
        assertThat(cosines[0]).isCloseTo(1, within(1e-6f));
        assertThat(cosines[1]).isCloseTo(0.5f, within(1e-6f));
        assertThat(Subspaces.rowCosines(x.transpose(), y.transpose())).isEqualTo(cosines);
    }

    @Test
    void columnCosines_turnedBasisInALargerSpace_areAllOne() {
        SplittableRandom random = new SplittableRandom(1);
        NDArray y =
                TruncatedSvd.orthonormalise(
                        RandomMatrix.normal(manager, 20, 6, 1, random), manager);
        NDArray turn =
                TruncatedSvd.orthonormalise(RandomMatrix.normal(manager, 6, 4, 1, random), manager);
        float[] cosines = Subspaces.columnCosines(y.matMul(turn), y);
        assertThat(cosines).hasSize(4);
        // Rounding of inner products of 20 terms in float32.
        assertThat(cosines[3]).isCloseTo(1, within(2e-6f));
    }

    @Test
    void cosine_knownVectors_isTheirs() {
        NDArray x = manager.create(new float[] {3, 0, 0, 4}, new Shape(2, 2));
        NDArray y = manager.create(new float[] {0, 0, 0, -2}, new Shape(2, 2));
        assertThat(Subspaces.cosine(x, y)).isCloseTo(-0.8, within(1e-7));
        assertThat(Subspaces.cosine(x, x.zerosLike())).isZero();
    }

    @Test
    void bestCosine_isThatOfTheTruncatedMatrix() {
        NDArray x = RandomMatrix.normal(manager, 12, 9, 1, new SplittableRandom(2));
        SvdOptions exact = SvdOptions.builder().optExact(true).build();
        SingularFactors f = TruncatedSvd.compute(x, 3, exact, manager);
        NDArray best = f.u().mul(f.s()).matMul(f.vt());
        assertThat(Subspaces.bestCosine(f, 3)).isCloseTo(Subspaces.cosine(best, x), within(1e-6));
        assertThatThrownBy(() -> Subspaces.bestCosine(f, 4))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("4 triplets of 3");
    }

    @Test
    void separated_findsTheLargestCountBeforeAGap() {
        NDArray s = manager.create(new float[] {8, 4, 3.9f, 2, 1.99f});
        SingularFactors f = new SingularFactors(s, s, s, 1);
        assertThat(Subspaces.separated(f, 5, 1.05)).isEqualTo(3);
        assertThat(Subspaces.separated(f, 2, 1.05)).isEqualTo(1);
        assertThat(Subspaces.separated(f, 4, 3)).isZero();
    }
}

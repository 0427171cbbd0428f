package io.github.loradjl.init;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.linalg.TruncatedSvd;
import io.github.loradjl.torch.TorchOps;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.SplittableRandom;

/** LoRA-GA's start where A and B are fitted to the first Adam step. */
class LoraGaInitAdamTest {

    private static final int M = 40;
    private static final int N = 24;
    private static final int R = 4;
    private static final double ETA = 6;
    private static final long SEED = 3;

    private NDManager manager;
    private NDArray weight;
    private NDArray gradient;

    @BeforeEach
    void setUp() {
        manager = NDManager.newBaseManager();
        SplittableRandom random = new SplittableRandom(11);
        weight = RandomMatrix.normal(manager, M, N, 0.1, random);
        gradient = RandomMatrix.normal(manager, M, N, 1e-3, random);
    }

    @AfterEach
    void tearDown() {
        manager.close();
    }

    private static LoraGaInit.Builder adam() {
        return LoraGaInit.builder().optGradientKind(GradientKind.ADAM);
    }

    private GradientFactors reduce(LoraGaInit init) {
        return init.reduce("layers.3.q", gradient, 2 * R, SEED, manager);
    }

    private LoraStart start(LoraGaInit init, GradientFactors factors, double eta) {
        long seed = RandomMatrix.seedFor(SEED, "layers.3.q");
        InitContext context = new InitContext("layers.3.q", weight, R, eta, seed, manager, factors);
        return init.start(context).checked(context);
    }

    @ParameterizedTest
    @ValueSource(doubles = {1, 6, .125})
    void start_isTheFittedPairOverEta(double eta) {
        GradientFactors factors = reduce(adam().build());
        LoraStart start = start(adam().build(), factors, eta);
        assertThat(start.a()).isEqualTo(factors.fitted().a().mul((float) (1 / eta)));
        assertThat(start.b()).isEqualTo(factors.fitted().b().mul((float) (1 / eta)));
    }

    @Test
    void start_zeta_isTheFittedPairTimesZetaOverEta() {
        LoraGaInit init = adam().optScale(Scale.zeta(.3)).build();
        GradientFactors factors = reduce(init);
        assertThat(factors.fitted().a()).isEqualTo(reduce(adam().build()).fitted().a());
        LoraStart start = start(init, factors, ETA);
        assertThat(start.a()).isEqualTo(factors.fitted().a().mul((float) (.3 / ETA)));
        assertThat(start.b()).isEqualTo(factors.fitted().b().mul((float) (.3 / ETA)));
    }

    @ParameterizedTest
    @ValueSource(doubles = {1, .3})
    void start_firstAdamStep_isThatOfFullFineTuningTimesZeta(double zeta) {
        LoraGaInit init = adam().optScale(Scale.zeta(zeta)).build();
        GradientFactors factors = reduce(init);
        NDArray step = start(init, factors, ETA).firstAdamStep(gradient, ETA);
        NDArray sign = gradient.sign();
        double length = TorchOps.squareSum(step);
        double along = TorchOps.inner(step, sign).toFloatArray()[0];
        // The projection of zeta sign(G): <step, zeta sign(G)> = ||step||^2, in float32.
        assertThat(zeta * along / length).isCloseTo(1, within(1e-5));
        assertThat(length / (zeta * zeta * M * N)).isCloseTo(factors.captured(), within(1e-5));
    }

    @Test
    void reduce_keepsTheGradientsOwnTripletsToo() {
        SvdOptions exact = SvdOptions.builder().optExact(true).build();
        GradientFactors factors = reduce(adam().optSvdOptions(exact).build());
        assertThat(factors.leading().energy()).isEqualTo(TorchOps.squareSum(gradient));
        assertThat(factors.leading().vt())
                .isEqualTo(TruncatedSvd.compute(gradient, 2 * R, exact, manager).vt());
    }

    @ParameterizedTest
    @EnumSource(Direction.class)
    void start_followsTheSignsCloserThanSingularVectorsOfAnyDirection(Direction direction) {
        double best = 0;
        for (GradientKind kind : new GradientKind[] {GradientKind.SGD, GradientKind.SIGN}) {
            LoraGaInit init =
                    LoraGaInit.builder().optDirection(direction).optGradientKind(kind).build();
            LoraStart start = start(init, reduce(init), ETA);
            best = Math.max(best, start.firstAdamStepCosine(gradient));
        }
        LoraGaInit init = adam().optDirection(direction).build();
        GradientFactors factors = reduce(init);
        double cosine = start(init, factors, ETA).firstAdamStepCosine(gradient);
        assertThat(cosine).isGreaterThan(best + .05);
        assertThat(factors.captured()).isCloseTo(cosine * cosine, within(1e-5));
    }

    @Test
    void reduce_keepsOnlyTheResultAndLeavesTheGradientAlone() {
        NDArray before = gradient.duplicate();
        int arrays = manager.getManagedArrays().size();
        for (GradientKind kind : GradientKind.values()) {
            LoraGaInit init = LoraGaInit.builder().optGradientKind(kind).build();
            try (NDManager owner = manager.newSubManager()) {
                GradientFactors factors = init.reduce("t", gradient, 2 * R, SEED, owner);
                assertThat(owner.getManagedArrays()).hasSize(factors.fitted() == null ? 3 : 5);
                factors.close();
                assertThat(owner.getManagedArrays()).isEmpty();
            }
            assertThat(manager.getManagedArrays()).hasSize(arrays);
        }
        assertThat(gradient).isEqualTo(before);
    }

    @Test
    void start_vectorsAlone_areRefusedByName() {
        GradientFactors vectors = reduce(LoraInit.loraGa());
        assertThatThrownBy(() -> start(adam().build(), vectors, ETA))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("layers.3.q needs the pair that ADAM fits");
    }

    @Test
    void builder_scale_isZetaOrNone() {
        assertThat(adam().build().getScale()).isEqualTo(Scale.zeta(1));
        assertThat(adam().optScale(Scale.zeta(2)).build().getScale()).isEqualTo(Scale.zeta(2));
        LoraGaInit.Builder stable = adam().optScale(Scale.stable(16));
        assertThatThrownBy(stable::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ADAM")
                .hasMessageContaining("gamma=16.0")
                .hasMessageContaining("Scale.zeta");
    }
}

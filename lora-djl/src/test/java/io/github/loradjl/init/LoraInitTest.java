package io.github.loradjl.init;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.testing.Distance;
import io.github.loradjl.torch.TorchOps;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.SplittableRandom;
import java.util.stream.Stream;

class LoraInitTest {

    private static final int M = 96;
    private static final int N = 160;
    private static final int R = 64;
    private static final double ETA = 2.5;

    private NDManager manager;
    private NDArray weight;

    @BeforeEach
    void setUp() {
        manager = NDManager.newBaseManager();
        weight = RandomMatrix.normal(manager, M, N, 0.1, new SplittableRandom(1));
    }

    @AfterEach
    void tearDown() {
        manager.close();
    }

    private InitContext context(long seed) {
        return context(weight, R, seed);
    }

    private InitContext context(NDArray w, int rank, long seed) {
        return new InitContext("a.target", w, rank, ETA, seed, manager, null);
    }

    static Stream<LoraInit> all() {
        return Stream.of(
                LoraInit.kaimingUniform(),
                LoraInit.kaimingNormal(),
                LoraInit.gaussian(),
                LoraInit.gaussian(0.02),
                LoraInit.randomB(),
                LoraInit.bothRandom(),
                LoraInit.bothRandomUnsubtracted(),
                LoraInit.orthonormal(),
                LoraInit.pissa(),
                LoraInit.pissa(2),
                LoraInit.olora());
    }

    @ParameterizedTest
    @MethodSource("all")
    void start_isFloat32SeededAndOwnedByTheContext(LoraInit init) {
        weight = TorchOps.toBfloat16(weight);
        try (NDManager owner = manager.newSubManager()) {
            InitContext context = new InitContext("t", weight, 6, ETA, 5, owner, null);
            int arrays = manager.getManagedArrays().size();
            LoraStart start = init.start(context).checked(context);
            assertThat(start.a().getDataType()).isEqualTo(DataType.FLOAT32);
            assertThat(start.b().getDataType()).isEqualTo(DataType.FLOAT32);
            assertThat(owner.getManagedArrays()).hasSize(2);
            LoraStart again = init.start(context);
            assertThat(again.a()).isEqualTo(start.a());
            assertThat(again.b()).isEqualTo(start.b());
            again.close();
            start.close();
            assertThat(owner.getManagedArrays()).isEmpty();
            assertThat(manager.getManagedArrays()).hasSize(arrays);
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    void start_leavesTheEnginesGeneratorAlone(LoraInit init) {
        manager.getEngine().setRandomSeed(3);
        NDArray expected = manager.randomNormal(new Shape(5));
        manager.getEngine().setRandomSeed(3);
        init.start(context(weight, 6, 1));
        assertThat(manager.randomNormal(new Shape(5))).isEqualTo(expected);
    }

    @ParameterizedTest
    @MethodSource("all")
    void flags_tellTheTruthAboutTheFunctionBeforeTraining(LoraInit init) {
        LoraStart start = init.start(context(weight, 6, 1));
        boolean hasProduct = start.productNorm(ETA) > 0;
        assertThat(init.subtractsProduct() || !init.keepsFunction()).isEqualTo(hasProduct);
        assertThat(init.needsGradient()).isFalse();
    }

    @Test
    void keepsFunction_isFalseOnlyForTheExplicitChoice() {
        assertThat(all().filter(i -> !i.keepsFunction()))
                .containsExactly(LoraInit.bothRandomUnsubtracted());
    }

    /** Checks mean 0, a variance and a fourth moment against their standard errors. */
    private static void assertMoments(NDArray x, double variance, double kurtosis) {
        float[] values = x.toFloatArray();
        double mean = 0;
        double second = 0;
        double fourth = 0;
        for (float value : values) {
            mean += value / (double) values.length;
            second += (double) value * value / values.length;
            fourth += Math.pow(value, 4) / values.length;
        }
        // Standard errors of N independent draws: sqrt(var / N) for the mean, var sqrt((kurtosis -
        // 1) / N) for the variance, at most sqrt(105 / N) var^2 for the fourth moment (the normal
        // case). Five of them: one draw in two million leaves that by chance.
        double n = values.length;
        assertThat(mean).isCloseTo(0, within(5 * Math.sqrt(variance / n)));
        assertThat(second)
                .isCloseTo(variance, within(5 * variance * Math.sqrt((kurtosis - 1) / n)));
        assertThat(fourth / (variance * variance))
                .isCloseTo(kurtosis, within(5 * Math.sqrt(105 / n)));
    }

    private static float largest(NDArray x) {
        return x.abs().max().toFloatArray()[0];
    }

    @Test
    void kaimingUniform_isUniformWithinOneOverRootN() {
        LoraStart start = LoraInit.kaimingUniform().start(context(1));
        assertMoments(start.a(), 1.0 / (3 * N), 1.8);
        // The largest of 10240 uniform draws is within a thousandth of the bound (odds e^-10).
        double bound = 1 / Math.sqrt(N);
        assertThat((double) largest(start.a())).isBetween(0.999 * bound, bound * (1 + 1e-6));
        assertThat(largest(start.b())).isZero();
    }

    @Test
    void kaimingNormal_hasVarianceTwoOverN() {
        LoraStart start = LoraInit.kaimingNormal().start(context(1));
        assertMoments(start.a(), 2.0 / N, 3);
        assertThat(largest(start.b())).isZero();
    }

    @Test
    void gaussian_hasItsSigma() {
        LoraStart start = LoraInit.gaussian().start(context(1));
        assertMoments(start.a(), 1.0 / (R * R), 3);
        assertThat(largest(start.b())).isZero();
        assertMoments(LoraInit.gaussian(0.3).start(context(1)).a(), 0.09, 3);
    }

    @Test
    void randomB_hasZeroA() {
        LoraStart start = LoraInit.randomB().start(context(1));
        assertThat(largest(start.a())).isZero();
        assertMoments(start.b(), 1.0 / (3 * R), 1.8);
    }

    @Test
    void bothRandom_drawsAandBIndependently() {
        LoraStart start = LoraInit.bothRandom().start(context(1));
        assertMoments(start.a(), 1.0 / (3 * N), 1.8);
        assertMoments(start.b(), 1.0 / (3 * R), 1.8);
        int shared = M * R;
        NDArray a = start.a().reshape(-1).get(new NDIndex(":{}", shared));
        NDArray b = start.b().reshape(-1);
        double product = a.mul(b).sum().toFloatArray()[0];
        // The sum of N independent products has standard deviation sqrt(N) sd(a) sd(b).
        double deviation = Math.sqrt(shared / (9.0 * N * R));
        assertThat(product).isCloseTo(0, within(5 * deviation));
        LoraStart unsubtracted = LoraInit.bothRandomUnsubtracted().start(context(1));
        assertThat(unsubtracted.a()).isEqualTo(start.a());
        assertThat(unsubtracted.b()).isEqualTo(start.b());
    }

    @Test
    void start_otherSeed_drawsOtherNumbers() {
        NDArray a = LoraInit.kaimingUniform().start(context(1)).a();
        assertThat(LoraInit.kaimingUniform().start(context(2)).a()).isNotEqualTo(a);
        long first = RandomMatrix.seedFor(1, "layers.0.q");
        assertThat(RandomMatrix.seedFor(1, "layers.1.q")).isNotEqualTo(first);
        assertThat(RandomMatrix.seedFor(2, "layers.0.q")).isNotEqualTo(first);
        assertThat(RandomMatrix.seedFor(1, "layers.0.q")).isEqualTo(first);
    }

    @Test
    void orthonormal_hasOrthonormalRowsAndColumns() {
        LoraStart start = LoraInit.orthonormal().start(context(1));
        NDArray identity = manager.eye(R);
        NDArray a = start.a();
        NDArray b = start.b();
        // Householder QR is orthogonal to a few units of rounding per entry.
        assertThat(Distance.largest(a.matMul(a.transpose()), identity)).isLessThan(2e-6);
        assertThat(Distance.largest(b.transpose().matMul(b), identity)).isLessThan(2e-6);
    }

    @Test
    void pissa_productIsTheBestApproximationOfTheWeight() {
        int r = 6;
        NDList usv = TorchOps.svd(weight);
        NDArray s = usv.get(1).get(new NDIndex(":{}", r));
        NDArray best =
                usv.get(0)
                        .get(new NDIndex(":, :{}", r))
                        .mul(s)
                        .matMul(usv.get(2).get(new NDIndex(":{}", r)));
        LoraStart start = LoraInit.pissa().start(context(weight, r, 1));
        NDArray product = start.b().matMul(start.a()).mul((float) ETA);
        assertThat(Distance.relative(product, best)).isLessThan(1e-5);
        // The singular values are shared evenly.
        NDArray share = s.div((float) ETA).mul(manager.eye(r));
        assertThat(Distance.relative(start.a().matMul(start.a().transpose()), share))
                .isLessThan(1e-5);
        assertThat(Distance.relative(start.b().transpose().matMul(start.b()), share))
                .isLessThan(1e-5);
    }

    @Test
    void pissa_fast_comesAsCloseToTheWeightAsTheExactOne() {
        // A spectrum that falls, as those of trained weights do.
        NDArray fall = manager.arange(0f, N, 1f).mul(-0.1f).exp();
        NDArray falling = weight.mul(fall);
        InitContext context = context(falling, 6, 1);
        double exact = residual(LoraInit.pissa(), context);
        double fast = residual(LoraInit.pissa(4), context);
        double rough = residual(LoraInit.pissa(0), context);
        assertThat(exact).isLessThanOrEqualTo(fast * (1 + 1e-6));
        // Four power iterations damp what lies past 12 columns to nothing beside the residual.
        assertThat(fast).isLessThan(exact * 1.001);
        assertThat(fast).isLessThan(rough);
    }

    private static double residual(LoraInit init, InitContext context) {
        LoraStart start = init.start(context);
        NDArray product = start.b().matMul(start.a()).mul((float) ETA);
        return Distance.relative(product, context.weight());
    }

    @Test
    void olora_productIsThatOfTheFirstColumnsOfQAndRowsOfR() {
        int r = 6;
        LoraStart start = LoraInit.olora().start(context(weight, r, 1));
        NDArray b = start.b();
        NDArray product = b.matMul(start.a());
        // Q_r R_r is the projection of W on its own first r columns, and equals them there.
        NDArray projected = b.matMul(b.transpose().matMul(weight));
        assertThat(Distance.relative(product, projected)).isLessThan(1e-5);
        NDIndex first = new NDIndex(":, :{}", r);
        assertThat(Distance.relative(product.get(first), weight.get(first))).isLessThan(1e-5);
        assertThat(Distance.largest(b.transpose().matMul(b), manager.eye(r))).isLessThan(2e-6);
        float[] a = start.a().toFloatArray();
        for (int i = 1; i < r; i++) {
            for (int j = 0; j < i; j++) {
                assertThat(a[i * N + j]).as("below the diagonal of R").isZero();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"orthonormal", "pissa", "pissa_niter_4", "olora"})
    void start_rankAboveTheSmallerSide_isRefusedByName(String name) {
        InitContext context = context(weight, M + 1, 1);
        assertThatThrownBy(() -> LoraInit.named(name).start(context))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(name + " on a.target needs r <= min(m, n)")
                .hasMessageContaining("r is 97 and the weight is 96 x 160")
                .hasMessageContaining("at most 96");
    }

    @Test
    void zeros_areRefusedWithTheReason() {
        String reason = "both gradients are zero for ever";
        assertThatThrownBy(() -> LoraInit.gaussian(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(reason);
        assertThatThrownBy(() -> LoraInit.named("zeros"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(reason);
        LoraStart dead =
                new LoraStart(manager.zeros(new Shape(2, N)), manager.zeros(new Shape(M, 2)));
        assertThatThrownBy(() -> dead.checked(context(weight, 2, 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the start of a.target is dead")
                .hasMessageContaining(reason);
    }

    @Test
    void checked_wrongShapeOrNotFinite_isRefused() {
        LoraStart start = LoraInit.kaimingUniform().start(context(weight, 3, 1));
        assertThatThrownBy(() -> start.checked(context(weight, 4, 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("A of shape (3, 160)")
                .hasMessageContaining("instead of (4, 160) and (96, 4)");
        LoraStart bad = new LoraStart(start.a().div(0), start.b());
        assertThatThrownBy(() -> bad.checked(context(weight, 3, 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a.target holds NaN or infinite");
    }

    @Test
    void gaussian_negativeSigma_isRefused() {
        assertThatThrownBy(() -> LoraInit.gaussian(-0.1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("sigma is -0.1 and must be above 0");
        assertThatThrownBy(() -> LoraInit.pissa(-1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("powerIterations is -1");
    }

    @ParameterizedTest
    @CsvSource({
        "true,true", "kaiming-uniform,true", "Kaiming_Normal,kaiming_normal", "gaussian,gaussian",
        "random-b,random_b", "both-random,both_random", "false,false", "orthonormal,orthonormal",
        "pissa,pissa", "pissa_niter_16,pissa_niter_16", "olora,olora", "lora-ga,lora_ga"
    })
    void named_findsEachStart(String name, String expected) {
        assertThat(LoraInit.named(name).getName()).isEqualTo(expected);
    }

    @ParameterizedTest
    @MethodSource("all")
    void named_ofItsOwnName_isTheSameStart(LoraInit init) {
        InitContext context = context(weight, 6, 1);
        LoraInit again = LoraInit.named(init.getName());
        assertThat(again.subtractsProduct()).isEqualTo(init.subtractsProduct());
        assertThat(again.start(context).a()).isEqualTo(init.start(context).a());
        assertThat(again.start(context).b()).isEqualTo(init.start(context).b());
    }

    @Test
    void named_unknown_isRefusedWithTheChoices() {
        assertThatThrownBy(() -> LoraInit.named("eva"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("unknown start 'eva'")
                .hasMessageContaining("lora_ga");
    }
}

package io.github.loradjl.init;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;

import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.linalg.SingularFactors;
import io.github.loradjl.linalg.Subspaces;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.linalg.TruncatedSvd;
import io.github.loradjl.testing.Distance;
import io.github.loradjl.torch.TorchOps;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

class LoraGaInitTest {

    private static final SvdOptions EXACT = SvdOptions.builder().optExact(true).build();
    private static final int M = 40;
    private static final int N = 24;
    private static final int R = 4;
    private static final double ETA = 6;

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

    private InitContext context(NDArray g, long seed) {
        GradientFactors factors =
                GradientFactors.of(TruncatedSvd.compute(g, 2 * R, EXACT, manager));
        return new InitContext("a.target", weight, R, ETA, seed, manager, factors);
    }

    private static LoraGaInit init(Direction direction, Scale scale) {
        return LoraGaInit.builder().optDirection(direction).optScale(scale).build();
    }

    /** The best rank-2r approximation of the gradient. */
    private NDArray best(InitContext context) {
        SingularFactors f = context.gradient().leading();
        return f.u().mul(f.s()).matMul(f.vt());
    }

    /** Which singular vectors the rows or columns of a factor are, in order. */
    private static int[] indices(NDArray products, double c) {
        float[] values = products.toFloatArray();
        int[] found = new int[R];
        for (int i = 0; i < R; i++) {
            for (int j = 0; j < 2 * R; j++) {
                double entry = values[i * 2 * R + j];
                if (Math.abs(entry - c) < 1e-4 * c) {
                    found[i] = j;
                } else {
                    // Rounding of an inner product of two orthogonal unit vectors.
                    assertThat(entry).isCloseTo(0, within(1e-5 * c));
                }
            }
        }
        return found;
    }

    @ParameterizedTest
    @CsvSource({"AR_B2R,0123,4567", "A2R_BR,4567,0123", "AR_BR,1357,0246"})
    void start_eachDirection_takesItsVectors(Direction direction, String ofA, String ofB) {
        InitContext context = context(gradient, 1);
        LoraStart start = init(direction, Scale.unit()).start(context);
        NDArray v = context.gradient().leading().vt().transpose();
        NDArray u = context.gradient().leading().u();
        assertThat(indices(start.a().matMul(v), 1))
                .containsExactly(ofA.chars().map(c -> c - '0').toArray());
        assertThat(indices(start.b().transpose().matMul(u), 1))
                .containsExactly(ofB.chars().map(c -> c - '0').toArray());
    }

    @Test
    void start_random_splitsTheVectorsByTheTargetsSeed() {
        Set<String> splits = new HashSet<>();
        for (long seed = 0; seed < 20; seed++) {
            InitContext context = context(gradient, seed);
            LoraGaInit init = init(Direction.RANDOM, Scale.unit());
            LoraStart start = init.start(context);
            NDArray v = context.gradient().leading().vt().transpose();
            int[] ofA = indices(start.a().matMul(v), 1);
            int[] ofB = indices(start.b().transpose().matMul(context.gradient().leading().u()), 1);
            int[] both = IntStream.concat(IntStream.of(ofA), IntStream.of(ofB)).sorted().toArray();
            assertThat(both).containsExactly(IntStream.range(0, 2 * R).toArray());
            splits.add(Arrays.toString(ofA));
            assertThat(init.start(context).a()).isEqualTo(start.a());
            // Any disjoint split gives the same first step.
            NDArray expected = best(context).mul((float) (ETA * ETA));
            assertThat(Distance.relative(start.firstStep(gradient, ETA), expected))
                    .isLessThan(1e-5);
        }
        // 70 splits are possible; 20 draws hit fewer than 10 of them with odds below 1e-7.
        assertThat(splits).hasSizeGreaterThanOrEqualTo(10);
    }

    static Stream<Scale> scales() {
        return Stream.of(
                Scale.stable(16),
                Scale.zeta(0.3),
                Scale.zetaForward(0.5),
                Scale.zetaBackward(0.5),
                Scale.gd(),
                Scale.unit(),
                Scale.weight());
    }

    @ParameterizedTest
    @MethodSource("scales")
    void start_eachScale_isOrthogonalAndStepsAlongTheBestApproximation(Scale scale) {
        InitContext context = context(gradient, 1);
        double c = scale.factor(context);
        for (Direction direction : Direction.values()) {
            LoraStart start = init(direction, scale).start(context).checked(context);
            NDArray identity = manager.eye(R).mul((float) (c * c));
            NDArray a = start.a();
            NDArray b = start.b();
            // Rounding of the singular vectors, a few times 2^-24 per entry.
            assertThat(Distance.relative(a.matMul(a.transpose()), identity)).isLessThan(1e-5);
            assertThat(Distance.relative(b.transpose().matMul(b), identity)).isLessThan(1e-5);
            NDArray expected = best(context).mul((float) (ETA * ETA * c * c));
            assertThat(Distance.relative(start.firstStep(gradient, ETA), expected))
                    .isLessThan(1e-5);
            assertThat(start.firstStepCosine(gradient))
                    .isCloseTo(
                            Subspaces.bestCosine(context.gradient().leading(), 2 * R),
                            within(1e-5));
            assertThat(start.productNorm(ETA))
                    .isCloseTo(ETA * c * c * Math.sqrt(R), within(1e-5 * ETA * c * c));
            NDArray product = b.matMul(a).mul((float) ETA);
            assertThat(start.productNorm(ETA))
                    .isCloseTo(Math.sqrt(TorchOps.squareSum(product)), within(1e-5 * ETA * c * c));
        }
    }

    @Test
    void scale_closedForms_hold() {
        InitContext context = context(gradient, 1);
        double tight = 1e-12;
        assertThat(Scale.stable(9).factor(context)).isCloseTo(Math.pow(M, 0.25) / 3, within(tight));
        // zeta = eta^2 c^2 in each case.
        assertThat(zeta(Scale.zeta(0.3), context)).isCloseTo(0.3, within(tight));
        assertThat(zeta(Scale.gd(), context)).isCloseTo(1, within(tight));
        assertThat(zeta(Scale.unit(), context)).isCloseTo(ETA * ETA, within(tight));
        assertThat(zeta(Scale.zetaForward(0.5), context))
                .isCloseTo(0.5 * ETA * Math.sqrt(10), within(1e-11));
        assertThat(zeta(Scale.zetaBackward(0.5), context))
                .isCloseTo(0.5 * ETA * Math.sqrt(6), within(1e-11));
    }

    private static double zeta(Scale scale, InitContext context) {
        double c = scale.factor(context);
        return ETA * ETA * c * c;
    }

    @ParameterizedTest
    @CsvSource({"64,4,2", "64,16,2", "256,4,8", "256,32,.5"})
    void zeta_byRule_keepsTheSecondMomentWhateverTheShape(int m, int r, double eta) {
        int n = 100;
        double kappa = 0.7;
        SplittableRandom random = new SplittableRandom(3);
        SingularFactors factors =
                TruncatedSvd.compute(
                        RandomMatrix.normal(manager, m, n, 1, random), 2 * r, EXACT, manager);
        InitContext context =
                new InitContext(
                        "t",
                        manager.zeros(new Shape(m, n)),
                        r,
                        eta,
                        1,
                        manager,
                        GradientFactors.of(factors));
        // For inputs with E[x x^T] = I, the mean of E[y_i^2] over the m outputs of eta B A x is
        // ||eta B A||^2 / m, and likewise ||eta B A||^2 / n for what flows back.
        double forward =
                init(Direction.AR_B2R, Scale.zetaForward(kappa)).start(context).productNorm(eta);
        double backward =
                init(Direction.AR_B2R, Scale.zetaBackward(kappa)).start(context).productNorm(eta);
        assertThat(forward * forward / m).isCloseTo(kappa * kappa, within(1e-5));
        assertThat(backward * backward / n).isCloseTo(kappa * kappa, within(1e-5));
    }

    @Test
    void scale_weight_isTheMeanRootOfTheWeightsSingularValues() {
        // A weight whose singular values are 9, 4, 1, 0.25 and then 0, by construction.
        SplittableRandom random = new SplittableRandom(5);
        NDArray u =
                TruncatedSvd.orthonormalise(RandomMatrix.normal(manager, M, R, 1, random), manager);
        NDArray v =
                TruncatedSvd.orthonormalise(RandomMatrix.normal(manager, N, R, 1, random), manager);
        NDArray s = manager.create(new float[] {9, 4, 1, 0.25f});
        weight = u.mul(s).matMul(v.transpose());
        InitContext context = context(gradient, 1);
        double expected = (3 + 2 + 1 + 0.5) / 4 / Math.sqrt(ETA);
        assertThat(Scale.weight().factor(context)).isCloseTo(expected, within(1e-5));
        assertThat(Scale.weight(EXACT).factor(context)).isCloseTo(expected, within(1e-5));
    }

    @ParameterizedTest
    @EnumSource(Direction.class)
    void start_doesNotDependOnTheGradientsSize(Direction direction) {
        LoraGaInit init = init(direction, Scale.stable(16));
        LoraStart start = init.start(context(gradient, 1));
        LoraStart scaled = init.start(context(gradient.mul(1e4f), 1));
        // The two decompositions round differently; the gaps of a random 40 x 24 spectrum cost
        // two digits of float32.
        assertThat(Distance.relative(scaled.a(), start.a())).isLessThan(1e-4);
        assertThat(Distance.relative(scaled.b(), start.b())).isLessThan(1e-4);
    }

    /**
     * One SGD step on A and B, gradients by autograd, against the closed form of the change of the
     * weight.
     */
    @ParameterizedTest
    @EnumSource(Direction.class)
    void firstSgdStep_changesTheWeightByTheExactIdentity(Direction direction) {
        InitContext context = context(gradient, 1);
        LoraStart start = init(direction, Scale.stable(16)).start(context);
        NDArray a0 = start.a();
        NDArray b0 = start.b();
        NDArray a = a0.duplicate();
        NDArray b = b0.duplicate();
        a.setRequiresGradient(true);
        b.setRequiresGradient(true);
        // With x = I and loss = sum(G^T * y) the gradient of the weight is G.
        NDArray x = manager.eye(N);
        try (GradientCollector collector = manager.getEngine().newGradientCollector()) {
            NDArray y = TorchOps.linear(x, weight);
            NDArray adapted = TorchOps.addLoraDifference(y, x, a, b, a0, b0, ETA);
            assertThat(adapted).isEqualTo(y);
            collector.backward(adapted.mul(gradient.transpose()).sum());
        }
        // Large enough for the term in lr^2 to count, as the second assertion shows.
        float lr = 1;
        NDArray a1 = a.stopGradient().sub(a.getGradient().mul(lr));
        NDArray b1 = b.stopGradient().sub(b.getGradient().mul(lr));
        NDArray difference = b1.matMul(a1).sub(b0.matMul(a0)).mul((float) ETA);

        NDArray g = Distance.wide(gradient, manager);
        NDArray wideA = Distance.wide(a0, manager);
        NDArray wideB = Distance.wide(b0, manager);
        NDArray atA = wideA.transpose().matMul(wideA);
        NDArray bbT = wideB.matMul(wideB.transpose());
        NDArray linear = g.matMul(atA).add(bbT.matMul(g)).mul(-lr * ETA * ETA);
        NDArray square =
                g.matMul(wideA.transpose())
                        .matMul(wideB.transpose())
                        .matMul(g)
                        .mul(lr * lr * ETA * ETA * ETA);
        double size = start.productNorm(ETA);
        // The bound of the issue: rounding of A, B and their product in float32, beside which dW
        // itself would be lost to cancellation at a small rate.
        assertThat(Distance.absolute(difference, linear.add(square)) / size).isLessThan(1e-6);
        assertThat(Distance.absolute(difference, linear) / size).isGreaterThan(1e-4);
        // The linear part is within rounding the one that is reported.
        NDArray reported = start.firstStep(gradient, ETA).mul(-lr);
        assertThat(Distance.relative(reported, linear)).isLessThan(1e-6);
    }

    @Test
    void start_keepsOnlyTheResultAndLeavesTheGradientAlone() {
        InitContext whole = context(gradient, 1);
        try (NDManager owner = manager.newSubManager()) {
            InitContext context = new InitContext("t", weight, R, ETA, 1, owner, whole.gradient());
            NDArray before = whole.gradient().leading().vt().duplicate();
            int arrays = manager.getManagedArrays().size();
            try (LoraStart start = init(Direction.RANDOM, Scale.weight()).start(context)) {
                assertThat(start.a().getDataType()).isEqualTo(DataType.FLOAT32);
                assertThat(owner.getManagedArrays()).hasSize(2);
            }
            assertThat(owner.getManagedArrays()).isEmpty();
            assertThat(manager.getManagedArrays()).hasSize(arrays);
            assertThat(whole.gradient().leading().vt()).isEqualTo(before);
        }
    }

    @Test
    void start_moreTripletsThanNeeded_areIgnored() {
        InitContext context = context(gradient, 1);
        SingularFactors more = TruncatedSvd.compute(gradient, 2 * R + 3, EXACT, manager);
        InitContext wide =
                new InitContext("t", weight, R, ETA, 1, manager, GradientFactors.of(more));
        assertThat(LoraInit.loraGa().start(wide).b())
                .isEqualTo(LoraInit.loraGa().start(context).b());
        assertThat(LoraInit.loraGa().start(wide).a())
                .isEqualTo(LoraInit.loraGa().start(context).a());
    }

    @Test
    void start_rankTooLarge_isRefusedByName() {
        NDArray small = weight.get(new NDIndex(":7"));
        InitContext context = new InitContext("layers.3.q", small, R, ETA, 1, manager, null);
        assertThatThrownBy(() -> LoraInit.loraGa().start(context))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "LoRA-GA on layers.3.q needs 2r <= min(m, n), but r is 4 and the weight is"
                            + " 7 x 24: use a rank of at most 3 for it (a rank pattern), or leave"
                            + " it out of the targets");
    }

    @Test
    void start_gradientMissingOrTooShort_isRefused() {
        InitContext none = new InitContext("layers.3.q", weight, R, ETA, 1, manager, null);
        assertThatThrownBy(() -> LoraInit.loraGa().start(none))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("layers.3.q has no gradient")
                .hasMessageContaining("run the gradient pass");
        SingularFactors few = TruncatedSvd.compute(gradient, R, EXACT, manager);
        InitContext tooFew =
                new InitContext("layers.3.q", weight, R, ETA, 1, manager, GradientFactors.of(few));
        assertThatThrownBy(() -> LoraInit.loraGa().start(tooFew))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("needs 8 singular vectors")
                .hasMessageContaining("given 4");
    }

    @Test
    void scale_notAboveZero_isRefused() {
        assertThatThrownBy(() -> Scale.stable(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("gamma is 0.0 and must be above 0");
        assertThatThrownBy(() -> Scale.zeta(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Scale.zetaForward(Double.NaN))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void builder_defaults_areThePapers() {
        LoraGaInit init = LoraInit.loraGa();
        assertThat(init.getDirection()).isEqualTo(Direction.AR_B2R);
        assertThat(init.getScale()).isEqualTo(Scale.stable(16));
        assertThat(init.getGradientKind()).isEqualTo(GradientKind.SGD);
        assertThat(init.getSvdOptions()).isEqualTo(SvdOptions.defaults());
        assertThat(init.needsGradient()).isTrue();
        assertThat(init.subtractsProduct()).isTrue();
        assertThat(init.keepsFunction()).isTrue();
    }
}

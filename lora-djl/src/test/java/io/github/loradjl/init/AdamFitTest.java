package io.github.loradjl.init;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.linalg.SingularFactors;
import io.github.loradjl.linalg.Subspaces;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.linalg.TruncatedSvd;
import io.github.loradjl.testing.Distance;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.SplittableRandom;

class AdamFitTest {

    private static final SvdOptions EXACT = SvdOptions.builder().optExact(true).build();
    private static final int M = 48;
    private static final int N = 32;
    private static final int R = 4;

    private NDManager manager;

    @BeforeEach
    void setUp() {
        manager = NDManager.newBaseManager();
    }

    @AfterEach
    void tearDown() {
        manager.close();
    }

    /** A random matrix with the singular values 1, decay, decay^2, ... */
    private NDArray random(double decay, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        NDArray u = orthonormal(M, random);
        NDArray v = orthonormal(N, random);
        float[] s = new float[N];
        for (int i = 0; i < N; i++) {
            s[i] = (float) Math.pow(decay, i);
        }
        return u.mul(manager.create(s)).matMul(v.transpose());
    }

    private NDArray orthonormal(int rows, SplittableRandom random) {
        NDArray x = RandomMatrix.normal(manager, rows, N, 1, random);
        return TruncatedSvd.orthonormalise(x, manager);
    }

    /** The first r right and the next r left singular vectors of a matrix. */
    private LoraStart vectors(NDArray matrix) {
        SingularFactors factors = TruncatedSvd.compute(matrix, 2 * R, EXACT, manager);
        return new LoraStart(
                factors.vt().get(new NDIndex(":{}", R)),
                factors.u().get(new NDIndex(":, {}:{}", R, 2 * R)));
    }

    private static AdamFit.Goal goal(NDArray gradient) {
        return goal(gradient, gradient.sign());
    }

    private static AdamFit.Goal goal(NDArray gradient, NDArray sign) {
        return new AdamFit.Goal(
                gradient, TorchOps.squareSum(gradient), sign, TorchOps.squareSum(sign));
    }

    private AdamFit.Fitted fit(NDArray gradient) {
        return AdamFit.fit(goal(gradient), starts(gradient), manager);
    }

    private List<LoraStart> starts(NDArray gradient) {
        return List.of(vectors(gradient), vectors(gradient.sign()));
    }

    /** f in double precision. */
    private double objective(NDArray gradient, LoraStart pair, double factor) {
        LoraStart scaled =
                new LoraStart(pair.a().mul((float) factor), pair.b().mul((float) factor));
        NDArray step = scaled.firstAdamStep(gradient, 1);
        return Math.pow(Distance.absolute(step, gradient.sign()), 2);
    }

    /**
     * Another implementation of this objective, in double precision, gave on one matrix of each
     * spectrum the cosines .60, .65 and .74 (minimised) below a bound of .83, and .59, .59 and .86
     * below .93: half, and four fifths, of what is between the better start and the bound. Single
     * matrices scatter by about .03 around their mean in each figure but the bound.
     */
    @ParameterizedTest
    @CsvSource({".9,.21,.60,.65,.83,.50", ".6,.25,.59,.59,.93,.79"})
    void fit_randomMatrices_gainsAsMuchAsKnown(
            double decay, double random, double sgd, double sign, double bound, double gain) {
        int seeds = 8;
        double[] means = new double[5];
        for (int seed = 0; seed < seeds; seed++) {
            NDArray g = random(decay, seed);
            SplittableRandom draws = new SplittableRandom(100 + seed);
            LoraStart drawn =
                    new LoraStart(
                            RandomMatrix.normal(manager, R, N, 1, draws),
                            RandomMatrix.normal(manager, M, R, 1, draws));
            AdamFit.Fitted fitted = fit(g);
            means[0] += drawn.firstAdamStepCosine(g) / seeds;
            means[1] += vectors(g).firstAdamStepCosine(g) / seeds;
            means[2] += vectors(g.sign()).firstAdamStepCosine(g) / seeds;
            means[3] += fitted.pair().firstAdamStepCosine(g) / seeds;
            SingularFactors ofSign = TruncatedSvd.compute(g.sign(), 2 * R, EXACT, manager);
            means[4] += Subspaces.bestCosine(ofSign, 2 * R) / seeds;
        }
        // What is drawn here is not what was drawn there.
        assertThat(means[0]).isCloseTo(random, within(.1));
        assertThat(means[1]).isCloseTo(sgd, within(.06));
        assertThat(means[2]).isCloseTo(sign, within(.06));
        assertThat(means[4]).isCloseTo(bound, within(.02));
        double better = Math.max(means[1], means[2]);
        assertThat(means[3])
                .isGreaterThan(better + gain * (means[4] - better))
                .isLessThan(means[4]);
    }

    @Test
    void fit_result_isNoWorseThanAnyStart() {
        NDArray g = random(.9, 1);
        LoraStart ofG = vectors(g);
        LoraStart ofSign = vectors(g.sign());
        double better = Math.max(ofG.firstAdamStepCosine(g), ofSign.firstAdamStepCosine(g));
        for (int iterations : new int[] {0, 1, 2, 10}) {
            AdamFit.Fitted fitted = AdamFit.fit(goal(g), List.of(ofG, ofSign), iterations, manager);
            // The cosine is summed in another order, and the pair rounded when multiplied.
            assertThat(fitted.pair().firstAdamStepCosine(g)).isGreaterThan(better - 1e-6);
            assertThat(fitted.cosine())
                    .isCloseTo(fitted.pair().firstAdamStepCosine(g), within(1e-6));
        }
        // From a pair that is fitted already most steps lead away.
        LoraStart fitted = fit(g).pair();
        AdamFit.Fitted again = AdamFit.fit(goal(g), List.of(ofG, fitted, ofSign), 1, manager);
        assertThat(again.pair().firstAdamStepCosine(g))
                .isGreaterThan(fitted.firstAdamStepCosine(g) - 1e-6);
    }

    @Test
    void fit_result_hasTheBestFactor() {
        NDArray g = random(.6, 2);
        AdamFit.Fitted fitted = fit(g);
        double f = objective(g, fitted.pair(), 1);
        assertThat(f).isLessThan(objective(g, fitted.pair(), .99));
        assertThat(f).isLessThan(objective(g, fitted.pair(), 1.01));
        double energy = M * N;
        assertThat(f / energy).isCloseTo(1 - Math.pow(fitted.cosine(), 2), within(1e-5));
    }

    @ParameterizedTest
    @ValueSource(doubles = {1, .1, .02})
    void slope_isHalfTheDerivativeOfTheSurrogate(double share) {
        NDArray g = random(.9, 3);
        NDArray z = g.sign();
        NDArray a = vectors(g).a().duplicate();
        NDArray b = vectors(g).b().duplicate();
        LoraStart slope = new AdamFit(goal(g), manager).new Point(a, b).slope(share);
        NDArray widthA = rootMeanSquare(g.matMul(a.transpose()), 0).mul(share);
        NDArray widthB = rootMeanSquare(b.transpose().matMul(g), 1).mul(share);
        a.setRequiresGradient(true);
        b.setRequiresGradient(true);
        try (GradientMode mode = GradientMode.on()) {
            NDArray s = g.matMul(a.transpose()).div(widthA).tanh();
            NDArray t = b.transpose().matMul(g).div(widthB).tanh();
            NDArray e = s.matMul(a).add(b.matMul(t)).sub(z);
            TorchOps.backward(e.square().sum());
        }
        // Sums of about a thousand float32 products, whose order differs.
        assertThat(Distance.relative(slope.a().mul(2), TorchOps.gradientOf(a))).isLessThan(5e-6);
        assertThat(Distance.relative(slope.b().mul(2), TorchOps.gradientOf(b))).isLessThan(5e-6);
    }

    private static NDArray rootMeanSquare(NDArray x, int axis) {
        return x.square().mean(new int[] {axis}, true).sqrt();
    }

    @Test
    void fit_twice_givesTheSameNumbers() {
        NDArray g = random(.9, 4);
        LoraStart first = fit(g).pair();
        LoraStart second = fit(g).pair();
        assertThat(second.a()).isEqualTo(first.a());
        assertThat(second.b()).isEqualTo(first.b());
    }

    @Test
    void fit_doesNotDependOnTheGradientsSize() {
        NDArray g = random(.9, 5);
        List<LoraStart> starts = starts(g);
        LoraStart fitted = AdamFit.fit(goal(g), starts, manager).pair();
        // A power of two changes no digit.
        NDArray small = g.mul(0x1p-30f);
        LoraStart ofSmall = AdamFit.fit(goal(small), starts, manager).pair();
        assertThat(ofSmall.a()).isEqualTo(fitted.a());
        assertThat(ofSmall.b()).isEqualTo(fitted.b());
    }

    /** Products of G with most vectors are zero there, and so is the spread of their entries. */
    @Test
    void fit_gradientOfOneColumn_staysFiniteAndGains() {
        NDArray g = manager.zeros(new Shape(M, N));
        NDArray column = RandomMatrix.normal(manager, M, 1, 1, new SplittableRandom(6));
        g.set(new NDIndex(":, 3:4"), column);
        LoraStart start =
                new LoraStart(manager.eye(R, N, 0, g.getDataType()), orthonormal(M, R).mul(5));
        double before = start.firstAdamStepCosine(g);
        AdamFit.Fitted fitted = AdamFit.fit(goal(g), List.of(start), manager);
        assertThat(before).isBetween(.1, .9);
        // sign(G) has rank 1 and is reached by A = its row, B = 0.
        assertThat(fitted.pair().firstAdamStepCosine(g)).isGreaterThan(.99);
    }

    private NDArray orthonormal(int rows, int columns) {
        NDArray x = RandomMatrix.normal(manager, rows, columns, 1, new SplittableRandom(7));
        return TruncatedSvd.orthonormalise(x, manager);
    }

    @Test
    void fit_keepsOnlyTheResultAndLeavesItsArgumentsAlone() {
        NDArray g = random(.9, 8);
        NDArray z = g.sign();
        List<LoraStart> starts = starts(g);
        NDArray before = starts.get(0).a().duplicate();
        int arrays = manager.getManagedArrays().size();
        try (NDManager owner = manager.newSubManager()) {
            AdamFit.Fitted fitted = AdamFit.fit(goal(g, z), starts, owner);
            assertThat(owner.getManagedArrays())
                    .containsExactlyInAnyOrder(fitted.pair().a(), fitted.pair().b());
            fitted.pair().close();
            assertThat(owner.getManagedArrays()).isEmpty();
        }
        assertThat(manager.getManagedArrays()).hasSize(arrays);
        assertThat(starts.get(0).a()).isEqualTo(before);
        assertThat(z).isEqualTo(g.sign());
    }
}

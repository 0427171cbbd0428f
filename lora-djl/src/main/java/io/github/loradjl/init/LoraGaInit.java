package io.github.loradjl.init;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.linalg.SingularFactors;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.linalg.TruncatedSvd;
import io.github.loradjl.torch.GradientMode;

import java.util.List;

/**
 * LoRA-GA: A and B start from singular vectors of the gradient, so that the first steps of the
 * adapter follow those of full fine-tuning.
 *
 * <p>One SGD step on A and B with rate lr changes the weight by
 *
 * <pre>
 *   dW = -lr eta^2 (G A^T A + B B^T G) + lr^2 eta^3 G A^T B^T G,   G = dL/dW0 = U S V^T
 * </pre>
 *
 * <p>A<sup>T</sup> A picks input directions and B B<sup>T</sup> picks output directions. With r
 * right singular vectors as the rows of A and r <em>other</em> left ones as the columns of B,
 *
 * <pre>
 *   A0 = c V[:, I_A]^T,  B0 = c U[:, I_B],  I_A and I_B disjoint in {0 .. 2r-1}
 * </pre>
 *
 * the part linear in lr is -lr eta<sup>2</sup> c<sup>2</sup> G<sub>2r</sub>: the best approximation
 * of the full step that two factors of rank r can give. The singular values of G are not used, so
 * the start does not depend on the size of the loss. The index sets are the {@link Direction}, the
 * factor c the {@link Scale}.
 *
 * <p>With Adam the first full step follows sign(G), not G. {@link GradientKind#SIGN} takes the
 * vectors of sign(G); {@link GradientKind#ADAM} fits A and B, so that the adapter's first Adam step
 *
 * <pre>
 *   dW = -lr eta (sign(G A^T) A + B sign(B^T G)) + lr^2 eta sign(G A^T) sign(B^T G)
 * </pre>
 *
 * is, as far as linear in lr, close to -lr zeta sign(G); zeta is 1 unless {@link Scale#zeta} gives
 * another.
 *
 * <p>The product B0 A0 is subtracted. Use rank-stabilised scaling, eta = alpha / sqrt(r): with
 * alpha / r the size of the start would depend on r.
 *
 * @see <a href="https://arxiv.org/abs/2407.05000">LoRA-GA: Low-Rank Adaptation with Gradient
 *     Approximation</a>
 */
public final class LoraGaInit implements LoraInit {

    private final Direction direction;
    private final Scale scale;
    private final GradientKind gradientKind;
    private final SvdOptions svdOptions;

    private LoraGaInit(Builder builder) {
        direction = builder.direction;
        gradientKind = builder.gradientKind;
        scale = builder.scale == null ? defaultScale(gradientKind) : builder.scale;
        svdOptions = builder.svdOptions;
    }

    /**
     * Returns a builder with the defaults of the paper: {@link Direction#AR_B2R}, {@link
     * Scale#stable stable} with gamma 16, {@link GradientKind#SGD}, {@link SvdOptions#defaults()}.
     * With {@link GradientKind#ADAM} the scale is {@link Scale#zeta zeta} 1.
     *
     * @return the builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** {@inheritDoc} */
    @Override
    public LoraStart start(InitContext context) {
        int r = context.rank();
        check(context.target(), context.weight().getShape(), r);
        requireFactors(context);
        GradientFactors gradient = context.gradient();
        if (gradientKind == GradientKind.ADAM) {
            double zeta = ((Scales.Zeta) scale).zeta();
            return scaled(gradient.fitted(), zeta / context.scaling(), context.manager());
        }
        double c = scale.factor(context);
        try (LoraStart vectors =
                vectors(gradient.leading(), r, context.seed(), context.manager())) {
            return scaled(vectors, c, context.manager());
        }
    }

    /**
     * Reduces the gradient of one target to what {@link #start} needs of it: singular triplets, and
     * for {@link GradientKind#ADAM} the fitted pair.
     *
     * @param target the path of the target, which the seeds are mixed with
     * @param gradient G, averaged over batches, of shape (m, n), float32, finite and not zero; left
     *     as it is
     * @param count the number of triplets, twice the rank
     * @param seed the seed of the adapter's own draws
     * @param manager the owner of the result
     * @return what to start from
     * @throws IllegalArgumentException if the gradient has fewer triplets
     */
    public GradientFactors reduce(
            String target, NDArray gradient, int count, long seed, NDManager manager) {
        SvdOptions options = svdOptions.withSeed(RandomMatrix.seedFor(svdOptions.seed(), target));
        if (gradientKind == GradientKind.SGD) {
            return GradientFactors.of(TruncatedSvd.compute(gradient, count, options, manager));
        }
        try (GradientMode mode = GradientMode.off();
                NDArray sign = gradient.sign()) {
            SingularFactors ofSign = TruncatedSvd.compute(sign, count, options, manager);
            if (gradientKind == GradientKind.SIGN) {
                return GradientFactors.of(ofSign);
            }
            try (ofSign) {
                SingularFactors leading = TruncatedSvd.compute(gradient, count, options, manager);
                return fit(gradient, sign, leading, ofSign, RandomMatrix.seedFor(seed, target));
            }
        }
    }

    private GradientFactors fit(
            NDArray gradient,
            NDArray sign,
            SingularFactors leading,
            SingularFactors ofSign,
            long seed) {
        NDManager manager = leading.u().getManager();
        int r = leading.rank() / 2;
        try (LoraStart sgd = vectors(leading, r, seed, manager);
                LoraStart signs = vectors(ofSign, r, seed, manager)) {
            AdamFit.Goal goal = new AdamFit.Goal(gradient, leading.energy(), sign, ofSign.energy());
            AdamFit.Fitted fitted = AdamFit.fit(goal, List.of(sgd, signs), manager);
            return new GradientFactors(leading, fitted.pair(), Math.pow(fitted.cosine(), 2));
        }
    }

    /** Takes the rows of A from the right vectors and the columns of B from the left ones. */
    private LoraStart vectors(SingularFactors factors, int r, long seed, NDManager manager) {
        try (GradientMode mode = GradientMode.off();
                NDManager scope = manager.newSubManager()) {
            NDArray ofA = indices(scope, direction.indicesOfA(r, seed));
            NDArray ofB = indices(scope, direction.indicesOfB(r, seed));
            NDArray a = factors.vt().get(new NDIndex("{}", ofA));
            NDArray b = factors.u().get(new NDIndex(":, {}", ofB));
            return new LoraStart(a, b).attach(manager);
        }
    }

    private static LoraStart scaled(LoraStart start, double factor, NDManager manager) {
        try (GradientMode mode = GradientMode.off();
                NDManager scope = manager.newSubManager()) {
            NDArray a = start.a().mul((float) factor);
            a.attach(scope);
            NDArray b = start.b().mul((float) factor);
            b.attach(scope);
            return new LoraStart(RowMajor.of(a), RowMajor.of(b)).attach(manager);
        }
    }

    private static Scale defaultScale(GradientKind kind) {
        return kind == GradientKind.ADAM ? Scale.zeta(1) : Scale.stable(16);
    }

    private static NDArray indices(NDManager scope, int[] values) {
        long[] wide = new long[values.length];
        for (int i = 0; i < values.length; i++) {
            wide[i] = values[i];
        }
        return scope.create(wide);
    }

    private void requireFactors(InitContext context) {
        String target = context.target();
        GradientFactors gradient = context.gradient();
        if (gradient == null) {
            throw new IllegalStateException(
                    "LoRA-GA on "
                            + target
                            + " has no gradient to start from: run the gradient pass (LoraGa.start"
                            + " or LoraGaListener) before training");
        }
        if (gradientKind == GradientKind.ADAM) {
            if (gradient.fitted() == null) {
                throw new IllegalStateException(
                        "LoRA-GA on "
                                + target
                                + " needs the pair that ADAM fits, but was given singular vectors"
                                + " alone: a strategy of your own has to call LoraGaInit.reduce");
            }
        } else if (gradient.leading().rank() < 2 * context.rank()) {
            throw new IllegalStateException(
                    "LoRA-GA on "
                            + target
                            + " needs "
                            + 2 * context.rank()
                            + " singular vectors of the gradient, twice the rank, but was given "
                            + gradient.leading().rank());
        }
    }

    /** {@inheritDoc} */
    @Override
    public void check(String target, Shape weight, int rank) {
        Ranks.require(target, weight, rank, 2, "LoRA-GA");
    }

    /** {@inheritDoc} */
    @Override
    public boolean needsGradient() {
        return true;
    }

    /** {@inheritDoc} */
    @Override
    public boolean subtractsProduct() {
        return true;
    }

    /** {@inheritDoc} */
    @Override
    public String getName() {
        return "lora_ga";
    }

    /**
     * Returns which singular vectors go to A and which to B.
     *
     * @return the direction
     */
    public Direction getDirection() {
        return direction;
    }

    /**
     * Returns how the factors are scaled.
     *
     * @return the scale
     */
    public Scale getScale() {
        return scale;
    }

    /**
     * Returns what the first step should follow.
     *
     * @return the kind of gradient
     */
    public GradientKind getGradientKind() {
        return gradientKind;
    }

    /**
     * Returns how the gradient is decomposed.
     *
     * @return the options
     */
    public SvdOptions getSvdOptions() {
        return svdOptions;
    }

    /** {@inheritDoc} */
    @Override
    public String toString() {
        return "LoRA-GA("
                + direction
                + ", "
                + scale
                + ", "
                + gradientKind
                + ", "
                + svdOptions
                + ")";
    }

    /** The builder of {@link LoraGaInit}. */
    public static final class Builder {

        private Direction direction = Direction.AR_B2R;
        private Scale scale;
        private GradientKind gradientKind = GradientKind.SGD;
        private SvdOptions svdOptions = SvdOptions.defaults();

        private Builder() {}

        /**
         * Sets which singular vectors go to A and which to B. The default is {@link
         * Direction#AR_B2R}.
         *
         * @param direction the direction
         * @return this builder
         */
        public Builder optDirection(Direction direction) {
            this.direction = direction;
            return this;
        }

        /**
         * Sets how the factors are scaled. The default is {@link Scale#stable stable} with gamma
         * 16, for {@link GradientKind#ADAM} {@link Scale#zeta zeta} 1. ADAM fits the size of A and
         * B with their directions and takes no scale but zeta.
         *
         * @param scale the scale
         * @return this builder
         */
        public Builder optScale(Scale scale) {
            this.scale = scale;
            return this;
        }

        /**
         * Sets what the first step should follow. The default is {@link GradientKind#SGD}.
         *
         * @param gradientKind the kind of gradient
         * @return this builder
         */
        public Builder optGradientKind(GradientKind gradientKind) {
            this.gradientKind = gradientKind;
            return this;
        }

        /**
         * Sets how the gradient is decomposed. The default is {@link SvdOptions#defaults()}.
         *
         * @param svdOptions the options
         * @return this builder
         */
        public Builder optSvdOptions(SvdOptions svdOptions) {
            this.svdOptions = svdOptions;
            return this;
        }

        /**
         * Builds the start.
         *
         * @return the start
         * @throws IllegalArgumentException if a scale other than zeta is given for {@link
         *     GradientKind#ADAM}
         */
        public LoraGaInit build() {
            if (gradientKind == GradientKind.ADAM
                    && scale != null
                    && !(scale instanceof Scales.Zeta)) {
                throw new IllegalArgumentException(
                        "GradientKind.ADAM fits the size of A and B itself and cannot take the"
                                + " scale "
                                + scale
                                + ": leave the scale out, or give Scale.zeta");
            }
            return new LoraGaInit(this);
        }
    }
}

package io.github.loradjl.init;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.linalg.SingularFactors;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.torch.GradientMode;

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
        scale = builder.scale;
        gradientKind = builder.gradientKind;
        svdOptions = builder.svdOptions;
    }

    /**
     * Returns a builder with the defaults of the paper: {@link Direction#AR_B2R}, {@link
     * Scale#stable stable} with gamma 16, {@link GradientKind#SGD}, {@link SvdOptions#defaults()}.
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
        SingularFactors gradient = context.gradient();
        requireTriplets(context.target(), gradient, 2 * r);
        float c = (float) scale.factor(context);
        try (GradientMode mode = GradientMode.off();
                NDManager scope = context.manager().newSubManager()) {
            NDArray ofA = indices(scope, direction.indicesOfA(r, context.seed()));
            NDArray ofB = indices(scope, direction.indicesOfB(r, context.seed()));
            try (NDArray rows = gradient.vt().get(new NDIndex("{}", ofA));
                    NDArray columns = gradient.u().get(new NDIndex(":, {}", ofB))) {
                NDArray a = rows.mul(c);
                a.attach(scope);
                NDArray b = columns.mul(c);
                b.attach(scope);
                return new LoraStart(RowMajor.of(a), RowMajor.of(b)).attach(context.manager());
            }
        }
    }

    private static NDArray indices(NDManager scope, int[] values) {
        long[] wide = new long[values.length];
        for (int i = 0; i < values.length; i++) {
            wide[i] = values[i];
        }
        return scope.create(wide);
    }

    private static void requireTriplets(String target, SingularFactors gradient, int count) {
        if (gradient == null) {
            throw new IllegalStateException(
                    "LoRA-GA on "
                            + target
                            + " has no gradient to start from: run the gradient pass (LoraGa.start"
                            + " or LoraGaListener) before training");
        }
        if (gradient.rank() < count) {
            throw new IllegalStateException(
                    "LoRA-GA on "
                            + target
                            + " needs "
                            + count
                            + " singular vectors of the gradient, twice the rank, but was given "
                            + gradient.rank());
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
     * Returns which matrix is decomposed.
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
        private Scale scale = Scale.stable(16);
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
         * 16.
         *
         * @param scale the scale
         * @return this builder
         */
        public Builder optScale(Scale scale) {
            this.scale = scale;
            return this;
        }

        /**
         * Sets which matrix is decomposed. The default is {@link GradientKind#SGD}.
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
         */
        public LoraGaInit build() {
            return new LoraGaInit(this);
        }
    }
}

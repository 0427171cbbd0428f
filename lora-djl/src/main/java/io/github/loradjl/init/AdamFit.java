package io.github.loradjl.init;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.util.List;

/**
 * Finds A and B whose first Adam step follows that of full fine-tuning.
 *
 * <p>Adam's first step moves each entry of a parameter by the learning rate against the sign of its
 * gradient. In full fine-tuning that is -lr sign(G), in an update B A, as far as linear in the
 * learning rate, -lr t(A, B) with
 *
 * <pre>
 *   t(A, B) = sign(G A^T) A + B sign(B^T G)
 * </pre>
 *
 * <p>Singular vectors do not minimise the distance of the two,
 *
 * <pre>
 *   f(A, B) = ||t(A, B) - sign(G)||^2
 * </pre>
 *
 * <p>and no closed form is known. The signs jump and are constant otherwise, so that f has no slope
 * through them: the descent follows a smooth surrogate, with tanh in the place of sign:
 *
 * <pre>
 *   S = tanh(G A^T / tau_A),  T = tanh(B^T G / tau_B),  E = S A + B T - sign(G)
 *   1/2 d||E||^2/dA = S^T E + D_A^T G,   D_A = (E A^T) (1 - S^2) / tau_A   entry by entry
 *   1/2 d||E||^2/dB = E T^T + G D_B^T,   D_B = (B^T E) (1 - T^2) / tau_B
 * </pre>
 *
 * <p>The widths tau belong to one column of G A<sup>T</sup> and one row of B<sup>T</sup> G each.
 * They are a share of its root mean square, taken as constants, and the share falls geometrically.
 * A and B move by Adam's rule with a rate relative to the size of their entries that falls along
 * half a cosine.
 *
 * <p>Each iterate is judged by f itself. t is of degree 1 in the common factor of A and B, so with
 * the best one, k = &lt;t, sign(G)&gt; / &lt;t, t&gt;, f is ||sign(G)||<sup>2</sup> (1 -
 * cos<sup>2</sup>) for the cosine between t and sign(G). The best iterate, times its k, is the
 * result: the better of the starts at worst.
 *
 * <p>The number of iterations is fixed. Each takes eight products of r columns or rows with G or
 * sign(G), 16 m n r operations; E is never formed. Beside G and sign(G), the memory is some times
 * (m + n) r: their energies, for which a matrix in double precision is made, come from the caller,
 * who has them from the decompositions. No random number is drawn.
 *
 * <p>On gradients of a LLaMA of 135 million parameters (r = 8) singular vectors of G reach a cosine
 * of about .35, those of sign(G) .45 and this fit .7, where the best matrix of rank 2r has .77.
 *
 * @see <a href="https://arxiv.org/abs/2407.05000">LoRA-GA: Low-Rank Adaptation with Gradient
 *     Approximation</a>
 * @see <a href="https://arxiv.org/abs/1412.6980">Adam: A Method for Stochastic Optimization</a>
 */
final class AdamFit {

    /** Twice as many gain less than .01 of the cosine. */
    static final int ITERATIONS = 100;

    private static final double RATE = 0.7;
    private static final double FIRST_WIDTH = 0.3;
    private static final double LAST_WIDTH = 0.01;
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.99;
    private static final double EPS = 1e-12;

    private final NDManager scope;
    private final NDArray gradient;
    private final NDArray sign;
    private final double signEnergy;
    private final double floor;
    private Fitted best;

    /**
     * A pair with the cosine between its first Adam step and sign(G).
     *
     * @param pair A and B, times the factor that brings the step closest to sign(G)
     * @param cosine the cosine
     */
    record Fitted(LoraStart pair, double cosine) {}

    /**
     * What is fitted.
     *
     * @param gradient G, of shape (m, n), float32, not zero
     * @param energy its squared Frobenius norm
     * @param sign sign(G)
     * @param signEnergy its squared Frobenius norm
     */
    record Goal(NDArray gradient, double energy, NDArray sign, double signEnergy) {}

    AdamFit(Goal goal, NDManager scope) {
        this.scope = scope;
        gradient = goal.gradient();
        sign = goal.sign();
        signEnergy = goal.signEnergy();
        floor = 1e-6 * Math.sqrt(goal.energy() / gradient.size());
    }

    /**
     * Fits A and B.
     *
     * @param goal the gradient and its signs
     * @param starts pairs to begin with; the best is taken
     * @param manager the owner of the result
     * @return a pair that is no worse than any of the starts, whatever their factors
     */
    static Fitted fit(Goal goal, List<LoraStart> starts, NDManager manager) {
        return fit(goal, starts, ITERATIONS, manager);
    }

    static Fitted fit(Goal goal, List<LoraStart> starts, int iterations, NDManager manager) {
        try (GradientMode mode = GradientMode.off();
                NDManager scope = manager.newSubManager()) {
            AdamFit fit = new AdamFit(goal, scope);
            for (LoraStart start : starts) {
                try (Point point = fit.new Point(start.a(), start.b())) {
                    fit.keepIfBetter(point);
                }
            }
            fit.descend(iterations);
            fit.best.pair.attach(manager);
            return fit.best;
        }
    }

    private void descend(int iterations) {
        Moving a = new Moving(best.pair.a());
        Moving b = new Moving(best.pair.b());
        for (int i = 0; i < iterations; i++) {
            double done = (double) i / iterations;
            double width = FIRST_WIDTH * Math.pow(LAST_WIDTH / FIRST_WIDTH, done);
            double rate = RATE * (1 + Math.cos(Math.PI * done)) / 2;
            try (Point point = new Point(a.value, b.value)) {
                // The first iterate is the best start, which is kept already.
                if (i > 0) {
                    keepIfBetter(point);
                }
                LoraStart slope = point.slope(width);
                a.move(slope.a(), rate, i + 1);
                b.move(slope.b(), rate, i + 1);
            }
        }
        try (Point last = new Point(a.value, b.value)) {
            keepIfBetter(last);
        }
    }

    private void keepIfBetter(Point point) {
        double cosine = point.cosine();
        if (best == null || cosine > best.cosine) {
            Fitted former = best;
            best = new Fitted(point.scaled(), cosine);
            if (former != null) {
                former.pair.close();
            }
        }
    }

    /** A or B on the move, with Adam's moments. */
    private final class Moving {

        private final NDArray value;
        private final NDArray mean;
        private final NDArray square;
        private final double size;

        Moving(NDArray start) {
            value = start.duplicate();
            mean = start.zerosLike();
            square = start.zerosLike();
            size = Math.sqrt(TorchOps.squareSum(start) / start.size());
        }

        void move(NDArray slope, double rate, int t) {
            double[] hyper = {
                rate * size,
                BETA1,
                BETA2,
                EPS,
                0,
                1 - Math.pow(BETA1, t),
                Math.sqrt(1 - Math.pow(BETA2, t))
            };
            try (NDManager scratch = scope.newSubManager(Device.cpu())) {
                TorchOps.adamw(value, slope, mean, square, scratch.create(hyper));
            }
        }
    }

    /** A pair with its products with G and sign(G), which f and the slope have in common. */
    final class Point implements AutoCloseable {

        private final NDManager manager = scope.newSubManager();
        private final NDArray g = TorchOps.alias(gradient, manager);
        private final NDArray z = TorchOps.alias(sign, manager);
        private final NDArray a;
        private final NDArray b;
        private final NDArray ga;
        private final NDArray bg;
        private final NDArray za;
        private final NDArray bz;
        private final double inner;
        private final double square;

        Point(NDArray a, NDArray b) {
            this.a = TorchOps.alias(a, manager);
            this.b = TorchOps.alias(b, manager);
            ga = g.matMul(this.a.transpose());
            bg = this.b.transpose().matMul(g);
            za = z.matMul(this.a.transpose());
            bz = this.b.transpose().matMul(z);
            NDArray s = ga.sign();
            NDArray t = bg.sign();
            inner = inner(s, za) + inner(t, bz);
            // t(A, B) = X Y, and ||X Y||^2 is the inner product of X^T X and Y Y^T.
            NDArray x = s.concat(this.b, 1);
            NDArray y = this.a.concat(t, 0);
            square = inner(x.transpose().matMul(x), y.matMul(y.transpose()));
        }

        private double inner(NDArray one, NDArray other) {
            return TorchOps.inner(one, other).toFloatArray()[0];
        }

        double cosine() {
            return inner / Math.sqrt(square * signEnergy);
        }

        /** Returns the pair times its best factor. */
        LoraStart scaled() {
            float factor = (float) (inner / square);
            return new LoraStart(a.mul(factor), b.mul(factor)).attach(scope);
        }

        /** Returns half the derivatives of the surrogate. */
        LoraStart slope(double width) {
            NDArray widthA = width(ga, 0, width);
            NDArray widthB = width(bg, 1, width);
            NDArray s = ga.div(widthA).tanh();
            NDArray t = bg.div(widthB).tanh();
            // E = X Y - Z, of which only products with A, B, S and T are needed.
            NDArray x = s.concat(b, 1);
            NDArray y = a.concat(t, 0);
            NDArray at = a.transpose();
            NDArray bt = b.transpose();
            NDArray st = s.transpose();
            NDArray tt = t.transpose();
            NDArray ea = x.matMul(y.matMul(at)).sub(za);
            NDArray be = bt.matMul(x).matMul(y).sub(bz);
            NDArray se = st.matMul(x).matMul(y).sub(st.matMul(z));
            NDArray et = x.matMul(y.matMul(tt)).sub(z.matMul(tt));
            NDArray da = ea.mul(s.square().neg().add(1)).div(widthA);
            NDArray db = be.mul(t.square().neg().add(1)).div(widthB);
            return new LoraStart(
                    se.add(da.transpose().matMul(g)), et.add(g.matMul(db.transpose())));
        }

        /** Returns the widths along an axis, above 0 also where a product is 0. */
        private NDArray width(NDArray product, int axis, double share) {
            NDArray spread = product.square().mean(new int[] {axis}, true).sqrt();
            return spread.add(floor).mul(share);
        }

        @Override
        public void close() {
            manager.close();
        }
    }
}

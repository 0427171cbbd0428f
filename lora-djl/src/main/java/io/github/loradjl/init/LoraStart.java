package io.github.loradjl.init;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.linalg.Subspaces;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

/**
 * The factors that an update eta B A starts from, both float32.
 *
 * @param a A, of shape (r, n)
 * @param b B, of shape (m, r)
 */
public record LoraStart(NDArray a, NDArray b) implements AutoCloseable {

    /**
     * Checks that training can leave this start.
     *
     * @param context what the start was computed from
     * @return this
     * @throws IllegalArgumentException if a shape is wrong, a number is NaN or infinite, or both
     *     factors are zero
     */
    public LoraStart checked(InitContext context) {
        Shape wantedA = new Shape(context.rank(), context.inputs());
        Shape wantedB = new Shape(context.outputs(), context.rank());
        if (!a.getShape().equals(wantedA) || !b.getShape().equals(wantedB)) {
            throw new IllegalArgumentException(
                    String.format(
                            "the start of %s has A of shape %s and B of shape %s instead of %s and"
                                    + " %s",
                            context.target(), a.getShape(), b.getShape(), wantedA, wantedB));
        }
        double sizeA = TorchOps.squareSum(a);
        double sizeB = TorchOps.squareSum(b);
        if (!Double.isFinite(sizeA) || !Double.isFinite(sizeB)) {
            throw new IllegalArgumentException(
                    "the start of " + context.target() + " holds NaN or infinite numbers");
        }
        if (sizeA == 0 && sizeB == 0) {
            throw new IllegalArgumentException(
                    "the start of " + context.target() + " is dead: " + DEAD);
        }
        return this;
    }

    /** Why both factors cannot be zero. */
    static final String DEAD =
            "with A = 0 and B = 0 both gradients are zero for ever, because each is a product with"
                    + " the other factor; start one of them at random";

    /**
     * Returns the Frobenius norm of eta B A, without forming the product.
     *
     * @param scaling eta
     * @return the norm
     */
    public double productNorm(double scaling) {
        try (GradientMode mode = GradientMode.off();
                NDArray at = a.transpose();
                NDArray bt = b.transpose();
                NDArray aa = a.matMul(at);
                NDArray bb = bt.matMul(b);
                NDArray trace = TorchOps.inner(aa, bb)) {
            // ||B A||^2 = tr(A A^T B^T B); rounding may leave a tiny negative number for zero.
            return Math.abs(scaling) * Math.sqrt(Math.max(0, trace.toFloatArray()[0]));
        }
    }

    /**
     * Returns the part of the first SGD step that is linear in the learning rate: the update of W0
     * is -lr times the result, up to lr<sup>2</sup> eta<sup>3</sup> G A<sup>T</sup> B<sup>T</sup>
     * G.
     *
     * @param gradient G, of shape (m, n), float32
     * @param scaling eta
     * @return eta<sup>2</sup> (G A<sup>T</sup> A + B B<sup>T</sup> G), of shape (m, n), owned by
     *     the manager of {@code gradient}
     */
    public NDArray firstStep(NDArray gradient, double scaling) {
        try (GradientMode mode = GradientMode.off();
                NDArray at = a.transpose();
                NDArray bt = b.transpose();
                NDArray ga = gradient.matMul(at);
                NDArray gb = bt.matMul(gradient);
                NDArray inputSide = ga.matMul(a);
                NDArray outputSide = b.matMul(gb);
                NDArray sum = inputSide.add(outputSide)) {
            NDArray step = sum.mul((float) (scaling * scaling));
            step.attach(gradient.getManager());
            return step;
        }
    }

    /**
     * Returns the cosine between the first SGD step of the update, as far as linear in the learning
     * rate, and that of full fine-tuning. It cannot exceed the best rank-2r value.
     *
     * @param gradient G, of shape (m, n), float32
     * @return the cosine, which does not depend on eta
     * @see Subspaces#bestCosine
     */
    public double firstStepCosine(NDArray gradient) {
        try (NDArray step = firstStep(gradient, 1)) {
            return Subspaces.cosine(step, gradient);
        }
    }

    /**
     * Returns the part of the first Adam step that is linear in the learning rate: the update of W0
     * is -lr times the result, up to lr<sup>2</sup> eta sign(G A<sup>T</sup>) sign(B<sup>T</sup>
     * G).
     *
     * @param gradient G, of shape (m, n), float32
     * @param scaling eta
     * @return eta (sign(G A<sup>T</sup>) A + B sign(B<sup>T</sup> G)), of shape (m, n), owned by
     *     the manager of {@code gradient}
     */
    public NDArray firstAdamStep(NDArray gradient, double scaling) {
        try (GradientMode mode = GradientMode.off();
                NDArray at = a.transpose();
                NDArray bt = b.transpose();
                NDArray ga = gradient.matMul(at);
                NDArray gb = bt.matMul(gradient);
                NDArray signA = ga.sign();
                NDArray signB = gb.sign();
                NDArray inputSide = signA.matMul(a);
                NDArray outputSide = b.matMul(signB);
                NDArray sum = inputSide.add(outputSide)) {
            NDArray step = sum.mul((float) scaling);
            step.attach(gradient.getManager());
            return step;
        }
    }

    /**
     * Returns the cosine between the first Adam step of the update, as far as linear in the
     * learning rate, and that of full fine-tuning, sign(G). It cannot exceed the best rank-2r value
     * for sign(G).
     *
     * @param gradient G, of shape (m, n), float32
     * @return the cosine, which does not depend on eta
     * @see Subspaces#bestCosine
     */
    public double firstAdamStepCosine(NDArray gradient) {
        try (GradientMode mode = GradientMode.off();
                NDArray step = firstAdamStep(gradient, 1);
                NDArray sign = gradient.sign()) {
            return Subspaces.cosine(step, sign);
        }
    }

    /**
     * Hands the arrays to another manager.
     *
     * @param manager the new owner
     * @return this
     */
    public LoraStart attach(NDManager manager) {
        a.attach(manager);
        b.attach(manager);
        return this;
    }

    /** Releases the arrays. */
    @Override
    public void close() {
        a.close();
        b.close();
    }
}

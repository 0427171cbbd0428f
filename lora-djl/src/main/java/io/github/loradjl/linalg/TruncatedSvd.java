package io.github.loradjl.linalg;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.util.SplittableRandom;

/**
 * The leading singular triplets of a matrix, exact or by random sampling of its range.
 *
 * <p>LoRA-GA and PiSSA want a few triplets of matrices with thousands of rows. A full decomposition
 * of an (m, n) matrix costs O(m n min(m, n)); sampling costs O(m n q) with q a small multiple of
 * the number of triplets:
 *
 * <pre>
 *   Y = M Omega,  Omega (n, q) normal        the range of M, blurred by its smaller values
 *   Q = qr(Y)
 *   repeat:  Z = qr(M^T Q),  Q = qr(M Z)     each round sharpens by (sigma_j / sigma_i)^2
 *   Q^T M = U' S V^T,  U = Q U'              a small decomposition, (q, n)
 * </pre>
 *
 * <p>The QR between passes is not optional: without it the columns of Y all turn towards the first
 * singular vector and float32 loses the others. Where q would reach the smaller side of the matrix,
 * nothing is left to sample and the exact decomposition is taken.
 *
 * <p>The same seed gives the same factors on the same machine. Signs, which a decomposition leaves
 * open, are fixed: in each left vector the entry of largest magnitude is positive.
 *
 * @see <a href="https://arxiv.org/abs/0909.4061">Finding structure with randomness</a>
 */
public final class TruncatedSvd {

    private TruncatedSvd() {}

    /**
     * Decomposes a matrix.
     *
     * @param matrix a matrix of shape (m, n) in any floating point type; widened to float32
     * @param count the number of triplets k, at most min(m, n)
     * @param options how to decompose
     * @param manager the owner of the result
     * @return the k leading triplets, with the energy of the whole matrix
     * @throws IllegalArgumentException if {@code matrix} is not a matrix, has fewer than {@code
     *     count} singular values or holds NaN or infinite numbers
     */
    public static SingularFactors compute(
            NDArray matrix, int count, SvdOptions options, NDManager manager) {
        Shape shape = matrix.getShape();
        requireCount(shape, count);
        try (GradientMode mode = GradientMode.off();
                NDManager scope = manager.newSubManager()) {
            NDArray m = widen(matrix, scope);
            double energy = TorchOps.squareSum(m);
            if (!Double.isFinite(energy)) {
                throw new IllegalArgumentException(
                        "the matrix of shape "
                                + shape
                                + " holds NaN or infinite numbers and has no singular value"
                                + " decomposition");
            }
            int q = options.basisSize(count, shape.get(0), shape.get(1));
            if (options.exact() || q >= Math.min(shape.get(0), shape.get(1))) {
                NDList usv = TorchOps.svd(m);
                return truncate(usv.get(0), usv.get(1), usv.get(2), count, energy, manager);
            }
            SplittableRandom random = new SplittableRandom(options.seed());
            NDArray omega = RandomMatrix.normal(scope, shape.get(1), q, 1, random);
            NDArray basis = orthonormalise(m.matMul(omega.toDevice(m.getDevice(), false)), scope);
            for (int i = 0; i < options.powerIterations(); i++) {
                NDArray right = orthonormalise(m.transpose().matMul(basis), scope);
                basis = orthonormalise(m.matMul(right), scope);
            }
            return fromRange(basis, basis.transpose().matMul(m), count, energy, manager);
        }
    }

    /**
     * Finishes a decomposition from an orthonormal basis of (most of) the range, where the matrix M
     * itself need not exist.
     *
     * @param basis Q, of shape (m, q), with orthonormal columns
     * @param projected Q<sup>T</sup> M, of shape (q, n)
     * @param count the number of triplets k, at most min(q, n)
     * @param energy the squared Frobenius norm of M, or an estimate of it
     * @param manager the owner of the result
     * @return the k leading triplets of Q Q<sup>T</sup> M
     * @throws IllegalArgumentException if the basis has fewer than {@code count} columns
     */
    public static SingularFactors fromRange(
            NDArray basis, NDArray projected, int count, double energy, NDManager manager) {
        requireCount(projected.getShape(), count);
        try (GradientMode mode = GradientMode.off();
                NDManager scope = manager.newSubManager()) {
            NDList usv = TorchOps.svd(widen(projected, scope));
            NDArray left = widen(basis, scope).matMul(usv.get(0));
            return truncate(left, usv.get(1), usv.get(2), count, energy, manager);
        }
    }

    /**
     * Returns an orthonormal basis of the columns of a matrix.
     *
     * @param matrix a float32 matrix of shape (m, q) with q at most m
     * @param manager the owner of the result
     * @return a matrix of shape (m, q) with orthonormal columns; where the columns of {@code
     *     matrix} are dependent, the last ones are arbitrary
     */
    public static NDArray orthonormalise(NDArray matrix, NDManager manager) {
        try (GradientMode mode = GradientMode.off()) {
            NDList qr = TorchOps.qr(matrix);
            qr.get(1).close();
            NDArray q = qr.get(0);
            q.attach(manager);
            return q;
        }
    }

    /** The arguments belong to the caller's scope; the result holds no views of them. */
    private static SingularFactors truncate(
            NDArray u, NDArray s, NDArray vt, int count, double energy, NDManager manager) {
        NDArray left = u.get(new NDIndex(":, :{}", count));
        NDArray largest = left.abs().argMax(0).reshape(1, count).toType(DataType.INT64, false);
        NDArray sign = left.gather(largest, 0).sign();
        NDArray right = vt.get(new NDIndex(":{}", count));
        SingularFactors factors =
                new SingularFactors(
                        rowMajor(left.mul(sign)),
                        s.get(new NDIndex(":{}", count)).duplicate(),
                        rowMajor(right.mul(sign.reshape(count, 1))),
                        energy);
        return factors.attach(manager);
    }

    /** LAPACK leaves column-major matrices, which element-wise operations keep. */
    private static NDArray rowMajor(NDArray x) {
        return x.reshape(-1).reshape(x.getShape());
    }

    private static NDArray widen(NDArray x, NDManager scope) {
        NDArray wide = TorchOps.toFloat32(x);
        wide.attach(scope);
        return wide;
    }

    private static void requireCount(Shape shape, int count) {
        if (shape.dimension() != 2) {
            throw new IllegalArgumentException(
                    "a singular value decomposition needs a matrix, not an array of shape "
                            + shape);
        }
        long available = Math.min(shape.get(0), shape.get(1));
        if (count < 1 || count > available) {
            throw new IllegalArgumentException(
                    "asked for "
                            + count
                            + " singular triplets of a matrix of shape "
                            + shape
                            + ", which has "
                            + available);
        }
    }
}

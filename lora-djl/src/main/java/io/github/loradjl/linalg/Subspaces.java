package io.github.loradjl.linalg;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;

import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

/**
 * Comparison of subspaces and of directions.
 *
 * <p>Singular vectors of equal or nearly equal singular values are free to turn among themselves,
 * so two correct decompositions may differ in every entry. What they must share are the subspaces
 * that the vectors span. The principal angles between two subspaces are the singular values of
 * X<sup>T</sup> Y for orthonormal bases X and Y: all cosines are 1 exactly where the smaller
 * subspace lies in the larger.
 */
public final class Subspaces {

    private Subspaces() {}

    /**
     * Returns the cosines of the principal angles between two subspaces spanned by columns.
     *
     * @param x orthonormal columns, of shape (m, k)
     * @param y orthonormal columns, of shape (m, l)
     * @return min(k, l) cosines, descending
     */
    public static float[] columnCosines(NDArray x, NDArray y) {
        try (GradientMode mode = GradientMode.off();
                NDArray xt = x.transpose();
                NDArray product = xt.matMul(y);
                NDList usv = TorchOps.svd(product)) {
            return usv.get(1).toFloatArray();
        }
    }

    /**
     * Returns the cosines of the principal angles between two subspaces spanned by rows.
     *
     * @param x orthonormal rows, of shape (k, n)
     * @param y orthonormal rows, of shape (l, n)
     * @return min(k, l) cosines, descending
     */
    public static float[] rowCosines(NDArray x, NDArray y) {
        try (NDArray xt = x.transpose();
                NDArray yt = y.transpose()) {
            return columnCosines(xt, yt);
        }
    }

    /**
     * Returns the cosine of the angle between two arrays, seen as vectors.
     *
     * @param x an array
     * @param y an array of the same shape
     * @return the inner product over the product of the norms; 0 if either array is zero
     */
    public static double cosine(NDArray x, NDArray y) {
        double scale = Math.sqrt(TorchOps.squareSum(x)) * Math.sqrt(TorchOps.squareSum(y));
        if (scale == 0) {
            return 0;
        }
        try (GradientMode mode = GradientMode.off();
                NDArray inner = TorchOps.inner(x, y)) {
            return inner.toFloatArray()[0] / scale;
        }
    }

    /**
     * Returns the cosine between a matrix and its best approximation of a given rank, which no
     * other matrix of that rank exceeds.
     *
     * @param factors the leading triplets of the matrix
     * @param rank the rank, at most the number of triplets
     * @return the root of the share of energy in the first {@code rank} singular values
     */
    public static double bestCosine(SingularFactors factors, int rank) {
        return Math.sqrt(factors.captured(rank));
    }

    /**
     * Returns the number of leading triplets whose span is well determined: the largest k up to a
     * limit where the k-th singular value exceeds the next one by a factor.
     *
     * @param factors the leading triplets of a matrix, more than {@code limit} of them to judge the
     *     last
     * @param limit the largest number to return
     * @param gap the factor, for example 1.05
     * @return the number; 0 if no such gap exists
     */
    public static int separated(SingularFactors factors, int limit, double gap) {
        float[] s = factors.s().toFloatArray();
        for (int k = Math.min(limit, s.length - 1); k > 0; k--) {
            if (s[k - 1] >= gap * s[k]) {
                return k;
            }
        }
        return 0;
    }
}

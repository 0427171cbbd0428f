package io.github.loradjl.linalg;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/**
 * The leading singular triplets of an (m, n) matrix, all in float32: M is about U diag(S) V<sup>T
 * </sup>.
 *
 * <p>Signs are fixed: the entry of largest magnitude of each left vector is positive.
 *
 * @param u left singular vectors as columns, of shape (m, k)
 * @param s singular values, descending, of shape (k)
 * @param vt right singular vectors as rows, of shape (k, n)
 * @param energy the squared Frobenius norm of the whole matrix, or an estimate of it
 */
public record SingularFactors(NDArray u, NDArray s, NDArray vt, double energy)
        implements AutoCloseable {

    /**
     * Returns the number of triplets.
     *
     * @return k
     */
    public int rank() {
        return Math.toIntExact(s.size());
    }

    /**
     * Returns the share of the matrix's energy that the first triplets hold.
     *
     * @param count the number of triplets, at most {@link #rank()}
     * @return the sum of the first squared singular values over the squared Frobenius norm; 0 for a
     *     zero matrix
     * @throws IllegalArgumentException if there are fewer triplets
     */
    public double captured(int count) {
        float[] values = s.toFloatArray();
        if (count > values.length) {
            throw new IllegalArgumentException(
                    "asked for the energy of " + count + " triplets of " + values.length);
        }
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += (double) values[i] * values[i];
        }
        return energy == 0 ? 0 : sum / energy;
    }

    /**
     * Hands the arrays to another manager.
     *
     * @param manager the new owner
     * @return this
     */
    public SingularFactors attach(NDManager manager) {
        u.attach(manager);
        s.attach(manager);
        vt.attach(manager);
        return this;
    }

    /** Releases the arrays. */
    @Override
    public void close() {
        u.close();
        s.close();
        vt.close();
    }
}

package io.github.loradjl.init;

import ai.djl.ndarray.NDManager;

import io.github.loradjl.linalg.SingularFactors;

/**
 * What is kept of the gradient G of one target weight, of shape (m, n), for a start.
 *
 * @param leading the leading singular triplets of G; for {@link GradientKind#SIGN} those of sign(G)
 * @param fitted for {@link GradientKind#ADAM} A of shape (r, n) and B of shape (m, r) whose first
 *     Adam step follows sign(G), for eta = 1; else null
 * @param captured the share of energy that the start captures: of the matrix {@code leading}
 *     belongs to in its triplets; with {@code fitted} of sign(G) in the first Adam step
 */
public record GradientFactors(SingularFactors leading, LoraStart fitted, double captured)
        implements AutoCloseable {

    /**
     * Keeps singular triplets alone.
     *
     * @param leading the triplets
     * @return the factors, which take over the triplets
     */
    public static GradientFactors of(SingularFactors leading) {
        return new GradientFactors(leading, null, leading.captured(leading.rank()));
    }

    /**
     * Hands the arrays to another manager.
     *
     * @param manager the new owner
     * @return this
     */
    public GradientFactors attach(NDManager manager) {
        leading.attach(manager);
        if (fitted != null) {
            fitted.attach(manager);
        }
        return this;
    }

    /** Releases the arrays. */
    @Override
    public void close() {
        leading.close();
        if (fitted != null) {
            fitted.close();
        }
    }
}

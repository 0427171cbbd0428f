package io.github.loradjl.init;

import io.github.loradjl.linalg.SvdOptions;

/**
 * How long the rows of A and the columns of B are that LoRA-GA starts from: the factor c of A0 = c
 * V<sub>A</sub><sup>T</sup>, B0 = c U<sub>B</sub>.
 *
 * <p>As far as linear in the learning rate lr, the first SGD step changes the weight by -lr zeta
 * G<sub>2r</sub> with zeta = eta<sup>2</sup> c<sup>2</sup> and G<sub>2r</sub> the best rank-2r
 * approximation of the gradient: zeta is the adapter's step in units of full fine-tuning's.
 */
@FunctionalInterface
public interface Scale {

    /**
     * Returns the factor for one target.
     *
     * @param context the target: its weight of shape (m, n), rank r and scaling eta
     * @return c, above 0
     */
    double factor(InitContext context);

    /**
     * Returns c = m<sup>1/4</sup> / sqrt(gamma), the paper's choice: with eta = alpha / sqrt(r) the
     * output of the adapter keeps its size as r and m grow.
     *
     * @param gamma gamma, above 0; 16 by default
     * @return the scale
     * @throws IllegalArgumentException if {@code gamma} is not above 0
     */
    static Scale stable(double gamma) {
        return new Scales.Stable(gamma);
    }

    /**
     * Returns c = sqrt(zeta) / eta, so that the first step is zeta times that of full fine-tuning,
     * projected on rank 2r.
     *
     * @param zeta the ratio, above 0
     * @return the scale
     * @throws IllegalArgumentException if {@code zeta} is not above 0
     */
    static Scale zeta(double zeta) {
        return new Scales.Zeta(zeta);
    }

    /**
     * Returns the scale with zeta = kappa eta sqrt(m / r), for which the second moment of the
     * adapter's output, relative to its input, is kappa<sup>2</sup> whatever m, r and eta.
     *
     * @param kappa kappa, above 0
     * @return the scale
     * @throws IllegalArgumentException if {@code kappa} is not above 0
     */
    static Scale zetaForward(double kappa) {
        return new Scales.ZetaForward(kappa);
    }

    /**
     * Returns the scale with zeta = kappa eta sqrt(n / r), for which the second moment of the
     * gradient that the adapter hands down, relative to the one it receives, is kappa<sup>2</sup>
     * whatever n, r and eta.
     *
     * @param kappa kappa, above 0
     * @return the scale
     * @throws IllegalArgumentException if {@code kappa} is not above 0
     */
    static Scale zetaBackward(double kappa) {
        return new Scales.ZetaBackward(kappa);
    }

    /**
     * Returns c = 1 / eta: the first step is that of full fine-tuning, projected on rank 2r.
     *
     * @return the scale
     */
    static Scale gd() {
        return new Scales.Gd();
    }

    /**
     * Returns c = 1: A has orthonormal rows and B orthonormal columns.
     *
     * @return the scale
     */
    static Scale unit() {
        return new Scales.Unit();
    }

    /**
     * Returns c = the mean of sqrt(sigma_i(W0) / eta) over the first r singular values of the
     * weight, from a randomised decomposition.
     *
     * @return the scale
     */
    static Scale weight() {
        return weight(SvdOptions.defaults());
    }

    /**
     * Returns c = the mean of sqrt(sigma_i(W0) / eta) over the first r singular values of the
     * weight.
     *
     * @param options how to decompose the weight; the seed is replaced by the target's
     * @return the scale
     */
    static Scale weight(SvdOptions options) {
        return new Scales.Weight(options);
    }
}

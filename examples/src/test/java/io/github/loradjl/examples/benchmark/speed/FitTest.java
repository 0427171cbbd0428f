package io.github.loradjl.examples.benchmark.speed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

import java.util.Arrays;

class FitTest {

    /** Far above the rounding of sums of six doubles, far below any measurement's error. */
    private static final double ROUNDING = 1e-8;

    private static final double[] LENGTHS = {128, 256, 512, 1024, 2048, 4096};

    @Test
    void of_pointsOnAParabola_findsIt() {
        double[] seconds =
                Arrays.stream(LENGTHS).map(x -> 0.07 + 2e-4 * x + 5e-8 * x * x).toArray();
        Fit fit = Fit.of(LENGTHS, seconds, 2);
        assertThat(fit.coefficients()[0]).isCloseTo(0.07, within(0.07 * ROUNDING));
        assertThat(fit.coefficients()[1]).isCloseTo(2e-4, within(2e-4 * ROUNDING));
        assertThat(fit.coefficients()[2]).isCloseTo(5e-8, within(5e-8 * ROUNDING));
        assertThat(fit.deviation()).isLessThan(ROUNDING);
    }

    @Test
    void of_pointsOfAParabola_areFarFromALine() {
        double[] squares = Arrays.stream(LENGTHS).map(x -> x * x).toArray();
        assertThat(Fit.of(LENGTHS, squares, 1).deviation()).isGreaterThan(0.5);
    }

    @Test
    void of_noise_weighsRelativeErrors() {
        // c = 1.2 minimises (c / 1 - 1)^2 + (c / 2 - 1)^2; the mean would be 1.5.
        Fit fit = Fit.of(new double[] {3, 5}, new double[] {1, 2}, 0);
        assertThat(fit.coefficients()[0]).isCloseTo(1.2, within(ROUNDING));
        assertThat(fit.deviation()).isCloseTo(0.4, within(ROUNDING));
    }

    @Test
    void highestShare_isOfTheHighestPower() {
        Fit fit = new Fit(new double[] {1, 2, 3}, 0.0254);
        assertThat(fit.highestShare(2)).isCloseTo(12 / 17.0, within(ROUNDING));
        assertThat(fit).hasToString("1.000 +2.000 x +3.000 x^2, off by at most 2.5%");
    }
}

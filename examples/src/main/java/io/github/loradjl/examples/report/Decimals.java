package io.github.loradjl.examples.report;

import java.math.BigDecimal;
import java.math.MathContext;

/** Numbers such as learning rates as people write them. */
public final class Decimals {

    private Decimals() {}

    /**
     * Writes a number without a tail of zeros, with a power of ten where it is very small or large.
     *
     * @param value the number, above 0
     * @return the text, as {@code 0.05} or {@code 2e-4}
     */
    public static String text(double value) {
        BigDecimal exact = new BigDecimal(value, new MathContext(6)).stripTrailingZeros();
        if (value >= 0.01 && value < 1e6) {
            return exact.toPlainString();
        }
        int exponent = exact.precision() - exact.scale() - 1;
        return exact.scaleByPowerOfTen(-exponent).stripTrailingZeros().toPlainString()
                + "e"
                + exponent;
    }
}

package io.github.loradjl.zoo.text.chat;

import java.math.BigDecimal;

/**
 * Arithmetic on Python's numbers: whole ones as Long, others as Double, truth values as 0 and 1.
 */
final class Numbers {

    private Numbers() {}

    static boolean isNumber(Object value) {
        return value instanceof Long || value instanceof Double || value instanceof Boolean;
    }

    static long whole(Object value) {
        if (value instanceof Long number) {
            return number;
        }
        if (value instanceof Boolean truth) {
            return truth ? 1 : 0;
        }
        throw new TemplateException("a whole number is needed, not " + Values.repr(value));
    }

    static double real(Object value) {
        return value instanceof Double number ? number : whole(value);
    }

    static Object binary(String operator, Object left, Object right) {
        try {
            return switch (operator) {
                case "+" ->
                        isReal(left, right)
                                ? real(left) + real(right)
                                : (Object) Math.addExact(whole(left), whole(right));
                case "-" ->
                        isReal(left, right)
                                ? real(left) - real(right)
                                : (Object) Math.subtractExact(whole(left), whole(right));
                case "*" ->
                        isReal(left, right)
                                ? real(left) * real(right)
                                : (Object) Math.multiplyExact(whole(left), whole(right));
                case "/" -> real(left) / divisor(right);
                case "//" ->
                        isReal(left, right)
                                ? Math.floor(real(left) / divisor(right))
                                : (Object) Math.floorDiv(whole(left), (long) divisor(right));
                case "%" ->
                        isReal(left, right)
                                ? remainder(real(left), divisor(right))
                                : (Object) Math.floorMod(whole(left), (long) divisor(right));
                default -> power(left, right);
            };
        } catch (ArithmeticException e) {
            throw new TemplateException(
                    "a number is too large in "
                            + Values.repr(left)
                            + " "
                            + operator
                            + " "
                            + Values.repr(right));
        }
    }

    private static boolean isReal(Object left, Object right) {
        return left instanceof Double || right instanceof Double;
    }

    private static double divisor(Object value) {
        double divisor = real(value);
        if (divisor == 0) {
            throw new TemplateException("division by zero");
        }
        return divisor;
    }

    private static double remainder(double left, double right) {
        double remainder = left % right;
        return remainder != 0 && (remainder < 0) != (right < 0) ? remainder + right : remainder;
    }

    private static Object power(Object left, Object right) {
        if (isReal(left, right) || whole(right) < 0) {
            return Math.pow(real(left), real(right));
        }
        long base = whole(left);
        long result = 1;
        long exponent = whole(right);
        if (base == 0 || base == 1 || base == -1) {
            return exponent == 0 ? 1L : base == -1 && exponent % 2 == 0 ? 1L : base;
        }
        for (long i = 0; i < exponent; i++) {
            result = Math.multiplyExact(result, base);
        }
        return result;
    }

    /** Writes a number as Python does: 3.5, 2.0, 1e+16. */
    static String text(Object number) {
        if (!(number instanceof Double)) {
            return String.valueOf(number);
        }
        double value = (Double) number;
        if (Double.isNaN(value)) {
            return "nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal digits = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        int exponent = digits.precision() - digits.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = digits.toPlainString();
            return plain.indexOf('.') < 0 ? plain + ".0" : plain;
        }
        String mantissa = digits.unscaledValue().abs().toString();
        String tail = mantissa.length() > 1 ? "." + mantissa.substring(1) : "";
        return (value < 0 ? "-" : "")
                + mantissa.charAt(0)
                + tail
                + (exponent < 0 ? "e-" : "e+")
                + (Math.abs(exponent) < 10 ? "0" : "")
                + Math.abs(exponent);
    }
}

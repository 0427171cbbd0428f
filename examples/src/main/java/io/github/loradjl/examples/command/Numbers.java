package io.github.loradjl.examples.command;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

import java.util.function.DoublePredicate;
import java.util.function.IntPredicate;

/** The ranges of options' numbers; picocli names the option before what these say. */
final class Numbers {

    private Numbers() {}

    /** An int of at least 1. */
    static final class Positive implements ITypeConverter<Integer> {

        /** {@inheritDoc} */
        @Override
        public Integer convert(String text) {
            return whole(text, n -> n >= 1, "a whole number of at least 1");
        }
    }

    /** An int of at least 0. */
    static final class NotNegative implements ITypeConverter<Integer> {

        /** {@inheritDoc} */
        @Override
        public Integer convert(String text) {
            return whole(text, n -> n >= 0, "a whole number of at least 0");
        }
    }

    /** An int of at least 2: a row of fewer tokens has none to learn. */
    static final class AtLeastTwo implements ITypeConverter<Integer> {

        /** {@inheritDoc} */
        @Override
        public Integer convert(String text) {
            return whole(text, n -> n >= 2, "a whole number of at least 2");
        }
    }

    /** A number above 0. */
    static final class PositiveReal implements ITypeConverter<Double> {

        /** {@inheritDoc} */
        @Override
        public Double convert(String text) {
            return real(text, x -> x > 0 && Double.isFinite(x), "a number above 0");
        }
    }

    /** A number above 0, or {@code inf}. */
    static final class PositiveOrInfinite implements ITypeConverter<Double> {

        /** {@inheritDoc} */
        @Override
        public Double convert(String text) {
            return text.equalsIgnoreCase("inf")
                    ? Double.POSITIVE_INFINITY
                    : real(text, x -> x > 0, "a number above 0, or inf");
        }
    }

    /** A number of at least 0. */
    static final class NotNegativeReal implements ITypeConverter<Double> {

        /** {@inheritDoc} */
        @Override
        public Double convert(String text) {
            return real(text, x -> x >= 0 && Double.isFinite(x), "a number of at least 0");
        }
    }

    /** A number of at least 1. */
    static final class AtLeastOneReal implements ITypeConverter<Double> {

        /** {@inheritDoc} */
        @Override
        public Double convert(String text) {
            return real(text, x -> x >= 1 && Double.isFinite(x), "a number of at least 1");
        }
    }

    /** A number from 0 to 1. */
    static final class Share implements ITypeConverter<Double> {

        /** {@inheritDoc} */
        @Override
        public Double convert(String text) {
            return real(text, x -> x >= 0 && x <= 1, "a number from 0 to 1");
        }
    }

    /** A number from 0 to below 1. */
    static final class ShareBelowOne implements ITypeConverter<Double> {

        /** {@inheritDoc} */
        @Override
        public Double convert(String text) {
            return real(text, x -> x >= 0 && x < 1, "a number from 0 to below 1");
        }
    }

    private static int whole(String text, IntPredicate range, String expected) {
        try {
            int number = Integer.parseInt(text.strip());
            if (range.test(number)) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Told below, with what would be right.
        }
        throw wrong(text, expected);
    }

    private static double real(String text, DoublePredicate range, String expected) {
        try {
            double number = Double.parseDouble(text.strip());
            if (range.test(number)) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Told below, with what would be right.
        }
        throw wrong(text, expected);
    }

    private static TypeConversionException wrong(String text, String expected) {
        return new TypeConversionException("'" + text + "' is not " + expected);
    }
}

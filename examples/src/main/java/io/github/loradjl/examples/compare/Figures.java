package io.github.loradjl.examples.compare;

import io.github.loradjl.examples.report.Decimals;

import java.util.List;
import java.util.Locale;

/** Numbers as people read them, and what several of them come to. */
final class Figures {

    private Figures() {}

    /** Writes a learning rate without a tail of zeros. */
    static String rate(double rate) {
        return Decimals.text(rate);
    }

    /**
     * Writes a mean with the standard deviation of several values, or the only value, or nothing.
     */
    static String spread(List<Double> values, int digits) {
        if (values.isEmpty()) {
            return "";
        }
        if (values.stream().anyMatch(value -> !Double.isFinite(value))) {
            return "diverged";
        }
        String mean = fixed(mean(values), digits);
        return values.size() < 2 ? mean : mean + " ± " + fixed(deviation(values), digits);
    }

    static String fixed(double value, int digits) {
        return String.format(Locale.ROOT, "%." + digits + "f", value);
    }

    static double mean(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
    }

    /** Returns the standard deviation of a sample. */
    static double deviation(List<Double> values) {
        double mean = mean(values);
        double squares = values.stream().mapToDouble(v -> (v - mean) * (v - mean)).sum();
        return Math.sqrt(squares / (values.size() - 1));
    }

    static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        int half = sorted.size() / 2;
        return sorted.size() % 2 == 1
                ? sorted.get(half)
                : (sorted.get(half - 1) + sorted.get(half)) / 2;
    }
}

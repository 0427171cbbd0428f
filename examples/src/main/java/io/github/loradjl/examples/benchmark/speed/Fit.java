package io.github.loradjl.examples.benchmark.speed;

import java.util.Locale;

/**
 * A polynomial through measured points: the one whose relative errors have the least sum of
 * squares, so that small numbers count as much as large ones.
 *
 * @param coefficients the coefficients, that of 1 first
 * @param deviation the largest difference of a point from it, relative to the point
 */
record Fit(double[] coefficients, double deviation) {

    /**
     * Fits.
     *
     * @param x where the points are, more than {@code degree} different ones
     * @param y the numbers there, none zero
     * @param degree the degree
     */
    static Fit of(double[] x, double[] y, int degree) {
        double unit = 0;
        for (double at : x) {
            unit = Math.max(unit, Math.abs(at));
        }
        int count = degree + 1;
        // The normal equations of the rows (1, x, x^2 ...) / y and the right side 1, which is the
        // last column; x is in units of the largest.
        double[][] equations = new double[count][count + 1];
        for (int i = 0; i < x.length; i++) {
            for (int row = 0; row < count; row++) {
                double factor = Math.pow(x[i] / unit, row) / y[i];
                for (int column = 0; column < count; column++) {
                    equations[row][column] += factor * Math.pow(x[i] / unit, column) / y[i];
                }
                equations[row][count] += factor;
            }
        }
        double[] coefficients = solve(equations);
        for (int i = 0; i < count; i++) {
            coefficients[i] /= Math.pow(unit, i);
        }
        double deviation = 0;
        for (int i = 0; i < x.length; i++) {
            deviation = Math.max(deviation, Math.abs(at(coefficients, x[i]) / y[i] - 1));
        }
        return new Fit(coefficients, deviation);
    }

    /** Eliminates; the matrix is positive definite, so that its diagonal needs no exchange. */
    private static double[] solve(double[][] equations) {
        int count = equations.length;
        for (int pivot = 0; pivot < count; pivot++) {
            for (int row = 0; row < count; row++) {
                double factor = equations[row][pivot] / equations[pivot][pivot];
                for (int column = pivot; row != pivot && column <= count; column++) {
                    equations[row][column] -= factor * equations[pivot][column];
                }
            }
        }
        double[] solution = new double[count];
        for (int i = 0; i < count; i++) {
            solution[i] = equations[i][count] / equations[i][i];
        }
        return solution;
    }

    private static double at(double[] coefficients, double x) {
        double sum = 0;
        for (int i = coefficients.length - 1; i >= 0; i--) {
            sum = sum * x + coefficients[i];
        }
        return sum;
    }

    /** Returns the share of the highest power in the number at a place. */
    double highestShare(double x) {
        int degree = coefficients.length - 1;
        return coefficients[degree] * Math.pow(x, degree) / at(coefficients, x);
    }

    /** Formats the polynomial and how far the points are from it. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < coefficients.length; i++) {
            text.append(String.format(Locale.ROOT, i == 0 ? "%.4g" : " %+.4g", coefficients[i]));
            text.append(i == 0 ? "" : i == 1 ? " x" : " x^" + i);
        }
        return text + String.format(Locale.ROOT, ", off by at most %.1f%%", 100 * deviation);
    }
}

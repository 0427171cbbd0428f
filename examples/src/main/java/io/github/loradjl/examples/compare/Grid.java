package io.github.loradjl.examples.compare;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which runs make a comparison: every method at each of its rates from each of its seeds.
 *
 * @param methods the methods, each label once
 * @param rates the learning rates of the methods that name none of their own, ascending
 * @param seeds the seeds of the methods that name none of their own
 */
public record Grid(List<Method> methods, List<Double> rates, List<Integer> seeds) {

    /**
     * Creates a grid.
     *
     * @param methods the methods
     * @param rates the learning rates
     * @param seeds the seeds
     * @throws IllegalArgumentException if something is missing or comes twice
     */
    public Grid {
        rates = rates.stream().sorted().toList();
        requireDistinct("methods", methods.stream().map(Method::label).toList());
        // Files and tables know a rate by so many digits.
        requireDistinct("learning rates", rates.stream().map(Figures::rate).toList());
        requireDistinct("seeds", seeds);
    }

    private static void requireDistinct(String what, List<?> values) {
        if (values.isEmpty()) {
            throw new IllegalArgumentException("a comparison needs " + what);
        }
        Set<Object> seen = new LinkedHashSet<>();
        for (Object value : values) {
            if (!seen.add(value)) {
                throw new IllegalArgumentException(value + " comes twice among the " + what);
            }
        }
    }

    /**
     * Checks that a method is compared, at whatever rates and seeds.
     *
     * @param what what the method is, for the message
     * @param method the method
     * @throws IllegalArgumentException if it is not
     */
    public void requireMethod(String what, Method method) {
        List<String> labels = methods.stream().map(Method::label).toList();
        if (!labels.contains(method.label())) {
            throw new IllegalArgumentException(
                    what + " " + method + " is none of the methods " + labels);
        }
    }

    /**
     * Checks that a learning rate is tried.
     *
     * @param what what the rate is, for the message
     * @param rate the rate
     * @throws IllegalArgumentException if no method has it
     */
    public void requireRate(String what, double rate) {
        TreeSet<Double> tried = new TreeSet<>();
        methods.forEach(method -> tried.addAll(method.rates(rates)));
        if (!tried.contains(rate)) {
            throw new IllegalArgumentException(
                    what
                            + " "
                            + Figures.rate(rate)
                            + " is none of the learning rates "
                            + tried.stream().map(Figures::rate).toList());
        }
    }

    /** Returns the runs: all methods before the next seed, so that a first answer comes early. */
    List<Cell> cells() {
        Set<Integer> all = new LinkedHashSet<>(seeds);
        methods.forEach(method -> all.addAll(method.seeds(seeds)));
        List<Cell> cells = new ArrayList<>();
        for (int seed : all) {
            for (Method method : methods) {
                if (method.seeds(seeds).contains(seed)) {
                    method.rates(rates).forEach(rate -> cells.add(new Cell(method, rate, seed)));
                }
            }
        }
        return cells;
    }
}

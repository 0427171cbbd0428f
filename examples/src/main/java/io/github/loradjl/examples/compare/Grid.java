package io.github.loradjl.examples.compare;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

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
        requireDistinct("learning rates", rates);
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

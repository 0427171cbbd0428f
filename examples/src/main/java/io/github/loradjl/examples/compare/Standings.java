package io.github.loradjl.examples.compare;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How methods stand: each at its best rate, which is that of the lowest last validation loss,
 * averaged over the seeds; and all at one common rate.
 */
final class Standings {

    private final Map<String, List<Trial>> trials = new LinkedHashMap<>();
    private final String reference;
    private final Double commonRate;

    /**
     * Creates standings.
     *
     * @param results the results of all runs
     * @param reference the label of the method that others are measured against
     * @param commonRate the common rate; null for the best one of full fine-tuning, or without that
     *     the smallest one that all have
     */
    Standings(List<CellResult> results, String reference, Double commonRate) {
        Map<String, Map<Double, List<CellResult>>> grouped = new LinkedHashMap<>();
        for (CellResult result : results) {
            grouped.computeIfAbsent(result.method(), m -> new LinkedHashMap<>())
                    .computeIfAbsent(result.rate(), r -> new ArrayList<>())
                    .add(result);
        }
        grouped.forEach(
                (method, byRate) -> {
                    List<Trial> list = new ArrayList<>();
                    byRate.forEach((rate, runs) -> list.add(new Trial(method, rate, runs)));
                    list.sort(Comparator.comparingDouble(Trial::rate));
                    trials.put(method, list);
                });
        this.reference = reference;
        this.commonRate = commonRate != null ? commonRate : defaultCommonRate();
    }

    private Double defaultCommonRate() {
        List<Trial> full = trials.get(Method.Kind.FULL.toString());
        if (full != null) {
            double rate = best(Method.Kind.FULL.toString()).rate();
            boolean isCommon = trials.keySet().stream().allMatch(m -> at(m, rate).isPresent());
            if (isCommon) {
                return rate;
            }
        }
        return trials.values().iterator().next().stream()
                .map(Trial::rate)
                .filter(rate -> trials.keySet().stream().allMatch(m -> at(m, rate).isPresent()))
                .findFirst()
                .orElse(null);
    }

    List<String> methods() {
        return List.copyOf(trials.keySet());
    }

    List<Trial> of(String method) {
        return trials.get(method);
    }

    /** Returns a method at its best rate. */
    Trial best(String method) {
        return trials.get(method).stream()
                .min(Comparator.comparingDouble(Trial::meanLoss))
                .orElseThrow();
    }

    /**
     * Says that the best rate of a method is the highest or lowest of several that were tried, so
     * that a better one may lie beyond.
     */
    String edge(Trial best) {
        List<Trial> tried = trials.get(best.method());
        if (tried.size() < 2) {
            return "";
        }
        if (best.equals(tried.get(tried.size() - 1))) {
            return " (the highest tried)";
        }
        return best.equals(tried.get(0)) ? " (the lowest tried)" : "";
    }

    /** Returns each method at its best rate. */
    List<Trial> bests() {
        return methods().stream().map(this::best).toList();
    }

    /** Returns a method at a given rate, if it was tried. */
    Optional<Trial> at(String method, double rate) {
        return trials.get(method).stream().filter(trial -> trial.rate() == rate).findFirst();
    }

    /** Returns the common rate, or null if the methods have none in common. */
    Double commonRate() {
        return commonRate;
    }

    /** Returns each method at the common rate, those that were tried there. */
    List<Trial> commons() {
        return commonRate == null
                ? List.of()
                : methods().stream().flatMap(m -> at(m, commonRate).stream()).toList();
    }

    String reference() {
        return reference;
    }

    /** Returns the reference among some trials, if it is one and did not fail. */
    Optional<Trial> reference(List<Trial> among) {
        return among.stream()
                .filter(trial -> trial.method().equals(reference) && trial.isFinished())
                .findFirst();
    }
}

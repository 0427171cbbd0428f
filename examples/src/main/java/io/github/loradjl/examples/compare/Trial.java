package io.github.loradjl.examples.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.function.Function;

/**
 * What came of a method at one rate, from all seeds.
 *
 * @param method the method's label
 * @param rate the highest learning rate
 * @param results the results, one for each seed
 */
record Trial(String method, double rate, List<CellResult> results) {

    /** Returns the last validation loss from each seed, infinite where a run failed. */
    List<Double> finalLosses() {
        return results.stream().map(CellResult::finalLoss).toList();
    }

    double meanLoss() {
        return Figures.mean(finalLosses());
    }

    boolean isFinished() {
        return results.stream().allMatch(result -> result.failure() == null);
    }

    /** Returns why it failed, from the first seed that did. */
    String failure() {
        return results.stream()
                .map(CellResult::failure)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse("");
    }

    /** Returns the metric from each seed, none where it is not measured. */
    List<Double> metrics() {
        return values(CellResult::metric);
    }

    /** Returns a figure from each run that has it. */
    List<Double> values(Function<CellResult, Double> figure) {
        return results.stream()
                .filter(result -> result.failure() == null)
                .map(figure)
                .filter(Objects::nonNull)
                .toList();
    }

    List<Long> validationSteps() {
        return results.get(0).training().validationSteps();
    }

    /** Returns the validation losses, averaged over the seeds. */
    List<Double> meanCurve() {
        List<Double> curve = new ArrayList<>();
        for (int i = 0; i < validationSteps().size(); i++) {
            curve.add(Figures.mean(lossesAt(i)));
        }
        return curve;
    }

    /** Returns the losses of one validation from each seed. */
    List<Double> lossesAt(int validation) {
        return results.stream()
                .map(result -> result.training().validationLosses().get(validation))
                .toList();
    }

    /**
     * Returns the steps after which the mean curve first falls to a loss, between two validations
     * along a line.
     */
    OptionalDouble stepsTo(double loss) {
        if (!isFinished()) {
            return OptionalDouble.empty();
        }
        List<Double> curve = meanCurve();
        List<Long> steps = validationSteps();
        for (int i = 1; i < curve.size(); i++) {
            if (curve.get(i) <= loss) {
                double before = curve.get(i - 1);
                double share = before <= loss ? 0 : (before - loss) / (before - curve.get(i));
                double from = steps.get(i - 1);
                return OptionalDouble.of(from + share * (steps.get(i) - from));
            }
        }
        return OptionalDouble.empty();
    }

    /** Tells whether from some seed of both it comes to no higher a loss than another. */
    boolean isSomewhereAsLowAs(Trial other) {
        return results.stream()
                .anyMatch(
                        mine ->
                                other.results.stream()
                                        .filter(theirs -> theirs.seed() == mine.seed())
                                        .anyMatch(t -> mine.finalLoss() <= t.finalLoss()));
    }

    /** Returns how many seeds it has in common with another. */
    long commonSeeds(Trial other) {
        List<Integer> seeds = other.results.stream().map(CellResult::seed).toList();
        return results.stream().filter(mine -> seeds.contains(mine.seed())).count();
    }
}

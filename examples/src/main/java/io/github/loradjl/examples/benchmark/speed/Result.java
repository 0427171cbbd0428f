package io.github.loradjl.examples.benchmark.speed;

import java.util.ArrayList;
import java.util.List;

/**
 * What two sides came to, turn by turn.
 *
 * @param ours our figures
 * @param others the figures of the other side
 * @param ratio the median over turns of our seconds by those of the other side
 * @param lowest the lowest such ratio
 * @param highest the highest
 * @param tokensPerSecond of ours and of the other side, over all turns; 0 where none are counted
 * @param difference the largest relative difference of the values of a turn
 */
record Result(
        Figures ours,
        Figures others,
        double ratio,
        double lowest,
        double highest,
        List<Double> tokensPerSecond,
        double difference) {

    static Result of(Side ours, Side others, long tokens) {
        List<Double> ratios = new ArrayList<>();
        double difference = 0;
        for (int i = 0; i < ours.turns().size(); i++) {
            Side.Turn mine = ours.turns().get(i);
            Side.Turn theirs = others.turns().get(i);
            ratios.add(mine.seconds() / theirs.seconds());
            difference = Math.max(difference, difference(mine.value(), theirs.value()));
        }
        double[] sorted = Figures.sorted(ratios, Double::doubleValue);
        Figures first = Figures.of(ours);
        Figures second = Figures.of(others);
        return new Result(
                first,
                second,
                Figures.median(sorted),
                sorted[0],
                sorted[sorted.length - 1],
                List.of(tokens / first.total(), tokens / second.total()),
                difference);
    }

    /** Compares values of the two sides; those that only one side has say nothing. */
    static double difference(double mine, double theirs) {
        return Double.isNaN(mine) || Double.isNaN(theirs)
                ? 0
                : Math.abs(mine - theirs) / Math.abs(theirs);
    }

    double memoryRatio() {
        return ours.peak() / others.peak();
    }
}

package io.github.loradjl.examples.benchmark.speed;

import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * The figures of a side, over its turns.
 *
 * @param median the median of the seconds
 * @param lowest the fewest seconds
 * @param highest the most seconds
 * @param total all seconds
 * @param peak the highest resident memory in megabytes
 */
record Figures(double median, double lowest, double highest, double total, double peak) {

    static Figures of(Side side) {
        List<Side.Turn> turns = side.turns();
        double[] seconds = sorted(turns, Side.Turn::seconds);
        return new Figures(
                median(seconds),
                seconds[0],
                seconds[seconds.length - 1],
                turns.stream().mapToDouble(Side.Turn::seconds).sum(),
                turns.stream().mapToLong(Side.Turn::peak).max().orElseThrow() / 1e6);
    }

    static <T> double[] sorted(List<T> items, ToDoubleFunction<T> number) {
        return items.stream().mapToDouble(number).sorted().toArray();
    }

    static double median(double[] sorted) {
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}

package io.github.loradjl.examples.benchmark.speed;

import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What steps cost while one thing grows.
 *
 * @param points the cost at each size
 * @param seconds the line, or for the length the parabola, that the seconds follow
 * @param peak the line that the resident memory follows
 * @param live the line that the number of live arrays follows
 */
record Series(List<Point> points, Fit seconds, Fit peak, Fit live) {

    /**
     * The cost at one size.
     *
     * @param size the size
     * @param seconds the median of the seconds of a step
     * @param peak the highest resident memory of the process in megabytes
     * @param live the arrays that are held between two steps
     */
    record Point(int size, double seconds, double peak, int live) {

        /**
         * Makes a point of the turns of a worker.
         *
         * @param size the size
         * @param turns all turns from the first, at least two more than those of the warm-up
         * @param warmUp the turns at the start whose seconds do not count, at least 2
         * @throws IllegalStateException if the last step leaves more arrays than the second
         */
        static Point of(int size, List<Side.Turn> turns, int warmUp) {
            Side.Turn last = turns.get(turns.size() - 1);
            int live = turns.get(1).live();
            if (last.live() != live) {
                throw new IllegalStateException(
                        "%d live arrays after the second step, %d after the last"
                                .formatted(live, last.live()));
            }
            List<Side.Turn> counted = turns.subList(warmUp, turns.size());
            double[] seconds = Figures.sorted(counted, Side.Turn::seconds);
            return new Point(size, Figures.median(seconds), last.peak() / 1e6, live);
        }

        /** Chooses the faster of two measurements; the memory is the higher of both. */
        Point faster(Point other) {
            Point faster = seconds <= other.seconds ? this : other;
            return new Point(size, faster.seconds, Math.max(peak, other.peak), faster.live);
        }
    }

    static Series of(List<Point> points, int degree) {
        return new Series(
                points,
                fit(points, Point::seconds, degree),
                fit(points, Point::peak, 1),
                fit(points, Point::live, 1));
    }

    private static Fit fit(List<Point> points, ToDoubleFunction<Point> number, int degree) {
        double[] sizes = points.stream().mapToDouble(Point::size).toArray();
        return Fit.of(sizes, points.stream().mapToDouble(number).toArray(), degree);
    }
}

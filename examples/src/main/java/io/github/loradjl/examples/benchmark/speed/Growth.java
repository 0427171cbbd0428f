package io.github.loradjl.examples.benchmark.speed;

import io.github.loradjl.examples.compare.JsonFiles;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;

/**
 * Measures what a step of training costs as layers, rank and texts grow, in float32, each size in a
 * process of its own; see {@code examples/benchmarks/speed.md}.
 */
@Command(
        name = "growth",
        description = "Measures steps as layers, rank and texts grow.",
        mixinStandardHelpOptions = true)
public final class Growth implements Callable<Integer> {

    private static final int WARM_UP = 2;

    @Option(names = "--steps", defaultValue = "7", description = "a process's steps that count")
    private int steps;

    @Option(names = "--rounds", defaultValue = "2", description = "the processes of each size")
    private int rounds;

    @Option(
            names = "--out",
            defaultValue = "examples/benchmarks/speed-figures",
            description = "results")
    private Path out;

    /**
     * Measures.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        System.exit(Speed.run(new Growth(), args));
    }

    /** {@inheritDoc} */
    @Override
    public Integer call() throws IOException {
        if (rounds < 1 || steps < 1) {
            throw new IllegalArgumentException(
                    "--rounds and --steps must be at least 1, not " + rounds + " and " + steps);
        }
        Map<Growing, Map<Integer, Series.Point>> points = new EnumMap<>(Growing.class);
        // The speed of a machine can vary from minute to minute: a size is measured at several
        // times, and the fastest counts.
        for (int round = 0; round < rounds; round++) {
            for (Growing growing : Growing.values()) {
                Map<Integer, Series.Point> own =
                        points.computeIfAbsent(growing, key -> new TreeMap<>());
                for (int size : growing.sizes()) {
                    own.merge(size, measure(growing, size), Series.Point::faster);
                }
            }
        }
        Map<Growing, Series> all = new EnumMap<>(Growing.class);
        points.forEach(
                (growing, own) ->
                        all.put(growing, Series.of(List.copyOf(own.values()), growing.degree())));
        all.forEach(Growth::print);
        new JsonFiles(out).save("GROWTH-float32", all);
        return 0;
    }

    private Series.Point measure(Growing growing, int size) throws IOException {
        // A heap that is resident from the start, so that its growth is not counted.
        List<String> command =
                Side.java(GrowthWorker.class, "-Xms128m", "-Xmx128m", "-XX:+AlwaysPreTouch");
        command.addAll(growing.arguments(size, WARM_UP + steps));
        int uncounted = GrowthWorker.SHORT_STEPS + WARM_UP;
        String name = growing + " " + size;
        try (Side side = new Side(name, command, false)) {
            for (int turn = 0; turn < uncounted + steps; turn++) {
                side.work();
            }
            return Series.Point.of(size, side.turns(), uncounted);
        }
    }

    /**
     * Prints a table. The cost of one unit of rank is that beyond the cost at rank 0, which the
     * line gives.
     */
    private static void print(Growing growing, Series series) {
        double start = growing == Growing.RANK ? series.seconds().coefficients()[0] : 0;
        System.out.printf(
                "%-7s %8s %12s %9s %12s%s%n",
                growing,
                "seconds",
                "ms per unit",
                "peak MB",
                "live arrays",
                growing.degree() == 2 ? " share of x^2" : "");
        for (Series.Point point : series.points()) {
            System.out.printf(
                    Locale.ROOT,
                    "%7d %8.3f %12.4f %9.0f %12d%s%n",
                    point.size(),
                    point.seconds(),
                    1e3 * (point.seconds() - start) / point.size(),
                    point.peak(),
                    point.live(),
                    growing.degree() == 2
                            ? String.format(
                                    Locale.ROOT,
                                    " %11.0f%%",
                                    100 * series.seconds().highestShare(point.size()))
                            : "");
        }
        System.out.printf(
                "seconds: %s%npeak MB: %s%nlive arrays: %s%n%n",
                series.seconds(), series.peak(), series.live());
    }
}

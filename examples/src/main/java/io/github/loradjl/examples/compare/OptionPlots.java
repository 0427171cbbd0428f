package io.github.loradjl.examples.compare;

import io.github.loradjl.examples.report.Chart;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;

/**
 * Draws the final loss against an option in which some methods differ, such as the rank: a line for
 * each family of methods that are equal but for it.
 */
final class OptionPlots {

    /** Fewer values make no curve. */
    private static final int FEWEST = 3;

    private static final Map<String, String> AXES = axes();

    private final Standings standings;
    private final String title;
    private final Setup.Recipe common;

    OptionPlots(Standings standings, String title, Setup.Recipe common) {
        this.standings = standings;
        this.title = title;
        this.common = common;
    }

    private static Map<String, String> axes() {
        Map<String, String> axes = new LinkedHashMap<>();
        axes.put("rank", "rank");
        axes.put("alpha", "alpha");
        axes.put(Method.DATA, "share of the training rows");
        axes.put("gamma", "gamma");
        axes.put(LoraGaOfMethod.BATCHES, "batches of the gradient pass");
        return axes;
    }

    /** Writes a plot for each option with enough values and returns the names of the files. */
    List<String> write(Path folder) throws IOException {
        List<String> files = new ArrayList<>();
        for (Map.Entry<String, String> axis : AXES.entrySet()) {
            Map<String, TreeMap<Double, Trial>> families = families(axis.getKey());
            if (families.isEmpty()) {
                continue;
            }
            Chart chart =
                    new Chart(
                                    title + ", best rate of each",
                                    axis.getValue(),
                                    "final validation loss")
                            .logarithmicX()
                            .legendOutside();
            families.forEach((name, trials) -> draw(chart, name, trials));
            String file = "loss-by-" + axis.getKey() + ".png";
            chart.write(folder.resolve(file));
            files.add(file);
        }
        return files;
    }

    /**
     * Groups the methods at their best rates by what they are but for one option, whether it is
     * their own or the common one.
     */
    private Map<String, TreeMap<Double, Trial>> families(String key) {
        Map<String, TreeMap<Double, Trial>> families = new LinkedHashMap<>();
        for (Trial trial : standings.bests()) {
            Method method = Method.parse(trial.method());
            OptionalDouble value = method.value(key, common);
            if (value.isPresent() && trial.isFinished()) {
                families.computeIfAbsent(method.without(key).label(), f -> new TreeMap<>())
                        .put(value.getAsDouble(), trial);
            }
        }
        families.values().removeIf(trials -> trials.size() < FEWEST);
        return families;
    }

    private static void draw(Chart chart, String name, TreeMap<Double, Trial> trials) {
        double[] x = trials.keySet().stream().mapToDouble(Double::doubleValue).toArray();
        List<List<Double>> losses = trials.values().stream().map(Trial::finalLosses).toList();
        chart.band(
                name + " seeds",
                x,
                losses.stream().mapToDouble(l -> l.stream().min(Double::compare).get()).toArray(),
                losses.stream().mapToDouble(l -> l.stream().max(Double::compare).get()).toArray());
        chart.line(name, x, losses.stream().mapToDouble(Figures::mean).toArray());
    }
}

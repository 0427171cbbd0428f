package io.github.loradjl.examples.compare;

import io.github.loradjl.examples.report.Chart;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** Draws what a comparison came to. */
public final class ComparisonPlots {

    /** Losses above the untrained model's say that a rate is too high, not how much. */
    private static final double HEADROOM = 1.05;

    private final Standings standings;
    private final String title;
    private final String metric;
    private final Setup.Recipe common;

    /**
     * Creates plots.
     *
     * @param tables the tables of the same comparison
     * @param title the model and the task
     * @param metric the name of the metric, or null
     * @param common the options of methods that name none of their own
     */
    public ComparisonPlots(
            ComparisonTables tables, String title, String metric, Setup.Recipe common) {
        standings = tables.standings();
        this.title = title;
        this.metric = metric;
        this.common = common;
    }

    /**
     * Writes all plots.
     *
     * @param folder an existing folder
     * @return the names of the files
     * @throws IOException if one cannot be written
     */
    public List<String> write(Path folder) throws IOException {
        List<String> files = new ArrayList<>();
        curves(folder, "curves-best-rate.png", "best rate of each", standings.bests(), files);
        if (standings.commonRate() != null) {
            String rate = "rate " + Figures.rate(standings.commonRate());
            curves(folder, "curves-one-rate.png", rate + " for all", standings.commons(), files);
        }
        rates(
                folder,
                "loss-by-rate.png",
                "final validation loss",
                HEADROOM * untrainedLoss(),
                Trial::finalLosses,
                files);
        if (metric != null) {
            rates(folder, "metric-by-rate.png", metric, null, Trial::metrics, files);
        }
        files.addAll(new OptionPlots(standings, title, common).write(folder));
        return files;
    }

    private void curves(
            Path folder, String file, String what, List<Trial> trials, List<String> files)
            throws IOException {
        Chart chart = new Chart(title + ", " + what, "step", "validation loss");
        double most = 0;
        for (Trial trial : trials) {
            if (!trial.isFinished()) {
                continue;
            }
            double[] x = trial.validationSteps().stream().mapToDouble(Long::doubleValue).toArray();
            String name = trial.method() + ", " + Figures.rate(trial.rate());
            if (trial.results().size() > 1) {
                chart.band(name + " seeds", x, edge(trial, true), edge(trial, false));
            }
            chart.line(name, x, array(trial.meanCurve()));
            most = Math.max(most, trial.meanCurve().get(0));
        }
        if (most == 0) {
            return;
        }
        chart.limitY(null, HEADROOM * most).legendOutside().write(folder.resolve(file));
        files.add(file);
    }

    private static double[] edge(Trial trial, boolean low) {
        List<Double> edge = new ArrayList<>();
        for (int i = 0; i < trial.validationSteps().size(); i++) {
            List<Double> losses = trial.lossesAt(i).stream().sorted().toList();
            edge.add(losses.get(low ? 0 : losses.size() - 1));
        }
        return array(edge);
    }

    private double untrainedLoss() {
        return standings.methods().stream()
                .flatMap(method -> standings.of(method).stream())
                .filter(Trial::isFinished)
                .mapToDouble(trial -> trial.meanCurve().get(0))
                .max()
                .orElse(0);
    }

    /** Draws a figure of each method over its rates, up to a limit if there is one. */
    private void rates(
            Path folder,
            String file,
            String what,
            Double most,
            Function<Trial, List<Double>> figure,
            List<String> files)
            throws IOException {
        Chart chart = new Chart(title, "learning rate", what).logarithmicX().legendOutside();
        boolean isEmpty = true;
        for (String method : standings.methods()) {
            List<Trial> finished =
                    standings.of(method).stream()
                            .filter(t -> t.isFinished() && !figure.apply(t).isEmpty())
                            .toList();
            if (finished.isEmpty()) {
                continue;
            }
            isEmpty = false;
            double[] x = finished.stream().mapToDouble(Trial::rate).toArray();
            if (finished.size() > 1) {
                chart.band(
                        method + " seeds",
                        x,
                        of(finished, t -> figure.apply(t).stream().min(Double::compare).get()),
                        of(finished, t -> figure.apply(t).stream().max(Double::compare).get()));
            }
            chart.line(method, x, of(finished, t -> Figures.mean(figure.apply(t))));
        }
        if (!isEmpty) {
            chart.limitY(null, most).write(folder.resolve(file));
            files.add(file);
        }
    }

    private static double[] of(List<Trial> trials, ToDoubleFunction<Trial> figure) {
        return trials.stream().mapToDouble(figure).toArray();
    }

    private static double[] array(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }
}

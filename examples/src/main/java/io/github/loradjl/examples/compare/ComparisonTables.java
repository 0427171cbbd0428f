package io.github.loradjl.examples.compare;

import io.github.loradjl.internal.AtomicFile;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Writes what a comparison came to: every run as csv, and the standings in Markdown. */
public final class ComparisonTables {

    private final List<CellResult> results;
    private final Standings standings;
    private final int steps;
    private final String metric;

    /**
     * Creates tables.
     *
     * @param results the results of all runs
     * @param reference the label of the method that others are measured against
     * @param commonRate the common rate, or null for the default
     * @param steps the optimizer steps of a run
     * @param metric the name of the metric, or null
     */
    public ComparisonTables(
            List<CellResult> results,
            String reference,
            Double commonRate,
            int steps,
            String metric) {
        this.results = results;
        this.steps = steps;
        this.metric = metric;
        standings = new Standings(results, reference, commonRate);
    }

    /**
     * Returns the rate at which all methods are shown beside each other.
     *
     * @return the rate, or null if they have none in common
     */
    public Double commonRate() {
        return standings.commonRate();
    }

    Standings standings() {
        return standings;
    }

    /**
     * Writes a line for each run.
     *
     * @param file the csv file
     * @throws IOException if it cannot be written
     */
    public void writeCsv(Path file) throws IOException {
        StringWriter text = new StringWriter();
        CSVFormat format = CSVFormat.DEFAULT.builder().setRecordSeparator("\n").get();
        try (CSVPrinter csv = new CSVPrinter(text, format)) {
            csv.printRecord(
                    "method",
                    "learning_rate",
                    "seed",
                    "final_loss",
                    metric == null ? "metric" : metric,
                    "trainable",
                    "start_seconds",
                    "start_memory_mb",
                    "step_seconds",
                    "step_memory_mb",
                    "captured_energy",
                    "condition_a_start",
                    "condition_b_start",
                    "condition_a_end",
                    "condition_b_end",
                    "failure");
            for (CellResult result : results) {
                csv.printRecord(record(result));
            }
        }
        AtomicFile.writeString(file, text.toString());
    }

    private static Object[] record(CellResult result) {
        if (result.failure() != null) {
            return new Object[] {
                result.method(),
                result.rate(),
                result.seed(),
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                result.failure()
            };
        }
        CellResult.Start start = result.start();
        CellResult.Training training = result.training();
        ConditionNumbers none = new ConditionNumbers(null, null);
        ConditionNumbers first = start.conditions() == null ? none : start.conditions();
        ConditionNumbers last = training.conditions() == null ? none : training.conditions();
        return new Object[] {
            result.method(),
            result.rate(),
            result.seed(),
            result.finalLoss(),
            result.metric(),
            start.trainable(),
            start.seconds(),
            start.memoryMb(),
            training.stepSeconds(),
            training.memoryMb(),
            start.captured(),
            first.a(),
            first.b(),
            last.a(),
            last.b(),
            null
        };
    }

    /**
     * Returns the standings as Markdown.
     *
     * @return the text
     */
    public String markdown() {
        StringBuilder text = new StringBuilder();
        text.append("## Each method at its best rate\n\n");
        append(text, standings.bests(), true);
        text.append(verdict(standings.bests())).append('\n');
        Double common = standings.commonRate();
        if (common != null) {
            text.append("\n## All methods at one rate, ").append(Figures.rate(common));
            text.append("\n\n");
            append(text, standings.commons(), false);
            text.append(verdict(standings.commons())).append('\n');
        }
        text.append("\n## Final validation loss by rate\n\n");
        appendRates(text);
        appendCosts(text);
        appendFactors(text);
        appendFailures(text);
        return text.toString();
    }

    private void append(StringBuilder text, List<Trial> trials, boolean isBest) {
        Optional<Trial> reference = standings.reference(trials);
        text.append("| method | rate | validation loss |");
        text.append(metric == null ? "" : " " + metric + " |");
        text.append(" steps to the loss of ").append(standings.reference());
        text.append(" |\n|---|---|---|---|").append(metric == null ? "" : "---|").append('\n');
        for (Trial trial : trials) {
            text.append("| ").append(trial.method()).append(" | ");
            text.append(Figures.rate(trial.rate()));
            text.append(isBest ? standings.edge(trial) : "").append(" | ");
            text.append(Figures.spread(trial.finalLosses(), 4)).append(" |");
            if (metric != null) {
                List<Double> metrics = trial.isFinished() ? trial.metrics() : List.of();
                text.append(' ').append(Figures.spread(metrics, 4)).append(" |");
            }
            text.append(' ').append(stepsTo(trial, reference)).append(" |\n");
        }
        text.append('\n');
    }

    private String stepsTo(Trial trial, Optional<Trial> reference) {
        if (reference.isEmpty()) {
            return "";
        }
        OptionalDouble needed = trial.stepsTo(reference.get().meanLoss());
        return needed.isEmpty()
                ? "not in " + steps
                : String.format(
                        Locale.ROOT,
                        "%.0f (%.0f%%)",
                        needed.getAsDouble(),
                        100 * needed.getAsDouble() / steps);
    }

    /** Shows what each method takes, which does not depend on the rate. */
    private void appendCosts(StringBuilder text) {
        text.append("\n## Time and memory\n\nMedians over all runs of a method; memory is the");
        text.append(" process's resident memory on top of the loaded model, at its highest.\n\n");
        text.append("| method | trained parameters | start | memory of the start | step |");
        text.append(" memory of a step |\n|---|---|---|---|---|---|\n");
        for (String method : standings.methods()) {
            List<CellResult> runs =
                    standings.of(method).stream()
                            .flatMap(trial -> trial.results().stream())
                            .filter(result -> result.failure() == null)
                            .toList();
            if (!runs.isEmpty()) {
                text.append(
                        String.format(
                                Locale.ROOT,
                                "| %s | %,d | %s s | %s | %s s | %s |\n",
                                method,
                                runs.get(0).start().trainable(),
                                median(values(runs, r -> r.start().seconds()), 2),
                                megabytes(values(runs, r -> r.start().memoryMb())),
                                median(values(runs, r -> r.training().stepSeconds()), 3),
                                megabytes(values(runs, r -> r.training().memoryMb()))));
            }
        }
    }

    private static List<Double> values(List<CellResult> runs, Function<CellResult, Double> figure) {
        return runs.stream().map(figure).filter(Objects::nonNull).toList();
    }

    private static String median(List<Double> values, int digits) {
        return Figures.fixed(Figures.median(values), digits);
    }

    private static String megabytes(List<Double> values) {
        return values.isEmpty() ? "" : median(values, 0) + " MB";
    }

    /** Says who comes first, and who is not always behind the first. */
    private String verdict(List<Trial> trials) {
        List<Trial> finished = trials.stream().filter(Trial::isFinished).toList();
        Trial first =
                finished.stream().min(Comparator.comparingDouble(Trial::meanLoss)).orElse(null);
        if (first == null) {
            return "No method came to a loss.";
        }
        String lowest = "The lowest mean is that of " + first.method();
        List<Trial> others = finished.stream().filter(trial -> trial != first).toList();
        long seeds = others.stream().mapToLong(first::commonSeeds).max().orElse(0);
        if (seeds < 2) {
            return lowest + "; with one seed nothing is known of the spread.";
        }
        String level =
                others.stream()
                        .filter(trial -> trial.isSomewhereAsLowAs(first))
                        .map(Trial::method)
                        .collect(Collectors.joining(", "));
        return lowest
                + (level.isEmpty()
                        ? "; each other method is above it from every one of the "
                                + seeds
                                + " seeds."
                        : "; from at least one of the "
                                + seeds
                                + " seeds "
                                + level
                                + " came as low or lower.");
    }

    private void appendRates(StringBuilder text) {
        TreeSet<Double> rates = new TreeSet<>();
        results.forEach(result -> rates.add(result.rate()));
        text.append("| method |");
        rates.forEach(rate -> text.append(' ').append(Figures.rate(rate)).append(" |"));
        text.append("\n|---|").append("---|".repeat(rates.size())).append('\n');
        for (String method : standings.methods()) {
            text.append("| ").append(method).append(" |");
            Trial best = standings.best(method);
            for (double rate : rates) {
                String cell =
                        standings
                                .at(method, rate)
                                .map(trial -> Figures.spread(trial.finalLosses(), 4))
                                .orElse("");
                boolean isBest = best.rate() == rate && best.isFinished();
                text.append(' ').append(isBest ? "**" + cell + "**" : cell).append(" |");
            }
            text.append('\n');
        }
    }

    /** Shows how the factors began and ended, where there are any. */
    private void appendFactors(StringBuilder text) {
        List<Trial> adapted =
                standings.bests().stream()
                        .filter(
                                t ->
                                        !t.values(r -> r.start().conditions() == null ? null : 1d)
                                                .isEmpty())
                        .toList();
        if (adapted.isEmpty()) {
            return;
        }
        text.append("\n## Condition numbers of A and B, at each method's best rate\n\n");
        text.append("Median over the layers; a dash stands for a factor that is zero. Captured is");
        text.append(" the share of the energy that the start of LoRA-GA holds: of the gradient,");
        text.append(" of its signs with gradient=sign; with gradient=adam, the squared cosine of");
        text.append(" the first Adam step with the signs.\n\n");
        text.append("| method | A at the start | B at the start | A trained | B trained |");
        text.append(" captured |\n|---|---|---|---|---|---|\n");
        for (Trial trial : adapted) {
            text.append("| ").append(trial.method()).append(" |");
            text.append(number(trial.values(r -> r.start().conditions().a())));
            text.append(number(trial.values(r -> r.start().conditions().b())));
            text.append(number(trial.values(r -> r.training().conditions().a())));
            text.append(number(trial.values(r -> r.training().conditions().b())));
            List<Double> captured = trial.values(r -> r.start().captured());
            text.append(
                    captured.isEmpty()
                            ? " |"
                            : String.format(
                                    Locale.ROOT, " %.0f%% |", 100 * Figures.mean(captured)));
            text.append('\n');
        }
    }

    private static String number(List<Double> values) {
        return values.isEmpty()
                ? " - |"
                : String.format(Locale.ROOT, " %.3g |", Figures.median(values));
    }

    private void appendFailures(StringBuilder text) {
        List<Trial> failed =
                standings.methods().stream()
                        .flatMap(method -> standings.of(method).stream())
                        .filter(trial -> !trial.isFinished())
                        .toList();
        if (failed.isEmpty()) {
            return;
        }
        text.append("\n## Runs without a result\n\n");
        for (Trial trial : failed) {
            text.append("- ").append(trial.method()).append(" at ");
            text.append(Figures.rate(trial.rate())).append(": ");
            text.append(trial.failure().replaceAll("\\s+", " ")).append('\n');
        }
    }
}

package io.github.loradjl.examples.compare.diagnose;

import io.github.loradjl.examples.report.Chart;
import io.github.loradjl.examples.report.Decimals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * How the first steps of adapters compare with those of full fine-tuning: cosines over all adapted
 * weights together, step by step, at a constant learning rate and without clipping.
 *
 * @param curves a curve for each method and optimizer
 */
public record Alignment(List<Curve> curves) implements Diagnosis {

    static final String SGD = "SGD";
    static final String ADAM_W = "AdamW";

    private static final int[] SHOWN = {1, 2, 5, 10, 20, 50};

    /**
     * One method beside full fine-tuning.
     *
     * @param method the method's label
     * @param optimizer what both are trained with
     * @param rate the learning rate
     * @param steps after how many steps the training was to end
     * @param failure why it could not begin, or ended before, or null
     * @param withFullStep the cosine of the adapter's step, eta d(B A), with that of the full run
     * @param withFullChange the cosine of all that the adapter has changed with that of the full
     *     run
     * @param withGradient the cosine of the adapter's step with -G at its own point
     * @param ofFullWithGradient the same of the full run's step at the full run's point
     * @param rank the largest rank of the effective gradient of any layer and step
     * @param bound 2r; 0 where the training could not begin
     */
    public record Curve(
            String method,
            String optimizer,
            double rate,
            int steps,
            String failure,
            List<Double> withFullStep,
            List<Double> withFullChange,
            List<Double> withGradient,
            List<Double> ofFullWithGradient,
            int rank,
            int bound) {

        static Curve begun(String method, String optimizer, double rate, int steps) {
            return new Curve(
                    method,
                    optimizer,
                    rate,
                    steps,
                    null,
                    new ArrayList<>(),
                    new ArrayList<>(),
                    new ArrayList<>(),
                    new ArrayList<>(),
                    0,
                    0);
        }

        Curve ended(String why, int found, int limit) {
            return new Curve(
                    method,
                    optimizer,
                    rate,
                    steps,
                    why,
                    withFullStep,
                    withFullChange,
                    withGradient,
                    ofFullWithGradient,
                    found,
                    limit);
        }
    }

    /** Returns the curves by an optimizer that have at least one step. */
    private List<Curve> drawn(String optimizer) {
        return curves.stream()
                .filter(curve -> curve.optimizer().equals(optimizer))
                .filter(curve -> !curve.withFullChange().isEmpty())
                .toList();
    }

    /** {@inheritDoc} */
    @Override
    public List<String> plot(Path folder, String title) throws IOException {
        List<String> files = new ArrayList<>();
        for (String optimizer : List.of(SGD, ADAM_W)) {
            if (drawn(optimizer).isEmpty()) {
                continue;
            }
            String end = "-" + optimizer.toLowerCase(Locale.ROOT) + ".png";
            files.add(
                    plot(
                            folder,
                            "alignment-steps" + end,
                            title + ", " + optimizer,
                            "cosine with full fine-tuning's step",
                            optimizer,
                            Curve::withFullStep));
            files.add(
                    plot(
                            folder,
                            "alignment-change" + end,
                            title + ", " + optimizer,
                            "cosine with full fine-tuning's change so far",
                            optimizer,
                            Curve::withFullChange));
            files.add(
                    plot(
                            folder,
                            "alignment-gradient" + end,
                            title + ", " + optimizer,
                            "cosine of the step with -G at its point",
                            optimizer,
                            Curve::withGradient));
        }
        return files;
    }

    private String plot(
            Path folder,
            String file,
            String title,
            String what,
            String optimizer,
            Function<Curve, List<Double>> figure)
            throws IOException {
        Chart chart = new Chart(title, "step", what).legendOutside();
        for (Curve curve : drawn(optimizer)) {
            List<Double> values = figure.apply(curve);
            double[] x = IntStream.rangeClosed(1, values.size()).asDoubleStream().toArray();
            double[] y = values.stream().mapToDouble(Double::doubleValue).toArray();
            chart.line(curve.method(), x, y);
        }
        chart.write(folder.resolve(file));
        return file;
    }

    /** {@inheritDoc} */
    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("## Alignment with full fine-tuning\n\n");
        if (curves.isEmpty()) {
            return text.append("No method has an adapter.\n").toString();
        }
        text.append("Cosines over all adapted weights together, after so many steps from the");
        text.append(" same weights on the same batches, at a constant rate and without clipping: ");
        text.append(rates()).append(".\n");
        List<Curve> begun = Stream.of(SGD, ADAM_W).flatMap(name -> drawn(name).stream()).toList();
        if (!begun.isEmpty()) {
            tables(text, begun);
        }
        List<Curve> failed = curves.stream().filter(curve -> curve.failure() != null).toList();
        if (!failed.isEmpty()) {
            text.append("\nNot to the end:\n\n");
            failed.forEach(
                    curve -> {
                        text.append("- ").append(curve.method()).append(", ");
                        text.append(curve.optimizer()).append(": ");
                        text.append(curve.failure().lines().findFirst().orElse("")).append('\n');
                    });
        }
        return text.toString();
    }

    private String rates() {
        return curves.stream()
                .map(curve -> curve.optimizer() + " at " + Decimals.text(curve.rate()))
                .distinct()
                .collect(Collectors.joining(", "));
    }

    private static void tables(StringBuilder text, List<Curve> curves) {
        table(
                text,
                "The adapter's step with the step of full fine-tuning",
                curves,
                Curve::withFullStep);
        table(
                text,
                "The adapter's change so far with that of full fine-tuning",
                curves,
                Curve::withFullChange);
        table(text, "The adapter's step with -G at its own point", curves, Curve::withGradient);
        table(
                text,
                "The step of the full fine-tuning beside it with -G at that one's point",
                curves,
                Curve::ofFullWithGradient);
        text.append("\nRank of the effective gradient, eta^2 (G A^T A + B B^T G), at most over");
        text.append(" layers and steps: ");
        text.append(
                curves.stream()
                        .map(
                                curve ->
                                        curve.method()
                                                + ' '
                                                + curve.optimizer()
                                                + ' '
                                                + curve.rank()
                                                + " of at most "
                                                + curve.bound())
                        .collect(Collectors.joining(", ")));
        text.append(".\n");
    }

    private static void table(
            StringBuilder text,
            String what,
            List<Curve> curves,
            Function<Curve, List<Double>> figure) {
        int steps = curves.stream().mapToInt(Curve::steps).max().orElse(0);
        int[] shown = IntStream.of(SHOWN).filter(step -> step <= steps).toArray();
        text.append('\n').append(what).append(":\n\n| method | optimizer |");
        IntStream.of(shown).forEach(step -> text.append(" step ").append(step).append(" |"));
        text.append(" mean |\n|---|---|---|").append("---|".repeat(shown.length)).append('\n');
        for (Curve curve : curves) {
            List<Double> values = figure.apply(curve);
            text.append("| ").append(curve.method()).append(" | ").append(curve.optimizer());
            text.append(" |");
            for (int step : shown) {
                text.append(step <= values.size() ? cosine(values.get(step - 1)) : " |");
            }
            // A mean over fewer steps would be no match for the others.
            text.append(curve.failure() == null ? cosine(mean(values)) : " |").append('\n');
        }
    }

    private static String cosine(double value) {
        return String.format(Locale.ROOT, " %.3f |", value);
    }

    private static double mean(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).average().orElse(0);
    }
}

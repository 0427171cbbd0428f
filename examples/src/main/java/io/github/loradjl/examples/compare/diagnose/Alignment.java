package io.github.loradjl.examples.compare.diagnose;

import ai.djl.MalformedModelException;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;

import io.github.loradjl.examples.compare.Method;
import io.github.loradjl.examples.compare.Setup;
import io.github.loradjl.examples.report.Chart;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How the first steps of adapters compare with those of full fine-tuning: cosines over all adapted
 * weights together, step by step, at a constant learning rate and without clipping.
 *
 * @param curves a curve for each method and optimizer
 */
public record Alignment(List<Curve> curves) implements Diagnosis {

    /** So that LoRA-GA, whose steps are zeta times those of full fine-tuning, stays stable too. */
    private static final float SGD_RATE = 0.01f;

    private static final int[] SHOWN = {1, 2, 5, 10, 20, 50};

    /**
     * One method beside full fine-tuning.
     *
     * @param method the method's label
     * @param optimizer what both are trained with
     * @param withFullStep the cosine of the adapter's step, eta d(B A), with that of the full run
     * @param withFullChange the cosine of all that the adapter has changed with that of the full
     *     run
     * @param withGradient the cosine of the adapter's step with -G at its own point
     * @param ofFullWithGradient the same of the full run's step at the full run's point
     * @param rank the largest rank of the effective gradient of any layer and step
     * @param bound 2r
     */
    public record Curve(
            String method,
            String optimizer,
            List<Double> withFullStep,
            List<Double> withFullChange,
            List<Double> withGradient,
            List<Double> ofFullWithGradient,
            int rank,
            int bound) {

        static Curve empty(String method, String optimizer) {
            return new Curve(
                    method,
                    optimizer,
                    new ArrayList<>(),
                    new ArrayList<>(),
                    new ArrayList<>(),
                    new ArrayList<>(),
                    0,
                    0);
        }

        Curve withRank(int found, int limit) {
            return new Curve(
                    method,
                    optimizer,
                    withFullStep,
                    withFullChange,
                    withGradient,
                    ofFullWithGradient,
                    found,
                    limit);
        }
    }

    /**
     * Trains each method beside full fine-tuning, by SGD and by AdamW.
     *
     * @param rate the rate of AdamW
     */
    static Alignment measure(Setup setup, List<Method> methods, double rate, int steps)
            throws IOException, MalformedModelException {
        List<Curve> curves = new ArrayList<>();
        Supplier<Optimizer> sgd =
                () -> Optimizer.sgd().setLearningRateTracker(Tracker.fixed(SGD_RATE)).build();
        Supplier<Optimizer> adamW =
                () ->
                        setup.recipe()
                                .optimizer()
                                .get()
                                .optLearningRateTracker(Tracker.fixed((float) rate))
                                .build();
        for (Method method : methods) {
            curves.add(measure(setup, method, "SGD", sgd, steps));
            curves.add(measure(setup, method, "AdamW", adamW, steps));
        }
        return new Alignment(curves);
    }

    private static Curve measure(
            Setup setup, Method method, String name, Supplier<Optimizer> optimizer, int steps)
            throws IOException, MalformedModelException {
        Curve curve = Curve.empty(method.label(), name);
        AlignmentRun run = new AlignmentRun(setup, method, optimizer, curve);
        run.run(steps);
        int rank = method.config(setup.recipe().adapter(), 0).getRank();
        return curve.withRank(run.rank(), 2 * rank);
    }

    /** {@inheritDoc} */
    @Override
    public boolean covers(List<Method> methods) {
        Set<String> known = curves.stream().map(Curve::method).collect(Collectors.toSet());
        return methods.stream().map(Method::label).allMatch(known::contains);
    }

    /** {@inheritDoc} */
    @Override
    public List<String> plot(Path folder, String title) throws IOException {
        List<String> files = new ArrayList<>();
        for (String optimizer : List.of("SGD", "AdamW")) {
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
        for (Curve curve : curves) {
            if (curve.optimizer().equals(optimizer)) {
                List<Double> values = figure.apply(curve);
                double[] x = IntStream.rangeClosed(1, values.size()).asDoubleStream().toArray();
                double[] y = values.stream().mapToDouble(Double::doubleValue).toArray();
                chart.line(curve.method(), x, y, false);
            }
        }
        chart.write(folder.resolve(file));
        return file;
    }

    /** {@inheritDoc} */
    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("## Alignment with full fine-tuning\n\n");
        text.append("Cosines over all adapted weights together, after so many steps from the");
        text.append(" same weights on the same batches, at a constant rate (SGD at ");
        text.append(SGD_RATE).append(").\n");
        append(text, "The adapter's step with the step of full fine-tuning", Curve::withFullStep);
        append(
                text,
                "The adapter's change so far with that of full fine-tuning",
                Curve::withFullChange);
        append(text, "The adapter's step with -G at its own point", Curve::withGradient);
        text.append("\nRank of the effective gradient, eta^2 (G A^T A + B B^T G), at most over");
        text.append(" layers and steps: ");
        for (int i = 0; i < curves.size(); i++) {
            Curve curve = curves.get(i);
            text.append(i == 0 ? "" : ", ").append(curve.method()).append(' ');
            text.append(curve.optimizer()).append(' ').append(curve.rank());
            text.append(" of at most ").append(curve.bound());
        }
        return text.append(".\n").toString();
    }

    private void append(StringBuilder text, String what, Function<Curve, List<Double>> figure) {
        int steps = figure.apply(curves.get(0)).size();
        int[] shown = IntStream.of(SHOWN).filter(step -> step <= steps).toArray();
        text.append('\n').append(what).append(":\n\n| method | optimizer |");
        IntStream.of(shown).forEach(step -> text.append(" step ").append(step).append(" |"));
        text.append(" mean |\n|---|---|---|").append("---|".repeat(shown.length)).append('\n');
        for (Curve curve : curves) {
            line(text, curve.method(), curve.optimizer(), figure.apply(curve), shown);
        }
        if (figure.apply(curves.get(0)) == curves.get(0).withGradient()) {
            for (int i = 0; i < Math.min(2, curves.size()); i++) {
                Curve curve = curves.get(i);
                line(text, "full", curve.optimizer(), curve.ofFullWithGradient(), shown);
            }
        }
    }

    private static void line(
            StringBuilder text, String method, String optimizer, List<Double> values, int[] shown) {
        text.append("| ").append(method).append(" | ").append(optimizer).append(" |");
        for (int step : shown) {
            text.append(String.format(Locale.ROOT, " %.3f |", values.get(step - 1)));
        }
        double mean = values.stream().mapToDouble(Double::doubleValue).average().orElse(0);
        text.append(String.format(Locale.ROOT, " %.3f |\n", mean));
    }
}

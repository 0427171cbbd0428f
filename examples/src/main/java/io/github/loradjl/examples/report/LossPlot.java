package io.github.loradjl.examples.report;

import org.knowm.xchart.style.markers.SeriesMarkers;

import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Draws the loss over the steps of a run: each logged step thin, its running mean thick, and the
 * validation losses as points on a dashed line, told apart by shape and shade so that the picture
 * survives a black and white printer. Needs no display.
 */
public final class LossPlot {

    /** The running mean covers a twelfth of the run, so that it shows the trend of any length. */
    private static final int PARTS = 12;

    private static final int SHORTEST_MEAN = 10;
    private static final Color THIN = new Color(0xB8, 0xC4, 0xD4);
    private static final Color THICK = new Color(0x1B, 0x4F, 0x8F);
    private static final Color POINTS = new Color(0xC0, 0x39, 0x1B);

    private LossPlot() {}

    /**
     * Writes the picture.
     *
     * @param metrics the logged steps, oldest first
     * @param title the line above the picture
     * @param file the PNG file, replaced whole
     * @throws IOException if the file cannot be written
     */
    public static void write(List<StepMetrics> metrics, String title, Path file)
            throws IOException {
        Chart chart = new Chart(title, "step", "loss (nats per token)");
        List<StepMetrics> steps = metrics.stream().filter(m -> m.loss() != null).toList();
        if (!steps.isEmpty()) {
            double[] x = steps.stream().mapToDouble(StepMetrics::globalStep).toArray();
            double[] y = steps.stream().mapToDouble(StepMetrics::loss).toArray();
            chart.line("training", x, y, THIN, Chart.stroke(1.2f, null), SeriesMarkers.NONE);
            int window = Math.max(SHORTEST_MEAN, y.length / PARTS);
            String mean = "training, running mean over " + window;
            BasicStroke thick = Chart.stroke(3f, null);
            chart.line(mean, x, smooth(y, window), THICK, thick, SeriesMarkers.NONE);
        }
        List<StepMetrics> validated = metrics.stream().filter(m -> m.evalLoss() != null).toList();
        if (!validated.isEmpty()) {
            double[] x = validated.stream().mapToDouble(StepMetrics::globalStep).toArray();
            double[] y = validated.stream().mapToDouble(StepMetrics::evalLoss).toArray();
            BasicStroke dashed = Chart.stroke(1.6f, new float[] {7f, 5f});
            chart.line(validationLabel(y), x, y, POINTS, dashed, SeriesMarkers.CIRCLE);
        }
        if (beginsAtZero(metrics)) {
            chart.limitY(0.0, null);
        }
        chart.write(file);
    }

    /** A loss that stays far above zero would leave most of the picture empty. */
    private static boolean beginsAtZero(List<StepMetrics> metrics) {
        double[] losses =
                metrics.stream()
                        .flatMap(m -> Stream.of(m.loss(), m.evalLoss()).filter(Objects::nonNull))
                        .mapToDouble(Double::doubleValue)
                        .toArray();
        double most = Arrays.stream(losses).max().orElse(0);
        double least = Arrays.stream(losses).min().orElse(0);
        return least < most / 3;
    }

    private static String validationLabel(double[] losses) {
        return String.format(
                Locale.ROOT, "validation, %.3f to %.3f", losses[0], losses[losses.length - 1]);
    }

    /** Returns the exponential running mean, corrected for its start at zero. */
    private static double[] smooth(double[] values, int window) {
        double keep = 1 - 2.0 / (window + 1);
        double[] means = new double[values.length];
        double sum = 0;
        double weight = 0;
        for (int i = 0; i < values.length; i++) {
            sum = keep * sum + (1 - keep) * values[i];
            weight = keep * weight + (1 - keep);
            means[i] = sum / weight;
        }
        return means;
    }
}

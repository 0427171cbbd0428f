package io.github.loradjl.examples.report;

import io.github.loradjl.internal.AtomicFile;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.XYSeries.XYSeriesRenderStyle;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A picture of lines over a common axis. Lines are told apart by shade, dash and mark, so that the
 * picture survives a black and white printer. Needs no display.
 */
public final class Chart {

    /** From dark to light, and far apart in hue where there is colour. */
    private static final Color[] COLORS = {
        new Color(0x1B, 0x2A, 0x49),
        new Color(0xC0, 0x39, 0x1B),
        new Color(0x1F, 0x78, 0xB4),
        new Color(0x7A, 0x5A, 0x9E),
        new Color(0x2E, 0x8B, 0x57),
        new Color(0xD9, 0x8E, 0x04),
        new Color(0x6E, 0x6E, 0x6E),
        new Color(0xE0, 0x7B, 0xA8),
        new Color(0x5F, 0xB8, 0xC8),
        new Color(0xA8, 0xA0, 0x50),
    };

    private static final float[][] DASHES = {null, {8f, 4f}, {2f, 3f}, {9f, 3f, 2f, 3f}};

    private static final Marker[] MARKERS = {
        SeriesMarkers.CIRCLE,
        SeriesMarkers.SQUARE,
        SeriesMarkers.TRIANGLE_UP,
        SeriesMarkers.DIAMOND,
        SeriesMarkers.TRIANGLE_DOWN,
        SeriesMarkers.CROSS,
        SeriesMarkers.PLUS,
    };

    private static final int BAND_OPACITY = 46;
    private static final Color INK = new Color(0x33, 0x33, 0x33);
    private static final Color GRID = new Color(0xE6, 0xE6, 0xE6);

    private final XYChart chart;
    private int lines;
    private int logBase;

    /**
     * Creates a picture.
     *
     * @param title the line above it
     * @param x what the horizontal axis shows
     * @param y what the vertical axis shows
     */
    public Chart(String title, String x, String y) {
        chart =
                new XYChartBuilder()
                        .width(960)
                        .height(540)
                        .title(title)
                        .xAxisTitle(x)
                        .yAxisTitle(y)
                        .build();
        style(chart.getStyler());
    }

    /**
     * Makes the horizontal axis logarithmic, with labels at powers of a base.
     *
     * @param base the base, 2 or 10
     * @return this
     */
    public Chart logarithmicX(int base) {
        logBase = base;
        chart.getStyler().setXAxisMin(null);
        chart.setCustomXAxisTickLabelsFormatter(exponent -> power(base, exponent));
        return this;
    }

    /** XChart chooses the ticks of its own logarithmic axis by powers of ten alone. */
    private static String power(int base, double exponent) {
        boolean isWhole = Math.abs(exponent - Math.rint(exponent)) < 1e-6;
        if (!isWhole) {
            return " "; // Java's text layout takes no empty text.
        }
        double value = Math.pow(base, Math.rint(exponent));
        return value >= 0.01 && value < 1e6
                ? new BigDecimal(value, new MathContext(4)).stripTrailingZeros().toPlainString()
                : "1e" + Math.round(Math.log10(value));
    }

    private double[] placed(double[] x) {
        return logBase == 0
                ? x
                : Arrays.stream(x).map(v -> Math.log(v) / Math.log(logBase)).toArray();
    }

    /**
     * Makes the vertical axis logarithmic.
     *
     * @return this
     */
    public Chart logarithmicY() {
        chart.getStyler().setYAxisLogarithmic(true);
        return this;
    }

    /**
     * Sets the ends of the vertical axis.
     *
     * @param least the lower end, or null
     * @param most the upper end, or null
     * @return this
     */
    public Chart limitY(Double least, Double most) {
        chart.getStyler().setYAxisMin(least);
        chart.getStyler().setYAxisMax(most);
        return this;
    }

    /**
     * Puts the legend beside the picture, where it covers no line.
     *
     * @return this
     */
    public Chart legendOutside() {
        chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE);
        return this;
    }

    /**
     * Adds a line in a style of its own.
     *
     * @param name its name in the legend
     * @param x where its points are, ascending
     * @param y their values
     * @param marked whether the points are marked
     * @return this
     */
    public Chart line(String name, double[] x, double[] y, boolean marked) {
        Color color = COLORS[lines % COLORS.length];
        Marker marker = marked ? MARKERS[lines % MARKERS.length] : SeriesMarkers.NONE;
        float[] dash = DASHES[lines % DASHES.length];
        line(name, x, y, color, stroke(2.2f, dash), marker);
        lines++;
        return this;
    }

    /**
     * Adds a band around the line that is added next, in its colour.
     *
     * @param name a name that no line has; it does not appear
     * @param x where the points are, ascending
     * @param low the lower edge
     * @param high the upper edge
     * @return this
     */
    public Chart band(String name, double[] x, double[] low, double[] high) {
        int n = x.length;
        double[] places = placed(x);
        double[] aroundX = new double[2 * n];
        double[] aroundY = new double[2 * n];
        for (int i = 0; i < n; i++) {
            aroundX[i] = places[i];
            aroundY[i] = high[i];
            aroundX[2 * n - 1 - i] = places[i];
            aroundY[2 * n - 1 - i] = low[i];
        }
        Color color = COLORS[lines % COLORS.length];
        Color pale = new Color(color.getRed(), color.getGreen(), color.getBlue(), BAND_OPACITY);
        XYSeries series = chart.addSeries(name, aroundX, aroundY);
        series.setXYSeriesRenderStyle(XYSeriesRenderStyle.PolygonArea);
        series.setFillColor(pale);
        series.setLineColor(pale);
        series.setMarker(SeriesMarkers.NONE);
        series.setShowInLegend(false);
        return this;
    }

    /** Adds a line in a given style. */
    void line(String name, double[] x, double[] y, Color color, BasicStroke stroke, Marker marker) {
        XYSeries series = chart.addSeries(name, placed(x), y);
        series.setLineColor(color);
        series.setLineStyle(stroke);
        series.setMarker(marker);
        series.setMarkerColor(color);
    }

    /** Makes a stroke, dashed unless {@code dash} is null. */
    static BasicStroke stroke(float width, float[] dash) {
        return new BasicStroke(
                width,
                dash == null ? BasicStroke.CAP_ROUND : BasicStroke.CAP_BUTT,
                BasicStroke.JOIN_ROUND,
                1f,
                dash,
                0f);
    }

    /**
     * Writes the picture.
     *
     * @param file the PNG file, replaced whole
     * @throws IOException if the file cannot be written
     */
    public void write(Path file) throws IOException {
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        BitmapEncoder.saveBitmap(chart, png, BitmapEncoder.BitmapFormat.PNG);
        AtomicFile.write(
                file, channel -> AtomicFile.writeAll(channel, ByteBuffer.wrap(png.toByteArray())));
    }

    private static void style(XYStyler styler) {
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setPlotBackgroundColor(Color.WHITE);
        styler.setPlotBorderVisible(false);
        styler.setPlotGridLinesColor(GRID);
        styler.setPlotGridLinesStroke(new BasicStroke(1f));
        styler.setPlotGridVerticalLinesVisible(false);
        styler.setChartFontColor(INK);
        styler.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 17));
        styler.setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14));
        styler.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
        styler.setAxisTickLabelsColor(INK);
        styler.setAxisTickMarksColor(GRID);
        styler.setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14));
        styler.setLegendPosition(Styler.LegendPosition.InsideNE);
        styler.setLegendBorderColor(Color.WHITE);
        styler.setLegendBackgroundColor(Color.WHITE);
        styler.setMarkerSize(9);
        styler.setXAxisMin(0.0);
        styler.setXAxisTickMarkSpacingHint(90);
        styler.setAntiAlias(true);
    }
}

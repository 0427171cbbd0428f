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
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.font.FontRenderContext;
import java.awt.font.TextLayout;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SortedSet;
import java.util.TreeSet;

import javax.imageio.ImageIO;

/**
 * A picture of lines over a common axis. Lines are told apart by shade, dash and mark, so that the
 * picture survives a black and white printer. Needs no display.
 */
public final class Chart {

    /**
     * From dark to light in even steps of lightness, and far apart in hue where there is colour. Of
     * the colours with the same dash, each fourth, no two are close in grey.
     */
    private static final Color[] COLORS = {
        new Color(0x0B, 0x21, 0x4E),
        new Color(0x61, 0x1A, 0x08),
        new Color(0x5A, 0x2E, 0x7A),
        new Color(0x0E, 0x60, 0x37),
        new Color(0x19, 0x65, 0xB1),
        new Color(0xCF, 0x3E, 0x7A),
        new Color(0xD3, 0x6C, 0x05),
        new Color(0x9A, 0x9A, 0x9A),
        new Color(0x40, 0xBF, 0xBF),
        new Color(0xE6, 0xBD, 0x1A),
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

    /** A longer line is marked at about so many of its points. */
    private static final int MARKS = 12;

    private static final int BAND_OPACITY = 46;
    private static final double LABEL_GAP = 8;
    private static final Color INVISIBLE = new Color(0, 0, 0, 0);
    private static final Color INK = new Color(0x33, 0x33, 0x33);
    private static final Color GRID = new Color(0xE6, 0xE6, 0xE6);

    private final XYChart chart;
    private final SortedSet<Double> ticks = new TreeSet<>();
    private int lines;
    private boolean isLogarithmicX;

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
     * Makes the horizontal axis logarithmic, with labels where lines have points.
     *
     * @return this
     */
    public Chart logarithmicX() {
        isLogarithmicX = true;
        XYStyler styler = chart.getStyler();
        styler.setXAxisMin(null);
        // XChart places its own ticks; its labels keep the room for those drawn in their place.
        styler.setXAxisTickLabelsColor(INVISIBLE);
        styler.setXAxisTickMarksColor(INVISIBLE);
        return this;
    }

    private double[] placed(double[] x) {
        if (isLogarithmicX) {
            return Arrays.stream(x).map(Math::log10).toArray();
        }
        // XChart labels every n-th point where points are evenly spaced; a hair off, and it labels
        // round numbers.
        double[] places = x.clone();
        int last = x.length - 1;
        if (last > 0) {
            places[last] += (x[last] - x[last - 1]) / 100;
        }
        return places;
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
     * Adds a line in a style of its own, with marks.
     *
     * @param name its name in the legend
     * @param x where its points are, ascending
     * @param y their values
     * @return this
     */
    public Chart line(String name, double[] x, double[] y) {
        Color color = COLORS[lines % COLORS.length];
        Marker marker = MARKERS[lines % MARKERS.length];
        BasicStroke stroke = stroke(2.2f, DASHES[lines % DASHES.length]);
        double[] marked = y;
        if (y.length > MARKS) {
            String bare = name + " between its marks";
            line(bare, x, y, color, stroke, SeriesMarkers.NONE).setShowInLegend(false);
            marked = someOf(y);
        }
        line(name, x, marked, color, stroke, marker);
        if (isLogarithmicX) {
            Arrays.stream(x).forEach(ticks::add);
        }
        lines++;
        return this;
    }

    /**
     * Returns values of which each n-th is kept. Those between are no numbers, so that XChart draws
     * no line from mark to mark. Lines begin with different points: they may be close together.
     */
    private double[] someOf(double[] y) {
        double[] some = new double[y.length];
        Arrays.fill(some, Double.NaN);
        int interval = Math.max(2, (y.length + MARKS - 1) / MARKS);
        for (int i = lines % interval; i < y.length; i += interval) {
            some[i] = y[i];
        }
        return some;
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
    XYSeries line(
            String name, double[] x, double[] y, Color color, BasicStroke stroke, Marker marker) {
        XYSeries series = chart.addSeries(name, placed(x), y);
        series.setLineColor(color);
        series.setLineStyle(stroke);
        series.setMarker(marker);
        series.setMarkerColor(color);
        return series;
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
        ImageIO.write(image(), "png", png);
        AtomicFile.write(
                file, channel -> AtomicFile.writeAll(channel, ByteBuffer.wrap(png.toByteArray())));
    }

    /**
     * Returns the picture, which a notebook shows where it is the value of a cell.
     *
     * @return the picture
     */
    public BufferedImage image() {
        BufferedImage image = BitmapEncoder.getBufferedImage(chart);
        if (isLogarithmicX) {
            Graphics2D graphics = image.createGraphics();
            graphics.setRenderingHint(
                    RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
            drawTicks(graphics);
            graphics.dispose();
        }
        return image;
    }

    /** Draws labels where lines have points, as many as there is room for. */
    private void drawTicks(Graphics2D graphics) {
        XYStyler styler = chart.getStyler();
        Font font = styler.getAxisTickLabelsFont();
        FontRenderContext context = graphics.getFontRenderContext();
        double title =
                new TextLayout(chart.getXAxisTitle(), styler.getAxisTitleFont(), context)
                        .getBounds()
                        .getHeight();
        double baseline =
                chart.getHeight() - styler.getChartPadding() - title - styler.getAxisTitlePadding();
        double free = 0;
        graphics.setColor(INK);
        for (double tick : ticks) {
            TextLayout label = new TextLayout(Decimals.text(tick), font, context);
            double width = label.getAdvance();
            double left = chart.getScreenXFromChart(Math.log10(tick)) - width / 2;
            if (left >= free) {
                label.draw(graphics, (float) left, (float) baseline);
                free = left + width + LABEL_GAP;
            }
        }
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
        styler.setDecimalPattern("0.######"); // Else .08 stands beside 0.1.
        styler.setAntiAlias(true);
    }
}

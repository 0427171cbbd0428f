package io.github.loradjl.examples.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

import javax.imageio.ImageIO;

class ChartTest {

    @TempDir private Path folder;

    private BufferedImage draw(Chart chart) throws IOException {
        Path file = folder.resolve("chart.png");
        chart.write(file);
        return ImageIO.read(file.toFile());
    }

    @Test
    void line_ofManyPoints_isMarkedAtSome() throws IOException {
        // Level lines, thin beside their marks.
        double[] x = IntStream.range(0, 200).asDoubleStream().toArray();
        double[] y = IntStream.range(0, 200).mapToDouble(i -> 1).toArray();
        Chart chart = new Chart("lines", "x", "y").limitY(0.0, 2.0).line("level", x, y);
        BufferedImage image = draw(chart);
        int middle = middle(image);
        int marks = 0;
        boolean inside = false;
        for (int column = 0; column < image.getWidth() * 3 / 4; column++) {
            boolean thick = isInk(image, column, middle - 3) && isInk(image, column, middle + 3);
            marks += thick && !inside ? 1 : 0;
            inside = thick;
        }
        assertThat(marks).isBetween(6, 13);
    }

    /** Returns the row in which the line is darkest. */
    private static int middle(BufferedImage image) {
        return IntStream.range(80, image.getHeight() - 80)
                .boxed()
                .max((a, b) -> Long.compare(inked(image, a), inked(image, b)))
                .orElseThrow();
    }

    private static long inked(BufferedImage image, int row) {
        return IntStream.range(80, image.getWidth()).filter(x -> isInk(image, x, row)).count();
    }

    private static boolean isInk(BufferedImage image, int x, int y) {
        Color color = new Color(image.getRGB(x, y));
        return color.getBlue() > color.getRed() + 20 && color.getRed() < 100;
    }

    @Test
    void logarithmicX_betweenPowersOfTen_isLabelledAtThePoints() throws IOException {
        double[] y = {1, 2};
        List<BufferedImage> images =
                List.of(
                        draw(chart(new double[] {2e-3, 5e-3}, y)),
                        draw(chart(new double[] {3e-3, 5e-3}, y)));
        // The same places on the axis, another label at the first.
        assertThat(labels(images.get(0), true)).isPositive();
        assertThat(labels(images.get(0), false)).isPositive();
        assertThat(labels(images.get(1), true)).isNotEqualTo(labels(images.get(0), true));
        assertThat(labels(images.get(1), false)).isEqualTo(labels(images.get(0), false));
    }

    private static Chart chart(double[] x, double[] y) {
        return new Chart("rates", "learning rate", "loss").logarithmicX().line("lora", x, y);
    }

    /** Counts dark pixels between the axis and its title, in one half of the picture. */
    private static long labels(BufferedImage image, boolean left) {
        int half = image.getWidth() / 2;
        return IntStream.range(image.getHeight() - 47, image.getHeight() - 32)
                .mapToLong(
                        row ->
                                IntStream.range(left ? 0 : half + 60, left ? half - 60 : 2 * half)
                                        .filter(x -> (image.getRGB(x, row) & 0xff) < 0x80)
                                        .count())
                .sum();
    }
}

package io.github.loradjl.examples.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

import javax.imageio.ImageIO;

class LossPlotTest {

    @TempDir private Path folder;

    @Test
    void write_aRun_drawsAllThreeSeries() throws IOException {
        Path file = folder.resolve("loss.png");
        LossPlot.write(run(), "a run", file);
        BufferedImage image = ImageIO.read(file.toFile());
        assertThat(image.getWidth()).isEqualTo(960);
        assertThat(count(image, 0xB8C4D4)).isPositive();
        assertThat(count(image, 0x1B4F8F)).isPositive();
        assertThat(count(image, 0xC0391B)).isPositive();
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void write_validationAlone_isDrawn() throws IOException {
        Path file = folder.resolve("loss.png");
        LossPlot.write(List.of(StepMetrics.evaluation(0, 2.0)), "no step yet", file);
        assertThat(count(ImageIO.read(file.toFile()), 0xC0391B)).isPositive();
    }

    private static List<StepMetrics> run() {
        Random random = new Random(1);
        List<StepMetrics> run = new ArrayList<>();
        run.add(StepMetrics.evaluation(0, 3.2));
        for (int step = 1; step <= 200; step++) {
            double loss = 0.3 + 3 * Math.exp(-step / 40.0) + 0.12 * random.nextGaussian();
            Double evalLoss = step % 50 == 0 ? 0.33 + 3 * Math.exp(-step / 40.0) : null;
            StepMetrics metrics =
                    new StepMetrics(
                            step,
                            null,
                            null,
                            Math.max(loss, 0.02),
                            null,
                            1e-4,
                            null,
                            null,
                            null,
                            null,
                            null);
            run.add(evalLoss == null ? metrics : metrics.withEvaluation(evalLoss));
        }
        return run;
    }

    private static int count(BufferedImage image, int color) {
        int count = 0;
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                count += (image.getRGB(x, y) & 0xffffff) == color ? 1 : 0;
            }
        }
        return count;
    }
}

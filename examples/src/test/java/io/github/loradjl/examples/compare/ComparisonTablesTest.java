package io.github.loradjl.examples.compare;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import javax.imageio.ImageIO;

class ComparisonTablesTest {

    private static final List<CellResult> RESULTS =
            List.of(
                    Results.of("lora", 1e-4, 0, 5.0, 4.0, 3.0),
                    Results.of("lora", 1e-4, 1, 5.0, 4.2, 3.2),
                    Results.of("lora", 5e-4, 0, 5.0, 2.0, 1.0),
                    Results.of("lora", 5e-4, 1, 5.0, 2.0, 1.4),
                    Results.of("lora-ga", 1e-4, 0, 5.0, 1.0, 1.1),
                    Results.of("lora-ga", 1e-4, 1, 5.0, 1.2, 1.2),
                    Results.failed("lora-ga", 5e-4, 0),
                    Results.failed("lora-ga", 5e-4, 1));

    private final ComparisonTables tables = new ComparisonTables(RESULTS, "lora", null, 20, null);

    @TempDir private Path folder;

    @Test
    void markdown_saysWhoIsBetterAndWhoIsLevel() {
        assertThat(tables.markdown())
                .contains("| lora | 5e-4 (the highest tried) | 1.2000 ± 0.2828 | 20 (100%) |")
                .contains("| lora-ga | 1e-4 (the lowest tried) | 1.1500 ± 0.0707 | 10 (49%) |")
                .contains(
                        "The lowest mean is that of lora-ga; from at least one of the 2 seeds lora"
                                + " came as low or lower.")
                .contains("## All methods at one rate, 1e-4")
                .contains("| lora-ga | 1e-4 | 1.1500 ± 0.0707 | 5 (24%) |")
                .contains("each other method is above it from every one of the 2 seeds.")
                .contains("| lora-ga | **1.1500 ± 0.0707** | diverged |")
                .contains("- lora-ga at 5e-4: the loss is NaN")
                .contains("| lora | 10 | 0.50 s | 3 MB | 0.250 s | 7 MB |")
                .contains("| lora | 1.50 | - | 2.50 | 4.00 | |");
    }

    @Test
    void csv_hasALineForEachRun() throws IOException {
        Path file = folder.resolve("results.csv");
        tables.writeCsv(file);
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).hasSize(1 + RESULTS.size());
        assertThat(lines.get(0)).startsWith("method,learning_rate,seed,final_loss,");
        assertThat(lines.get(1)).isEqualTo("lora,1.0E-4,0,3.0,,10,0.5,3.0,0.25,7.0,,1.5,,2.5,4.0,");
        assertThat(lines.get(7)).isEqualTo("lora-ga,5.0E-4,0,,,,,,,,,,,,,the loss is NaN");
    }

    @Test
    void plots_areReadablePictures() throws IOException {
        List<String> files =
                new ComparisonPlots(tables, "a model", null, Results.COMMON).write(folder);
        assertThat(files)
                .containsExactly("curves-best-rate.png", "curves-one-rate.png", "loss-by-rate.png");
        for (String file : files) {
            assertThat(ImageIO.read(folder.resolve(file).toFile()).getWidth()).isEqualTo(960);
        }
    }

    @Test
    void plots_ofAnOption_needThreeValuesOfIt() throws IOException {
        List<CellResult> ranks =
                List.of(
                        Results.of("lora:rank=1", 1e-4, 0, 5.0, 4.0, 3.0),
                        Results.of("lora:rank=4", 1e-4, 0, 5.0, 4.0, 2.0),
                        Results.of("lora:rank=16", 1e-4, 0, 5.0, 4.0, 1.5),
                        Results.of("pissa:rank=1", 1e-4, 0, 5.0, 4.0, 1.5));
        ComparisonTables table = new ComparisonTables(ranks, "lora", null, 20, null);
        assertThat(new ComparisonPlots(table, "a model", null, Results.COMMON).write(folder))
                .contains("loss-by-rank.png")
                .doesNotContain("loss-by-alpha.png");
    }
}

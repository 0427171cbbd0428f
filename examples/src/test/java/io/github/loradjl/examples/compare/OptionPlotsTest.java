package io.github.loradjl.examples.compare;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

class OptionPlotsTest {

    @TempDir private Path folder;

    private List<String> plots(String... methods) throws IOException {
        List<CellResult> results =
                Stream.of(methods).map(m -> Results.of(m, 1e-3, 0, 5.0, 4.0, 3.0)).toList();
        Standings standings = new Standings(results, "lora", null);
        return new OptionPlots(standings, "a model", Results.COMMON).write(folder);
    }

    @Test
    void methodAtTheCommonValue_isOnTheCurve() throws IOException {
        assertThat(plots("lora:rank=1", "lora:rank=4", "lora")).containsExactly("loss-by-rank.png");
        assertThat(plots("lora-ga", "lora-ga:gamma=1", "lora-ga:gamma=4"))
                .containsExactly("loss-by-gamma.png");
        assertThat(plots("full", "full:data=0.5", "full:data=0.25"))
                .containsExactly("loss-by-data.png");
    }

    @Test
    void twoValues_makeNoCurve() throws IOException {
        // The common rank is 8.
        assertThat(plots("lora", "lora:rank=8", "lora:rank=4")).isEmpty();
        assertThat(plots("lora-ga:zeta=1", "lora-ga:gamma=1", "lora-ga:gamma=4")).isEmpty();
    }

    @Test
    void methodsThatDifferInMore_areNoFamily() throws IOException {
        assertThat(plots("lora:rank=1", "lora:rank=4:alpha=2", "pissa:rank=2")).isEmpty();
    }
}

package io.github.loradjl.examples.benchmark.speed;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;

class GrowthTest {

    @ParameterizedTest
    @ValueSource(strings = {"--rounds", "--steps"})
    void run_withNothingToMeasure_fails_andLeavesResultsAlone(String option, @TempDir Path out) {
        assertThat(Speed.run(new Growth(), option, "0", "--out", out.toString())).isEqualTo(1);
        assertThat(out).isEmptyDirectory();
    }

    @Test
    void run_withAWrongOption_isAWrongCommandLine() {
        assertThat(Speed.run(new Growth(), "--round", "1")).isEqualTo(2);
    }
}

package io.github.loradjl.examples.benchmark.speed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.File;
import java.io.IOException;
import java.util.List;

class SideTest {

    /** Answers each line by twice as many seconds as the one before. */
    private static final String WORKER =
            "s=%d; echo '{}'; while read line; do echo '{\"seconds\": '$s', \"value\": 2.5,"
                    + " \"peak\": '$s'000000}'; s=$((s * 2)); done";

    @BeforeEach
    void needsAShell() {
        assumeTrue(File.separatorChar == '/', "the workers of this test are shell scripts");
    }

    private static Side side(int seconds, boolean isNewEachTurn) throws IOException {
        String script = WORKER.formatted(seconds);
        return new Side("worker", List.of("sh", "-c", script), isNewEachTurn);
    }

    @Test
    void result_isOfTheTurnsAfterWarmUp() throws IOException {
        try (Side ours = side(1, false);
                Side others = side(4, false)) {
            ours.work();
            others.work();
            ours.warm();
            others.warm();
            for (int turn = 0; turn < 3; turn++) {
                ours.work();
                others.work();
            }
            // 2, 4 and 8 seconds beside 8, 16 and 32.
            Result result = Result.of(ours, others, 28);
            assertThat(result.ours().median()).isEqualTo(4);
            assertThat(result.others().lowest()).isEqualTo(8);
            assertThat(result.ratio()).isEqualTo(0.25);
            assertThat(result.tokensPerSecond()).containsExactly(2.0, 0.5);
            assertThat(result.memoryRatio()).isCloseTo(0.25, within(1e-12));
            assertThat(result.difference()).isZero();
        }
    }

    @Test
    void work_ofANewProcessEachTurn_countsItsStart() throws IOException {
        try (Side side = side(5, true)) {
            for (int turn = 0; turn < 2; turn++) {
                Side.Turn worked = side.work();
                assertThat(worked.peak()).isEqualTo(5_000_000);
                assertThat(worked.seconds()).isPositive().isNotEqualTo(5);
            }
        }
    }

    @Test
    void work_ofAProcessThatHasEnded_saysSo() {
        assertThatThrownBy(() -> new Side("PEFT", List.of("sh", "-c", "exit 3"), false))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("the process of PEFT has ended");
    }

    @Test
    void difference_isRelative_andNothingWhereOneSideHasNoValue() {
        assertThat(Result.difference(1.1, 1)).isCloseTo(0.1, within(1e-12));
        assertThat(Result.difference(Double.NaN, 1)).isZero();
        assertThat(Figures.median(new double[] {1, 2, 4, 8})).isEqualTo(3);
    }
}

package io.github.loradjl.examples.benchmark.speed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import java.util.List;

class SeriesTest {

    private static Side.Turn turn(double seconds, int live) {
        return new Side.Turn(seconds, 1, (long) (1e6 * seconds), live);
    }

    @Test
    void point_countsTheSecondsAfterWarmUp_andArraysFromTheSecondStep() {
        // The first step leaves the optimizer's moments and the gradients.
        List<Side.Turn> turns = List.of(turn(9, 50), turn(9, 80), turn(5, 80), turn(1, 80));
        assertThat(Series.Point.of(16, turns, 2)).isEqualTo(new Series.Point(16, 3, 1, 80));
    }

    @Test
    void point_ofStepsThatLeaveArrays_isRefused() {
        List<Side.Turn> turns = List.of(turn(1, 50), turn(1, 80), turn(1, 80), turn(1, 81));
        assertThatThrownBy(() -> Series.Point.of(16, turns, 2))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("80 live arrays after the second step, 81 after the last");
    }

    @Test
    void faster_keepsTheFewestSeconds_andTheMostMemory() {
        Series.Point first = new Series.Point(16, 3, 500, 80);
        Series.Point second = new Series.Point(16, 2, 450, 80);
        assertThat(first.faster(second)).isEqualTo(new Series.Point(16, 2, 500, 80));
        assertThat(second.faster(first)).isEqualTo(new Series.Point(16, 2, 500, 80));
    }
}

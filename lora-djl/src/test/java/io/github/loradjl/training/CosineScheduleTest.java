package io.github.loradjl.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class CosineScheduleTest {

    // The formulas are exact; doubles round at about 1e-16 of numbers below 1.
    private static final double ROUNDING = 1e-12;

    @Test
    void at_warmup_risesInALine() {
        CosineSchedule schedule = new CosineSchedule(0.4, 4, 11);
        assertThat(schedule.at(1)).isEqualTo(0.1, within(ROUNDING));
        assertThat(schedule.at(4)).isEqualTo(0.4, within(ROUNDING));
    }

    @Test
    void at_afterWarmup_fallsAlongAHalfCosine() {
        CosineSchedule schedule = new CosineSchedule(0.4, 4, 11, 0.1);
        // Half way from step 4 to step 12 is step 8: the middle of 0.4 and 0.04.
        assertThat(schedule.at(8)).isEqualTo(0.22, within(ROUNDING));
        assertThat(schedule.at(12)).isEqualTo(0.04, within(ROUNDING));
        assertThat(schedule.at(1000)).isEqualTo(0.04, within(ROUNDING));
    }

    @Test
    void at_lastStepOfARun_isNotWasted() {
        assertThat(new CosineSchedule(1, 0, 1).at(1)).isEqualTo(0.5, within(ROUNDING));
        assertThat(new CosineSchedule(1, 1, 1).at(1)).isEqualTo(1, within(ROUNDING));
    }

    @Test
    void create_outOfRange_isRefused() {
        assertThatThrownBy(() -> new CosineSchedule(0, 0, 10)).hasMessageContaining("rate");
        assertThatThrownBy(() -> new CosineSchedule(1, 11, 10)).hasMessageContaining("warm-up");
        assertThatThrownBy(() -> new CosineSchedule(1, 0, 10, 2)).hasMessageContaining("share");
    }
}

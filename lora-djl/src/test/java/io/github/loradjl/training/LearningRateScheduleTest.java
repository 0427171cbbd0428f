package io.github.loradjl.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.loradjl.training.LearningRateSchedule.Fall;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LearningRateScheduleTest {

    // Torch's rates are written down with ten digits; ours are exact to double rounding.
    private static final double DIGITS = 1e-10;

    /**
     * torch 2.13, peak 0.4, SequentialLR(milestones=[2]) of LinearLR(start_factor=1/3,
     * total_iters=2) and one of CosineAnnealingLR(T_max=8, eta_min=0.04), LinearLR(1, 0.1,
     * total_iters=8), ConstantLR(1).
     */
    private static double[] torch(Fall fall) {
        double[] after =
                switch (fall) {
                    case COSINE ->
                            new double[] {
                                0.3862983159,
                                0.3472792206,
                                0.2888830178,
                                0.22,
                                0.1511169822,
                                0.09272077939,
                                0.05370168415
                            };
                    case LINEAR -> new double[] {0.355, 0.31, 0.265, 0.22, 0.175, 0.13, 0.085};
                    case CONSTANT -> new double[] {0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4};
                };
        double[] all = {0.1333333333, 0.2666666667, 0.4, 0, 0, 0, 0, 0, 0, 0};
        System.arraycopy(after, 0, all, 3, after.length);
        return all;
    }

    @ParameterizedTest
    @EnumSource
    void at_everyStep_isTheRateOfTorch(Fall fall) {
        LearningRateSchedule schedule = new LearningRateSchedule(fall, 0.4, 3, 10, 0.1);
        double[] expected = torch(fall);
        for (int step = 1; step <= 10; step++) {
            assertThat(schedule.at(step)).isEqualTo(expected[step - 1], within(DIGITS));
        }
    }

    @Test
    void at_behindTheEnd_staysAtTheFinalRate() {
        LearningRateSchedule schedule = new LearningRateSchedule(Fall.COSINE, 0.4, 4, 11, 0.1);
        assertThat(schedule.at(12)).isEqualTo(0.04, within(DIGITS));
        assertThat(schedule.at(1000)).isEqualTo(0.04, within(DIGITS));
    }

    @Test
    void at_lastStepOfARun_isNotWasted() {
        assertThat(new LearningRateSchedule(Fall.COSINE, 1, 0, 1).at(1))
                .isEqualTo(0.5, within(DIGITS));
        assertThat(new LearningRateSchedule(Fall.LINEAR, 1, 1, 1).at(1))
                .isEqualTo(1, within(DIGITS));
    }

    @Test
    void create_outOfRange_isRefused() {
        assertThatThrownBy(() -> new LearningRateSchedule(Fall.COSINE, 0, 0, 10))
                .hasMessageContaining("rate");
        assertThatThrownBy(() -> new LearningRateSchedule(Fall.LINEAR, 1, 11, 10))
                .hasMessageContaining("warm-up");
        assertThatThrownBy(() -> new LearningRateSchedule(Fall.COSINE, 1, 0, 10, 2))
                .hasMessageContaining("share");
    }
}

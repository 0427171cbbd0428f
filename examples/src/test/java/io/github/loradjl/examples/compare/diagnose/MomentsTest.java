package io.github.loradjl.examples.compare.diagnose;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class MomentsTest {

    private static Moments moments;

    @BeforeAll
    static void measure() {
        moments = Moments.measure();
    }

    private static Moments.Row row(Moments.Start start, Moments.Eta eta, int m, int n, int r) {
        Moments.Case of = new Moments.Case(start, eta, m, n, r);
        return moments.rows().stream().filter(row -> row.of().equals(of)).findFirst().orElseThrow();
    }

    @Test
    void measure_everyCase_isWhatTheorySays() {
        assertThat(moments.isComplete()).isTrue();
        assertThat(moments.rows()).hasSize(4 * 2 * 4 * 3);
        for (Moments.Row row : moments.rows()) {
            // 256 rows of at least 4 numbers: a deviation of some percent.
            assertThat(row.forward() / row.of().forward())
                    .as("forward of %s", row.of())
                    .isEqualTo(1, within(0.15));
            assertThat(row.backward() / row.of().backward())
                    .as("backward of %s", row.of())
                    .isEqualTo(1, within(0.15));
        }
    }

    @Test
    void shortForm_growsWithTheRank_unlessEtaIsRankStabilised() {
        int[] ranks = {4, 16, 64};
        double[] known = {0.016, 0.061, 0.248};
        for (int i = 0; i < ranks.length; i++) {
            for (int[] shape : new int[][] {{1024, 1024}, {256, 1024}, {1024, 256}}) {
                Moments.Row grows =
                        row(
                                Moments.Start.ZETA_SHORT,
                                Moments.Eta.BY_RANK,
                                shape[0],
                                shape[1],
                                ranks[i]);
                assertThat(grows.forward()).isEqualTo(known[i], within(0.15 * known[i]));
                Moments.Row stays =
                        row(
                                Moments.Start.ZETA_SHORT,
                                Moments.Eta.BY_ROOT,
                                shape[0],
                                shape[1],
                                ranks[i]);
                assertThat(stays.forward()).isEqualTo(1 / 256.0, within(0.15 / 256));
            }
        }
    }

    @Test
    void kappa_isTheMoment_whateverTheLayerAndEta() {
        for (Moments.Row row : moments.rows()) {
            if (row.of().start() == Moments.Start.ZETA_FORWARD) {
                assertThat(row.forward()).as("%s", row.of()).isEqualTo(1, within(0.15));
            }
            if (row.of().start() == Moments.Start.ZETA_BACKWARD) {
                assertThat(row.backward()).as("%s", row.of()).isEqualTo(1, within(0.15));
            }
        }
    }

    @Test
    void stable_withAlphaEqualToGamma_keepsOutputsOnlyByTheRoot() {
        for (int r : new int[] {4, 16, 64}) {
            Moments.Row root = row(Moments.Start.STABLE, Moments.Eta.BY_ROOT, 1024, 256, r);
            assertThat(root.forward()).isEqualTo(1, within(0.15));
            assertThat(root.backward()).isEqualTo(4, within(0.6));
            Moments.Row rank = row(Moments.Start.STABLE, Moments.Eta.BY_RANK, 1024, 256, r);
            assertThat(rank.forward()).isEqualTo(1.0 / r, within(0.15 / r));
        }
    }
}

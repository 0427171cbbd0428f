package io.github.loradjl.zoo.text.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

class BinaryCountsTest {

    private static List<Outcome> outcomes(int count, String chosen, String gold) {
        List<Outcome> outcomes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            outcomes.add(new Outcome("1", "", chosen, chosen, gold, chosen.equals(gold)));
        }
        return outcomes;
    }

    @Test
    void of_countsEachOfTheFour() {
        List<Outcome> outcomes = new ArrayList<>(outcomes(6, "yes", "yes"));
        outcomes.addAll(outcomes(3, "no", "no"));
        outcomes.addAll(outcomes(1, "yes", "no"));
        outcomes.addAll(outcomes(2, "no", "yes"));
        assertThat(BinaryCounts.of(outcomes, "yes")).isEqualTo(new BinaryCounts(6, 3, 1, 2));
        assertThat(BinaryCounts.of(outcomes, "no")).isEqualTo(new BinaryCounts(3, 6, 2, 1));
        assertThat(Outcome.accuracy(outcomes)).isEqualTo(0.75);
    }

    @Test
    void metrics_areTheirFormulas() {
        BinaryCounts counts = new BinaryCounts(6, 3, 1, 2);
        // (6 * 3 - 1 * 2) / sqrt(7 * 8 * 4 * 5)
        assertThat(counts.matthews()).isCloseTo(0.4781, within(5e-5));
        assertThat(counts.f1()).isCloseTo(0.8, within(1e-12));
    }

    @Test
    void metrics_oneClassNeverChosenOrPresent_areZero() {
        assertThat(new BinaryCounts(0, 5, 0, 3).matthews()).isZero();
        assertThat(new BinaryCounts(0, 5, 0, 3).f1()).isZero();
        assertThat(new BinaryCounts(0, 5, 0, 0).f1()).isZero();
        assertThat(new BinaryCounts(4, 0, 0, 0).matthews()).isZero();
    }
}

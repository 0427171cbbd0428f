package io.github.loradjl.examples.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

import java.util.List;

class StandingsTest {

    private static final List<CellResult> RESULTS =
            List.of(
                    Results.of("full", 1e-3, 0, 5.0, 2.0, 1.0),
                    Results.of("full", 1e-2, 0, 5.0, 4.0, 3.0),
                    Results.of("lora", 1e-3, 0, 5.0, 4.0, 3.0),
                    Results.of("lora", 1e-3, 1, 5.0, 4.2, 3.2),
                    Results.of("lora", 1e-2, 0, 5.0, 2.0, 1.0),
                    Results.of("lora", 1e-2, 1, 5.0, 2.0, 1.4),
                    Results.of("lora-ga", 1e-3, 0, 5.0, 1.0, 1.1),
                    Results.of("lora-ga", 1e-3, 1, 5.0, 1.2, 1.2),
                    Results.failed("lora-ga", 1e-2, 0),
                    Results.of("lora-ga", 1e-2, 1, 5.0, 0.1, 0.1));

    private final Standings standings = new Standings(RESULTS, "lora", null);

    @Test
    void best_isTheRateWithTheLowestMean_failuresAside() {
        assertThat(standings.best("lora").rate()).isEqualTo(1e-2);
        assertThat(standings.best("lora").meanLoss()).isEqualTo(1.2, within(1e-12));
        assertThat(standings.best("lora-ga").rate()).isEqualTo(1e-3);
    }

    @Test
    void commonRate_isTheBestOfFullFineTuning() {
        assertThat(standings.commonRate()).isEqualTo(1e-3);
        assertThat(standings.commons())
                .extracting(Trial::method)
                .containsExactly("full", "lora", "lora-ga");
    }

    @Test
    void commonRate_withoutFull_isTheSmallestThatAllHave() {
        List<CellResult> some =
                List.of(
                        Results.of("lora", 1e-4, 0, 5.0, 4.0, 3.0),
                        Results.of("lora", 1e-3, 0, 5.0, 4.0, 3.0),
                        Results.of("pissa", 1e-3, 0, 5.0, 4.0, 3.0));
        assertThat(new Standings(some, "lora", null).commonRate()).isEqualTo(1e-3);
        assertThat(new Standings(some, "lora", 1e-4).commonRate()).isEqualTo(1e-4);
    }

    @Test
    void stepsTo_liesOnTheLineBetweenTwoValidations() {
        Trial lora = standings.at("lora", 1e-3).orElseThrow();
        Trial loraGa = standings.at("lora-ga", 1e-3).orElseThrow();
        // The mean curve falls from 5 to 1.1 in ten steps and passes 3.1.
        assertThat(loraGa.stepsTo(lora.meanLoss()).orElseThrow())
                .isEqualTo(10 * (5 - 3.1) / (5 - 1.1), within(1e-9));
        assertThat(lora.stepsTo(1.0)).isEmpty();
        assertThat(lora.stepsTo(lora.meanLoss()).orElseThrow()).isEqualTo(20, within(1e-9));
    }

    @Test
    void somewhereAsLow_comparesTheSameSeeds() {
        Trial lora = standings.best("lora");
        Trial loraGa = standings.best("lora-ga");
        // 1.0 and 1.4 against 1.1 and 1.2.
        assertThat(lora.isSomewhereAsLowAs(loraGa)).isTrue();
        assertThat(loraGa.isSomewhereAsLowAs(lora)).isTrue();
        assertThat(standings.at("lora", 1e-3).orElseThrow().isSomewhereAsLowAs(loraGa)).isFalse();
        Trial full = standings.best("full");
        assertThat(full.commonSeeds(lora)).isEqualTo(1);
        // 1.0 of the one seed that both have.
        assertThat(lora.isSomewhereAsLowAs(full)).isTrue();
        assertThat(loraGa.isSomewhereAsLowAs(full)).isFalse();
    }

    @Test
    void edge_tellsThatABetterRateMayLieBeyond() {
        assertThat(standings.edge(standings.best("lora"))).isEqualTo(" (the highest tried)");
        assertThat(standings.edge(standings.best("full"))).isEqualTo(" (the lowest tried)");
        List<CellResult> one = List.of(Results.of("lora", 1e-4, 0, 5.0, 4.0, 3.0));
        Standings single = new Standings(one, "lora", null);
        assertThat(single.edge(single.best("lora"))).isEmpty();
    }
}

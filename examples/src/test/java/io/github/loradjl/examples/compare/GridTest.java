package io.github.loradjl.examples.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.stream.Stream;

class GridTest {

    private static List<Method> methods(String... texts) {
        return Stream.of(texts).map(Method::parse).toList();
    }

    @Test
    void cells_areAllMethodsRatesAndSeeds_seedBySeed() {
        Grid grid =
                new Grid(
                        methods("lora", "full:rates=1e-5:seeds=2"),
                        List.of(1e-3, 1e-4),
                        List.of(0, 1));
        assertThat(grid.cells())
                .extracting(Cell::id)
                .containsExactly(
                        "lora@1e-4@0", "lora@1e-3@0", "lora@1e-4@1", "lora@1e-3@1", "full@1e-5@2");
    }

    @Test
    void ids_sayMethodRateAndSeed() {
        Cell cell = new Cell(Method.parse("lora-ga:gamma=16"), 0.05, 3);
        assertThat(cell.id()).isEqualTo("lora-ga:gamma=16@0.05@3");
    }

    @Test
    void reference_isOneOfTheMethods_whateverItsRates() {
        Grid grid = new Grid(methods("lora:rank=4:rates=1e-3"), List.of(1e-4), List.of(0));
        grid.requireMethod("--reference", Method.parse("lora:rank=4"));
        grid.requireMethod("--reference", Method.parse("lora:rank=4:seeds=7"));
        assertThatThrownBy(() -> grid.requireMethod("--reference", Method.parse("lora")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("--reference lora is none of the methods [lora:rank=4]");
    }

    @Test
    void commonRate_isOneThatAMethodHas() {
        Grid grid = new Grid(methods("full:rates=1e-5", "lora"), List.of(2e-3, 1e-3), List.of(0));
        grid.requireRate("--common-rate", 1e-5);
        grid.requireRate("--common-rate", 2e-3);
        assertThatThrownBy(() -> grid.requireRate("--common-rate", 1e-4))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("--common-rate 1e-4 is none of the learning rates [1e-5, 1e-3, 2e-3]");
    }

    @Test
    void ratesThatFilesCannotTell_areRefused() {
        assertThatThrownBy(() -> new Grid(methods("lora"), List.of(1e-3, 1.0000001e-3), List.of(0)))
                .hasMessage("1e-3 comes twice among the learning rates");
    }

    @Test
    void equalMethods_areRefused_evenAtOtherRates() {
        assertThatThrownBy(
                        () ->
                                new Grid(
                                        methods("lora", "lora:rates=1e-5"),
                                        List.of(1e-3),
                                        List.of(0)))
                .hasMessage("lora comes twice among the methods");
        assertThatThrownBy(() -> new Grid(methods("lora"), List.of(1e-3), List.of(1, 1)))
                .hasMessage("1 comes twice among the seeds");
    }
}

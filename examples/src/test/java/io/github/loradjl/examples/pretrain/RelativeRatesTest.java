package io.github.loradjl.examples.pretrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;

import org.junit.jupiter.api.Test;

import java.util.List;

class RelativeRatesTest {

    @Test
    void getNewValue_followsTheRootMeanSquareDownToItsFloor() {
        try (NDManager manager = NDManager.newBaseManager()) {
            Parameter large = parameter(manager, 3, -4);
            Parameter small = parameter(manager, 1e-6f, 1e-6f);
            RelativeRates rates = new RelativeRates((id, update) -> 0.1f, List.of(large, small));
            assertThat(rates.getNewValue(large.getId(), 1))
                    .isCloseTo((float) (0.1 * Math.sqrt(12.5)), within(1e-6f));
            assertThat(rates.getNewValue(small.getId(), 1)).isCloseTo(1e-4f, within(1e-9f));
            large.getArray().muli(2);
            assertThat(rates.getNewValue(large.getId(), 2))
                    .isCloseTo((float) (0.2 * Math.sqrt(12.5)), within(1e-6f));
        }
    }

    private static Parameter parameter(NDManager manager, float... values) {
        Parameter parameter =
                Parameter.builder().setName("weight").setType(Parameter.Type.WEIGHT).build();
        parameter.setArray(manager.create(values));
        return parameter;
    }
}

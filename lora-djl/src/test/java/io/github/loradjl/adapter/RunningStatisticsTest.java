package io.github.loradjl.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.training.ParameterStore;

import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.List;

class RunningStatisticsTest {

    @Test
    void freeze_keepsTheStatisticsToTheLastBitUntilClosed() {
        try (NDManager manager = NDManager.newBaseManager()) {
            SequentialBlock block = new SequentialBlock().add(BatchNorm.builder().build());
            block.initialize(manager, DataType.FLOAT32, new Shape(4, 3));
            train(block, manager);
            List<float[]> before = statistics(block);
            try (RunningStatistics outer = RunningStatistics.freeze(block);
                    RunningStatistics inner = RunningStatistics.freeze(block)) {
                train(block, manager);
                inner.close();
                train(block, manager);
                assertThat(statistics(block))
                        .usingElementComparator(Arrays::compare)
                        .isEqualTo(before);
            }
            train(block, manager);
            assertThat(statistics(block))
                    .usingElementComparator(Arrays::compare)
                    .doesNotContainAnyElementsOf(before);
        }
    }

    private static void train(SequentialBlock block, NDManager manager) {
        NDList x = new NDList(manager.randomNormal(new Shape(4, 3)).add(1));
        block.forward(new ParameterStore(manager, false), x, true);
    }

    private static List<float[]> statistics(SequentialBlock block) {
        return block.getParameters().values().stream()
                .filter(RunningStatistics::isStatistic)
                .map(Parameter::getArray)
                .map(array -> array.toFloatArray())
                .toList();
    }
}

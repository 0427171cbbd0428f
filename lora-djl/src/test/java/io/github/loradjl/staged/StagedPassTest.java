package io.github.loradjl.staged;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.training.loss.Loss;

import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

class StagedPassTest {

    private static final int SIZE = 5;

    /**
     * A stage on (x, memory, mask): x becomes tanh(linear(x) + memory) * mask, the memory and the
     * mask are handed on; the first stage makes the memory from x.
     */
    private static final class MemoryStage implements Stage {

        private final Linear linear;
        private final boolean first;
        private final double dropout;
        private final List<float[]> seen = new ArrayList<>();

        MemoryStage(NDManager manager, boolean first, double dropout) {
            linear = Linear.builder().setUnits(SIZE).build();
            linear.initialize(manager, DataType.FLOAT32, new Shape(1, SIZE));
            linear.freezeParameters(true);
            this.first = first;
            this.dropout = dropout;
        }

        @Override
        public List<Block> getBlocks() {
            return List.of(linear);
        }

        @Override
        public NDList forward(ParameterStore store, NDList inputs, boolean training) {
            NDArray x = linear.forward(store, new NDList(inputs.get(0)), training).head();
            NDArray dropped = dropout == 0 ? x : TorchOps.dropout(x, dropout);
            seen.add(dropped.toFloatArray());
            NDArray mask = first ? dropped.gt(-10).toType(DataType.FLOAT32, false) : inputs.get(2);
            NDArray memory = first ? dropped.square() : inputs.get(1);
            return new NDList(dropped.add(memory).tanh().mul(mask), memory, mask);
        }

        @Override
        public NDList forward(ParameterStore store, NDList inputs, NDList labels) {
            return new NDList(forward(store, inputs, true).head());
        }

        @Override
        public boolean carriesGradient(int index) {
            return index < 2;
        }
    }

    private static List<MemoryStage> stages(NDManager manager, double dropout) {
        return List.of(
                new MemoryStage(manager, true, dropout),
                new MemoryStage(manager, false, dropout),
                new MemoryStage(manager, false, dropout),
                new MemoryStage(manager, false, dropout));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Long.MAX_VALUE})
    void backward_entryUsedByAllStages_givesTheGradientsOfOnePass(long memoryLimit) {
        try (NDManager manager = NDManager.newBaseManager()) {
            List<MemoryStage> stages = stages(manager, 0);
            NDList data = new NDList(manager.randomNormal(new Shape(4, SIZE)));
            NDList labels = new NDList(manager.randomNormal(new Shape(4, SIZE)));
            Map<Parameter, NDArray> expected = plainGradients(manager, stages, data, labels);
            ParameterStore store = new ParameterStore(manager, false);
            StagedBlock block = () -> List.copyOf(stages);
            try (ActivationStore activations = new ActivationStore(manager, memoryLimit);
                    LeafStore leaves = new LeafStore(store, manager);
                    StagedPass pass =
                            new StagedPass(block, data, labels, 3, activations, manager)) {
                leaves.track(expected.keySet());
                pass.forward(leaves);
                for (int s = stages.size() - 1; s >= 0; s--) {
                    pass.backward(s, leaves, Loss.l2Loss(), s > 0);
                }
                expected.forEach(
                        (parameter, gradient) -> {
                            NDArray difference = leaves.gradient(parameter).sub(gradient);
                            // The same sums in another order.
                            assertThat(difference.norm().getFloat())
                                    .isLessThan(1e-5f * gradient.norm().getFloat());
                        });
            }
        }
    }

    private static Map<Parameter, NDArray> plainGradients(
            NDManager manager, List<MemoryStage> stages, NDList data, NDList labels) {
        Map<Parameter, NDArray> gradients = new LinkedHashMap<>();
        try (LeafStore leaves = new LeafStore(new ParameterStore(manager, false), manager);
                GradientMode mode = GradientMode.on()) {
            stages.forEach(s -> leaves.track(s.linear.getParameters().values()));
            NDList current = data;
            for (MemoryStage stage : stages) {
                current = stage.forward(leaves, current, true);
            }
            TorchOps.backward(Loss.l2Loss().evaluate(labels, new NDList(current.head())));
            for (MemoryStage stage : stages) {
                for (Parameter p : stage.linear.getParameters().values()) {
                    gradients.put(p, leaves.gradient(p).duplicate());
                }
            }
        }
        return gradients;
    }

    @Test
    void backward_dropout_drawsTheMaskOfTheForwardPass() {
        try (NDManager manager = NDManager.newBaseManager()) {
            List<MemoryStage> stages = stages(manager, 0.5);
            NDList data = new NDList(manager.randomNormal(new Shape(16, SIZE)));
            NDList labels = new NDList(manager.randomNormal(new Shape(16, SIZE)));
            ParameterStore store = new ParameterStore(manager, false);
            StagedBlock block = () -> List.copyOf(stages);
            try (ActivationStore activations = new ActivationStore(manager, Long.MAX_VALUE);
                    LeafStore leaves = new LeafStore(store, manager);
                    StagedPass pass =
                            new StagedPass(block, data, labels, 3, activations, manager)) {
                leaves.track(stages.get(0).linear.getParameters().values());
                pass.forward(leaves);
                for (int s = stages.size() - 1; s >= 0; s--) {
                    pass.backward(s, leaves, Loss.l2Loss(), s > 0);
                }
            }
            for (int s = 0; s < stages.size() - 1; s++) {
                List<float[]> seen = stages.get(s).seen;
                assertThat(seen).hasSize(2);
                assertThat(seen.get(1)).isEqualTo(seen.get(0));
            }
            // Stages draw different masks.
            assertThat(zeros(stages.get(0).seen.get(0)))
                    .isNotEqualTo(zeros(stages.get(1).seen.get(0)));
        }
    }

    private static String zeros(float[] values) {
        StringBuilder text = new StringBuilder();
        for (float value : values) {
            text.append(value == 0 ? '0' : '1');
        }
        return text.toString();
    }

    @Test
    void close_leavesOnlyDataAndParameters() {
        try (NDManager manager = NDManager.newBaseManager()) {
            List<MemoryStage> stages = stages(manager, 0);
            NDList data = new NDList(manager.randomNormal(new Shape(4, SIZE)));
            NDList labels = new NDList(manager.randomNormal(new Shape(4, SIZE)));
            ParameterStore store = new ParameterStore(manager, false);
            StagedBlock block = () -> List.copyOf(stages);
            int before = manager.getManagedArrays().size();
            try (ActivationStore activations = new ActivationStore(manager, 0);
                    LeafStore leaves = new LeafStore(store, manager);
                    StagedPass pass =
                            new StagedPass(block, data, labels, 3, activations, manager)) {
                leaves.track(stages.get(1).linear.getParameters().values());
                pass.forward(leaves);
                for (int s = stages.size() - 1; s >= 1; s--) {
                    pass.backward(s, leaves, Loss.l2Loss(), s > 1);
                }
                assertThat(pass.getLoss()).isPositive();
            }
            assertThat(manager.getManagedArrays()).hasSize(before);
        }
    }
}

package io.github.loradjl.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

import io.github.loradjl.testing.Models;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.AbstractList;

class PrivateCopiesTest {

    private Model model;
    private Block first;
    private NDList x;

    @BeforeEach
    void open() {
        model = Models.mlp();
        first = model.getBlock().getChildren().valueAt(0);
        x = new NDList(Models.mlpInput(model.getNDManager(), 3));
    }

    @AfterEach
    void close() {
        model.close();
    }

    private float[] now() {
        return Models.run(model.getBlock(), x, false);
    }

    private static Parameter bias(Block block) {
        return block.getDirectParameters().get("bias");
    }

    @Test
    void swapIn_putsTheCopyInItsPlaceAndLeavesTheOriginalAlone() {
        Parameter original = bias(first);
        float[] values = original.getArray().toFloatArray();
        float[] output = now();
        int arrays = model.getNDManager().getManagedArrays().size();
        try (PrivateCopies copies = new PrivateCopies(model.getNDManager())) {
            copies.add("0.bias", first, original);
            copies.getCopies().get("0.bias").addi(1);
            assertThat(now()).isEqualTo(output);
            copies.swapIn();
            assertThat(bias(first)).isSameAs(copies.getParameters().get("0.bias"));
            assertThat(bias(first)).isNotSameAs(original);
            assertThat(now()).isNotEqualTo(output);
            assertThat(original.getArray().toFloatArray()).isEqualTo(values);
        }
        assertThat(bias(first)).isSameAs(original);
        assertThat(now()).isEqualTo(output);
        assertThat(model.getNDManager().getManagedArrays()).hasSize(arrays);
    }

    @Test
    void add_sharedParameter_sharesItsCopy() {
        try (PrivateCopies copies = new PrivateCopies(model.getNDManager())) {
            copies.add("0.bias", first, bias(first));
            copies.add("again.bias", first, bias(first));
            assertThat(copies.getCopies().get("again.bias"))
                    .isSameAs(copies.getCopies().get("0.bias"));
        }
    }

    @Test
    void getTrained_leavesRunningStatisticsOut() {
        Block norm = model.getBlock().getChildren().valueAt(2);
        try (PrivateCopies copies = new PrivateCopies(model.getNDManager())) {
            norm.getDirectParameters().forEach(p -> copies.add(p.getKey(), norm, p.getValue()));
            assertThat(copies.getParameters()).hasSize(4);
            assertThat(copies.getTrained().keySet()).containsExactlyInAnyOrder("gamma", "beta");
        }
    }

    @Test
    void swapIn_thatFailsAtOneBlock_isUndoneAtTheOthers() {
        Parameter original = bias(first);
        Stubborn stubborn = new Stubborn(model.getNDManager().ones(new Shape(2)));
        try (PrivateCopies copies = new PrivateCopies(model.getNDManager())) {
            copies.add("0.bias", first, original);
            copies.add("stubborn", stubborn, stubborn.parameter);
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(copies::swapIn)
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("cannot hold");
                assertThat(copies.isSwappedIn()).isFalse();
                assertThat(bias(first)).isSameAs(original);
            }
        }
    }

    /** A block that keeps its parameter where nothing can be exchanged. */
    private static final class Stubborn extends AbstractBlock {

        private final Parameter parameter;
        private final Sealed sealed = new Sealed();

        private static final class Sealed extends AbstractList<Parameter> {

            private Parameter parameter;

            @Override
            public Parameter get(int index) {
                return parameter;
            }

            @Override
            public int size() {
                return 1;
            }
        }

        Stubborn(NDArray array) {
            parameter =
                    Parameter.builder()
                            .setName("own")
                            .setType(Parameter.Type.OTHER)
                            .optArray(array)
                            .build();
            sealed.parameter = parameter;
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore store,
                NDList inputs,
                boolean training,
                PairList<String, Object> params) {
            return inputs;
        }

        @Override
        public Shape[] getOutputShapes(Shape[] inputs) {
            return inputs;
        }
    }
}

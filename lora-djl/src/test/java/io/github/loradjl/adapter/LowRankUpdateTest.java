package io.github.loradjl.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

import org.junit.jupiter.api.Test;

class LowRankUpdateTest {

    @Test
    void set_trainableFactors_areOverwrittenInTheMemoryThatOthersHold() {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
            LowRankUpdate update =
                    new LowRankUpdate(
                            manager.zeros(new Shape(1, 3)), manager.zeros(new Shape(2, 1)), 1, 0);
            update.setTrainable(true);
            NDArray held = update.getA().stopGradient();
            NDArray a = manager.create(new float[] {1, 2, 3}, new Shape(1, 3));
            NDArray b = manager.create(new float[] {4, 5}, new Shape(2, 1));
            update.set(a, b);
            assertThat(update.getA().toFloatArray()).containsExactly(1, 2, 3);
            assertThat(update.getB().toFloatArray()).containsExactly(4, 5);
            assertThat(held.toFloatArray()).containsExactly(1, 2, 3);
            assertThat(update.getA().hasGradient()).isTrue();
            assertThat(update.delta(manager).toFloatArray()).containsExactly(4, 8, 12, 5, 10, 15);

            // The update does not follow what it was copied from.
            a.muli(7);
            assertThat(update.getA().toFloatArray()).containsExactly(1, 2, 3);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> update.set(b, a))
                    .withMessageContainingAll("(2, 1)", "(1, 3)");
        }
    }
}

package io.github.loradjl.staged;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.torch.TorchOps;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ActivationStoreTest {

    private static final long ELEMENTS = 6;

    @ParameterizedTest
    @ValueSource(longs = {0, 4 * ELEMENTS, Long.MAX_VALUE})
    void take_anyLimit_givesBackTheSameBits(long limit) {
        try (NDManager manager = NDManager.newBaseManager();
                ActivationStore store = new ActivationStore(manager, limit)) {
            NDArray wide = manager.randomNormal(new Shape(2, 3));
            NDArray narrow = TorchOps.toBfloat16(wide);
            float[] wideBits = wide.toFloatArray();
            float[] narrowBits = TorchOps.toFloat32(narrow).toFloatArray();
            ActivationStore.Entry first = store.put(wide);
            ActivationStore.Entry second = store.put(narrow);
            assertThat(store.getPeakBytes()).isEqualTo(6 * ELEMENTS);
            long expected = limit == 0 ? 6 * ELEMENTS : limit > 4 * ELEMENTS ? 0 : 2 * ELEMENTS;
            assertThat(store.getSpilledBytes()).isEqualTo(expected);
            try (NDManager target = manager.newSubManager()) {
                NDArray narrowAgain = second.take(target);
                assertThat(narrowAgain.getDataType()).isEqualTo(DataType.UNKNOWN);
                assertThat(TorchOps.toFloat32(narrowAgain).toFloatArray()).isEqualTo(narrowBits);
                NDArray wideAgain = first.take(target);
                assertThat(wideAgain.toFloatArray()).isEqualTo(wideBits);
                assertThat(wideAgain.getManager()).isSameAs(target);
            }
        }
    }
}

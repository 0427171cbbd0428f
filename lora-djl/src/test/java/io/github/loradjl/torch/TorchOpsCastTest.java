package io.github.loradjl.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;

import io.github.loradjl.linalg.RandomMatrix;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.util.SplittableRandom;

/** Changes of type, and arrays of the type that DJL cannot name. */
class TorchOpsCastTest {

    private NDManager manager;

    @BeforeEach
    void setUp() {
        manager = NDManager.newBaseManager();
    }

    @AfterEach
    void tearDown() {
        manager.close();
    }

    /** Rounds to 8 significant bits, ties to even, on the bits of the number. */
    private static float rounded(float value) {
        int bits = Float.floatToRawIntBits(value);
        bits += 0x7fff + ((bits >>> 16) & 1);
        return Float.intBitsToFloat(bits & 0xffff0000);
    }

    @Test
    void toBfloat16_roundsToNearestEven() {
        float tie = 1 + 1f / 256;
        float oddTie = 1 + 3f / 256;
        float[] values = {0, -0f, 1, tie, oddTie, -tie, 3.14159f, 1e-30f, 1e30f};
        NDArray back = TorchOps.toFloat32(TorchOps.toBfloat16(manager.create(values)));
        float[] expected = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            expected[i] = rounded(values[i]);
        }
        assertThat(back.toFloatArray()).isEqualTo(expected);
        assertThat(expected[3]).isEqualTo(1);
        assertThat(expected[4]).isEqualTo(1 + 4f / 256);

        float[] many =
                RandomMatrix.normal(manager, 1, 1000, 3, new SplittableRandom(1)).toFloatArray();
        float[] narrow =
                TorchOps.toFloat32(TorchOps.toBfloat16(manager.create(many))).toFloatArray();
        for (int i = 0; i < many.length; i++) {
            assertThat(narrow[i]).isEqualTo(rounded(many[i]));
        }
    }

    @Test
    void casts_passTheGradient() {
        NDArray x = manager.create(new float[] {1, -2, 3});
        x.setRequiresGradient(true);
        NDArray factor = TorchOps.toBfloat16(manager.create(new float[] {2, 4, -8}));
        try (GradientCollector collector = manager.getEngine().newGradientCollector()) {
            NDArray product = TorchOps.toBfloat16(x).mul(factor);
            collector.backward(TorchOps.toFloat32(product).sum());
        }
        assertThat(x.getGradient().toFloatArray()).containsExactly(2, 4, -8);
        NDArray z = manager.create(new float[] {1, 2});
        z.setRequiresGradient(true);
        try (GradientCollector collector = manager.getEngine().newGradientCollector()) {
            NDArray half = TorchOps.toFloat16(z);
            collector.backward(TorchOps.toFloat32(half.add(half).add(half)).sum());
        }
        assertThat(z.getGradient().toFloatArray()).containsExactly(3, 3);
    }

    @Test
    void toFloat16_isDjlsType() {
        NDArray x = TorchOps.toFloat16(manager.create(new float[] {1.5f, 65504}));
        assertThat(x.getDataType()).isEqualTo(DataType.FLOAT16);
        assertThat(TorchOps.toFloat32(x).toFloatArray()).containsExactly(1.5f, 65504);
    }

    @Test
    void toTypeOf_takesTheTypeOfTheOther() {
        NDArray wide = manager.create(new float[] {1.0009765f});
        NDArray narrow = TorchOps.toBfloat16(wide);
        assertThat(TorchOps.toTypeOf(wide, narrow).getDataType()).isEqualTo(DataType.UNKNOWN);
        assertThat(TorchOps.toTypeOf(narrow, wide).getDataType()).isEqualTo(DataType.FLOAT32);
        assertThat(TorchOps.toTypeOf(narrow, wide).toFloatArray()).containsExactly(1);
    }

    @Test
    void toFloat32_ofFloat32_sharesMemory() {
        NDArray x = manager.create(new float[] {1, 2});
        NDArray same = TorchOps.toFloat32(x);
        x.addi(1);
        assertThat(same.toFloatArray()).containsExactly(2, 3);
        same.close();
        assertThat(x.toFloatArray()).containsExactly(2, 3);
    }

    @Test
    void bytesAsBfloat16_readsLittleEndianNumbersAndBack() {
        // 1 is 0x3f80, -2 is 0xc000, 0.5 is 0x3f00.
        byte[] stored = {(byte) 0x80, 0x3f, 0x00, (byte) 0xc0, 0x00, 0x3f, (byte) 0x80, 0x3f};
        NDArray bytes = manager.create(ByteBuffer.wrap(stored), new Shape(2, 4), DataType.UINT8);
        NDArray x = TorchOps.bytesAsBfloat16(bytes);
        assertThat(x.getShape()).isEqualTo(new Shape(2, 2));
        assertThat(TorchOps.toFloat32(x).toFloatArray()).containsExactly(1, -2, 0.5f, 1);
        assertThat(TorchOps.bfloat16AsBytes(x).toByteArray()).isEqualTo(stored);
        // Also where the numbers do not lie in a row: the transpose is stored in its own order.
        NDArray turned = TorchOps.bytesAsBfloat16(TorchOps.bfloat16AsBytes(x.transpose()));
        assertThat(TorchOps.toFloat32(turned).toFloatArray()).containsExactly(1, 0.5f, -2, 1);
    }

    @Test
    void elementSize_isThatOfTheStoredType() {
        NDArray x = manager.ones(new Shape(3));
        assertThat(TorchOps.elementSize(x)).isEqualTo(4);
        assertThat(TorchOps.elementSize(TorchOps.toBfloat16(x))).isEqualTo(2);
        assertThat(TorchOps.elementSize(x.toType(DataType.INT64, false))).isEqualTo(8);
    }

    @Test
    void zerosLike_hasTheTypeAndOneOwner() {
        NDArray wide = manager.ones(new Shape(3));
        NDArray narrow = TorchOps.toBfloat16(wide);
        try (NDManager owner = manager.newSubManager()) {
            for (NDArray like : new NDArray[] {wide, narrow}) {
                try (NDArray zeros = TorchOps.zerosLike(owner, new Shape(2, 5), like)) {
                    assertThat(zeros.getDataType()).isEqualTo(like.getDataType());
                    assertThat(zeros.getShape()).isEqualTo(new Shape(2, 5));
                    assertThat(TorchOps.squareSum(zeros)).isZero();
                    assertThat(owner.getManagedArrays()).containsExactly(zeros);
                }
                assertThat(owner.getManagedArrays()).isEmpty();
            }
        }
    }

    @Test
    void alias_sharesMemoryOutsideTheGraph() {
        NDArray x = manager.create(new float[] {1, 2});
        x.setRequiresGradient(true);
        try (NDManager owner = manager.newSubManager();
                GradientCollector collector = manager.getEngine().newGradientCollector()) {
            NDArray alias = TorchOps.alias(x, owner);
            assertThat(alias.getManager()).isSameAs(owner);
            // d(x^2) would be 2x if the alias were x itself.
            collector.backward(x.mul(alias).sum());
            assertThat(x.getGradient().toFloatArray()).containsExactly(1, 2);
            alias.addi(1);
            assertThat(x.toFloatArray()).containsExactly(2, 3);
        }
        assertThat(x.toFloatArray()).containsExactly(2, 3);
    }

    @Test
    void aliases_shareTheMemoryOfEach() {
        NDList list = new NDList(manager.create(1f), manager.create(2f));
        try (NDManager owner = manager.newSubManager()) {
            NDList aliases = TorchOps.aliases(list, owner);
            aliases.get(1).addi(5);
            assertThat(owner.getManagedArrays()).hasSize(2);
        }
        assertThat(list.get(0).getFloat()).isEqualTo(1);
        assertThat(list.get(1).getFloat()).isEqualTo(7);
    }

    @Test
    void copyInto_writesTheMemoryThatOthersSee() {
        NDArray x = manager.zeros(new Shape(2));
        x.setRequiresGradient(true);
        NDArray alias = TorchOps.alias(x, manager);
        NDArray source = manager.create(new float[] {1, 2});
        TorchOps.copyInto(x, source);
        assertThat(alias.toFloatArray()).containsExactly(1, 2);
        // The type of the target stays.
        NDArray narrow = TorchOps.toBfloat16(alias.zerosLike());
        TorchOps.copyInto(narrow, source);
        assertThat(narrow.getDataType()).isEqualTo(DataType.UNKNOWN);
        assertThat(TorchOps.toFloat32(narrow).toFloatArray()).containsExactly(1, 2);
        NDArray longer = manager.zeros(new Shape(3));
        assertThatThrownBy(() -> TorchOps.copyInto(longer, source))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("(2) into one of shape (3)");
    }
}

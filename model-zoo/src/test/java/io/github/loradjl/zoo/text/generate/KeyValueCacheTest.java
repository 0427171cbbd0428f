package io.github.loradjl.zoo.text.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class KeyValueCacheTest {

    private NDManager manager;

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager();
    }

    @AfterEach
    void close() {
        manager.close();
    }

    private KeyValueCache cache(int batch) {
        return new KeyValueCache(manager, 1, new Shape(batch, 1, 6, 1), manager.create(0f));
    }

    private static String bits(NDArray mask) {
        StringBuilder bits = new StringBuilder();
        long width = mask.getShape().get(3);
        boolean[] seen = mask.toBooleanArray();
        for (int i = 0; i < seen.length; i++) {
            bits.append(i > 0 && i % width == 0 ? " " : "").append(seen[i] ? '1' : '0');
        }
        return bits.toString();
    }

    @Test
    void mask_withoutPadding_isNeededForSeveralPositionsBehindOthersOnly() {
        KeyValueCache cache = cache(1);
        cache.setPadding(new int[] {0});
        assertThat(cache.isPadded()).isFalse();
        assertThat(cache.mask(manager, 3)).isNull();
        cache.advance(3);
        assertThat(cache.mask(manager, 1)).isNull();
        assertThat(bits(cache.mask(manager, 2))).isEqualTo("11110 11111");
    }

    @Test
    void mask_withPadding_hidesItFromAllButItself() {
        KeyValueCache cache = cache(2);
        cache.setPadding(new int[] {2, 0});
        assertThat(bits(cache.mask(manager, 3))).isEqualTo("100 010 001 100 110 111");
        cache.advance(3);
        assertThat(bits(cache.mask(manager, 1))).isEqualTo("0011 1111");
        assertThat(bits(cache.mask(manager, 2))).isEqualTo("00110 00111 11110 11111");
    }

    @Test
    void positions_areCountedFromBehindThePadding() {
        KeyValueCache cache = cache(2);
        cache.setPadding(new int[] {2, 0});
        assertThat(cache.positions(manager, 3).toLongArray()).containsExactly(0, 0, 0, 0, 1, 2);
        cache.advance(3);
        assertThat(cache.positions(manager, 1).toLongArray()).containsExactly(1, 3);
        assertThat(cache(1).positions(manager, 2).toLongArray()).containsExactly(0, 1);
    }

    @Test
    void keepRows_keepsTheirEntriesAndPadding() {
        KeyValueCache cache = cache(3);
        cache.setPadding(new int[] {1, 0, 2});
        NDArray entries = manager.create(new float[] {1, 2, 3}, new Shape(3, 1, 1, 1));
        cache.write(0, entries, entries.neg());
        cache.advance(1);
        cache.keepRows(new int[] {2, 0});
        assertThat(cache.keys(0, 0).toFloatArray()).containsExactly(3, 1);
        assertThat(cache.values(0, 0).toFloatArray()).containsExactly(-3, -1);
        cache.advance(2);
        assertThat(cache.positions(manager, 1).toLongArray()).containsExactly(1, 2);
    }

    @Test
    void moveRows_movesPositionsAndNothingElse() {
        KeyValueCache cache = cache(3);
        cache.setPadding(new int[] {1, 1, 0});
        NDArray memory = manager.create(new float[] {4, 4, 5}, new Shape(3, 1, 1, 1));
        cache.setMemory(new NDList(memory), new NDList(memory.neg()), null);
        NDArray entries = manager.create(new float[] {1, 2, 3}, new Shape(3, 1, 1, 1));
        cache.write(0, entries, entries.neg());
        cache.advance(1);
        NDArray kept = cache.memoryKeys(0);
        cache.moveRows(new int[] {1, 1, 2});
        assertThat(cache.keys(0, 0).toFloatArray()).containsExactly(2, 2, 3);
        assertThat(cache.values(0, 0).toFloatArray()).containsExactly(-2, -2, -3);
        assertThat(cache.memoryKeys(0)).isSameAs(kept);
        assertThat(cache.positions(manager, 1).toLongArray()).containsExactly(0, 0, 1);
    }

    @Test
    void setPadding_behindPositions_isRefused() {
        KeyValueCache cache = cache(1);
        cache.advance(1);
        assertThatThrownBy(() -> cache.setPadding(new int[] {1}))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("padding");
    }
}

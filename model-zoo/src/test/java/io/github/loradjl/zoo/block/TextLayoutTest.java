package io.github.loradjl.zoo.block;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TextLayoutTest {

    private final NDManager manager = NDManager.newBaseManager();

    @AfterEach
    void tearDown() {
        manager.close();
    }

    private TextLayout of(long[]... mask) {
        return TextLayout.of(manager.create(mask));
    }

    @Test
    void of_rowsWithoutPadding_keepsTheirOrder() {
        TextLayout layout = of(new long[] {1, 1, 1}, new long[] {3, 3, 3});
        assertThat(layout.lengths()).containsExactly(3, 3);
        assertThat(layout.kept()).isNull();
        assertThat(TextLayout.full(2, 3).lengths()).containsExactly(3, 3);
    }

    @Test
    void of_severalTextsInARow_separatesThem() {
        TextLayout layout = of(new long[] {1, 1, 2, 3});
        assertThat(layout.lengths()).containsExactly(2, 1, 1);
        assertThat(layout.kept()).isNull();
    }

    @Test
    void of_paddingAnywhere_leavesItBehind() {
        TextLayout layout = of(new long[] {1, 1, 0}, new long[] {0, 0, 1}, new long[] {1, 0, 1});
        assertThat(layout.lengths()).containsExactly(2, 1, 2);
        assertThat(layout.kept()).containsExactly(0, 1, 5, 6, 8);
    }

    @Test
    void of_textsThatInterleave_putsEachTogether() {
        TextLayout layout = of(new long[] {1, 2, 1, 2});
        assertThat(layout.lengths()).containsExactly(2, 2);
        assertThat(layout.kept()).containsExactly(0, 2, 1, 3);
    }

    @Test
    void of_nothingButPadding_isThatOfFullRows() {
        TextLayout layout = of(new long[] {0, 0});
        assertThat(layout.lengths()).containsExactly(2);
        assertThat(layout.kept()).isNull();
    }
}

package io.github.loradjl.examples.benchmark.speed;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToDoubleFunction;

class LongestTest {

    private static final int MOST = 128;
    private static final double LIMIT = 4000;

    private final List<Integer> tried = new ArrayList<>();

    private Longest search(IntToDoubleFunction memory) throws IOException {
        return Longest.search(
                MOST,
                LIMIT,
                rows -> {
                    tried.add(rows);
                    return memory.applyAsDouble(rows);
                });
    }

    @ParameterizedTest
    @CsvSource({"2100, 900, 0", "1200, 87, 0", "700, 45, 0", "1400, 130, 0.7", "900, 350, -9"})
    void search_findsTheLastThatFits_inAFewTrials(double base, double slope, double square)
            throws IOException {
        IntToDoubleFunction memory = n -> base + slope * n + square * n * n;
        int rows = 1;
        while (memory.applyAsDouble(rows + 1) <= LIMIT) {
            rows++;
        }
        assertThat(search(memory))
                .isEqualTo(
                        new Longest(
                                rows, memory.applyAsDouble(rows), memory.applyAsDouble(rows + 1)));
        assertThat(tried).doesNotHaveDuplicates().hasSizeLessThanOrEqualTo(9);
    }

    @Test
    void search_wherePeaksFall_goesOn() throws IOException {
        // As where arrays of more rows are large enough for the allocator to give each back at
        // once.
        Longest longest = search(rows -> rows < 11 ? 1000 + 283 * rows : 1370 + 99 * rows);
        assertThat(longest).isEqualTo(new Longest(26, 3944, 4043));
        assertThat(tried).doesNotHaveDuplicates();
    }

    @Test
    void search_whereOneRowIsTooMany_saysNone() throws IOException {
        assertThat(search(rows -> 5000)).isEqualTo(new Longest(0, 0, 5000));
        assertThat(tried).containsExactly(1);
    }

    @Test
    void search_whereAllFit_triesNoMore() throws IOException {
        assertThat(search(rows -> 1000 + rows)).isEqualTo(new Longest(MOST, 1128, Double.NaN));
    }
}

package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.LongStream;

/** Sentinels here are 1000 and on, the end token is 1, and texts are 2, 3, 4 and so on. */
class SpanCorruptionTest {

    private static final long[] SENTINELS = LongStream.range(1000, 1100).toArray();

    private static SpanCorruption t5() {
        return new SpanCorruption(0.15, 3, SENTINELS, 1);
    }

    private static long[] text(int length) {
        return LongStream.range(2, 2 + length).toArray();
    }

    @Test
    void corrupt_anyLength_hidesTheShareOfT5AndLosesNothing() {
        for (int length = 2; length < 700; length++) {
            SpanCorruption.Pair pair = t5().corrupt(text(length), length);
            // numpy's round, as in the original.
            int noise = Math.max(1, (int) Math.rint(length * 0.15));
            int spans = Math.max(1, (int) Math.rint(noise / 3d));
            assertThat(pair.input()).hasSize(length - noise + spans + 1).endsWith(1);
            assertThat(pair.target()).hasSize(noise + spans + 2).startsWith(1000).endsWith(1);
            assertThat(pair.input()[0]).isEqualTo(2);
            assertThat(pair.target()[noise + spans]).isEqualTo(1000 + spans);
            assertThat(restored(pair)).as("length %d", length).isEqualTo(text(length));
        }
    }

    /** Puts each span back into the place of its sentinel. */
    private static long[] restored(SpanCorruption.Pair pair) {
        LongStream.Builder text = LongStream.builder();
        int at = 0;
        for (long token : Arrays.copyOf(pair.input(), pair.input().length - 1)) {
            if (token < 1000) {
                text.add(token);
                continue;
            }
            assertThat(pair.target()[at++]).isEqualTo(token);
            int start = at;
            while (pair.target()[at] < 1000) {
                text.add(pair.target()[at++]);
            }
            assertThat(at).isGreaterThan(start);
        }
        return text.build().toArray();
    }

    @Test
    void corrupt_manySeeds_drawsEverySegmentationAlike() {
        Map<String, Integer> counts = new HashMap<>();
        // Half of eight tokens in two spans: 1 + 3, 2 + 2 or 3 + 1, both hidden and kept.
        SpanCorruption corruption = new SpanCorruption(0.5, 2, SENTINELS, 1);
        for (int seed = 0; seed < 9000; seed++) {
            long[] input = corruption.corrupt(text(8), seed).input();
            counts.merge(Arrays.toString(input), 1, Integer::sum);
        }
        assertThat(counts).hasSize(9);
        // 1000 each, with a standard deviation of 30.
        assertThat(counts.values()).allMatch(count -> Math.abs(count - 1000) < 150);
    }

    @Test
    void corrupt_sameSeed_repeats() {
        SpanCorruption.Pair pair = t5().corrupt(text(100), 7);
        assertThat(t5().corrupt(text(100), 7).input()).isEqualTo(pair.input());
        assertThat(t5().corrupt(text(100), 8).input()).isNotEqualTo(pair.input());
    }

    @Test
    void corrupt_whatCannotBe_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> t5().corrupt(text(1), 0))
                .withMessageContaining("not 1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> t5().corrupt(text(2000), 0))
                .withMessageContaining("100 spans");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new SpanCorruption(1, 3, SENTINELS, 1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new SpanCorruption(0.15, 0, SENTINELS, 1));
    }
}

package io.github.loradjl.zoo.text;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * The task that T5 is pretrained on: short spans of a text are left out of what the encoder reads,
 * and the decoder writes them down.
 *
 * <p>Of n tokens, round(n density) are left out, at least one, in round(that / mean span) spans, at
 * least one. Both the spans and what stands between them are drawn evenly among all ways to cut
 * their tokens into so many parts, none of them empty; the text begins with a part that stays. In
 * the input a sentinel of its own stands for each span, before the end token; the target has each
 * span behind its sentinel, then one more sentinel and the end token.
 *
 * @see <a href="https://arxiv.org/abs/1910.10683">T5, section 3.1.4</a>
 */
public final class SpanCorruption {

    private final double density;
    private final double meanSpan;
    private final long[] sentinels;
    private final long endToken;

    /**
     * Creates the task.
     *
     * @param density the share of tokens to leave out, in (0, 1); 0.15 for T5
     * @param meanSpan their mean number in a span, at least 1; 3 for T5
     * @param sentinels the tokens that stand for spans, in the order of their use
     * @param endToken the token that ends inputs and targets
     * @throws IllegalArgumentException if a number is out of its range
     */
    public SpanCorruption(double density, double meanSpan, long[] sentinels, long endToken) {
        if (!(density > 0 && density < 1 && meanSpan >= 1)) {
            throw new IllegalArgumentException(
                    "The density must be in (0, 1) and the mean span at least 1, not "
                            + density
                            + " and "
                            + meanSpan);
        }
        this.density = density;
        this.meanSpan = meanSpan;
        this.sentinels = sentinels.clone();
        this.endToken = endToken;
    }

    /**
     * What the encoder reads and what the decoder is to write.
     *
     * @param input the text with sentinels for its spans
     * @param target the spans
     */
    public record Pair(long[] input, long[] target) {}

    /**
     * Leaves spans out of a text.
     *
     * @param tokens at least two tokens, without special ones
     * @param seed the seed of the draw; the same for the same spans
     * @return the input and the target, whose lengths depend on the number of tokens alone
     * @throws IllegalArgumentException if there are fewer than two tokens, or more spans than
     *     sentinels for them
     */
    public Pair corrupt(long[] tokens, long seed) {
        int count = tokens.length;
        if (count < 2) {
            throw new IllegalArgumentException(
                    "A text needs at least 2 tokens to leave one out, not " + count);
        }
        // Rounded to even like the original, which decides at every tenth length.
        int noise = bounded(Math.rint(count * density), count - 1);
        int spans = bounded(Math.rint(noise / meanSpan), Math.min(noise, count - noise));
        if (spans >= sentinels.length) {
            throw new IllegalArgumentException(
                    count
                            + " tokens have "
                            + spans
                            + " spans, which need one sentinel more, but there are only "
                            + sentinels.length
                            + ": cut the text");
        }
        SplittableRandom random = new SplittableRandom(new SplittableRandom(seed).nextLong());
        int[] hidden = parts(noise, spans, random);
        int[] kept = parts(count - noise, spans, random);
        long[] input = new long[count - noise + spans + 1];
        long[] target = new long[noise + spans + 2];
        int from = 0;
        int in = 0;
        int out = 0;
        for (int span = 0; span < spans; span++) {
            System.arraycopy(tokens, from, input, in, kept[span]);
            from += kept[span];
            in += kept[span];
            input[in++] = sentinels[span];
            target[out++] = sentinels[span];
            System.arraycopy(tokens, from, target, out, hidden[span]);
            from += hidden[span];
            out += hidden[span];
        }
        input[in] = endToken;
        target[out++] = sentinels[spans];
        target[out] = endToken;
        return new Pair(input, target);
    }

    private static int bounded(double number, int most) {
        return (int) Math.max(1, Math.min(most, number));
    }

    /** Draws sizes of parts, all positive, with the given sum. */
    private static int[] parts(int sum, int parts, SplittableRandom random) {
        // The ends of all parts but the last are distinct places between the items.
        int[] places = IntStream.range(1, sum).toArray();
        int[] ends = new int[parts];
        for (int i = 0; i < parts - 1; i++) {
            int j = i + random.nextInt(places.length - i);
            ends[i] = places[j];
            places[j] = places[i];
        }
        ends[parts - 1] = sum;
        Arrays.sort(ends);
        int[] sizes = new int[parts];
        for (int i = 0; i < parts; i++) {
            sizes[i] = ends[i] - (i == 0 ? 0 : ends[i - 1]);
        }
        return sizes;
    }
}

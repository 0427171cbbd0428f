package io.github.loradjl.zoo.text;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.stream.LongStream;

/**
 * Makes rows for an encoder with a decoder: what is asked for the one, what is answered for the
 * other, each a text of its own. A text that asks nothing has spans left out for the decoder to
 * write.
 */
class Seq2SeqRowEncoder extends RowEncoder {

    private static final Logger logger = LoggerFactory.getLogger(Seq2SeqRowEncoder.class);

    private static final double DENSITY = 0.15;
    private static final double MEAN_SPAN = 3;

    private final int maxLength;
    private final int maxTargetLength;
    private final long[] sentinels;
    private int maxTextLength;
    private boolean warned;

    Seq2SeqRowEncoder(TextTokenizer tokenizer, RowOptions options) {
        super(tokenizer, options);
        maxLength = options.maxLength();
        maxTargetLength = options.maxTargetLength();
        sentinels =
                LongStream.iterate(0, number -> number + 1)
                        .mapToObj(number -> tokenizer.getId("<extra_id_" + number + ">"))
                        .takeWhile(OptionalLong::isPresent)
                        .mapToLong(OptionalLong::getAsLong)
                        .toArray();
    }

    /** Prompts do not count here: what is learnt is a text of its own. */
    @Override
    String remedy() {
        return "a completion needs a token to learn, a text without a prompt two, one of which is"
                + " left out";
    }

    @Override
    TokenRow pair(String prompt, String completion) throws IOException {
        return paired(tokenizer().encode(prompt), completion);
    }

    /**
     * Asks with the messages before the last answer; the template writes all special tokens of what
     * is asked.
     */
    @Override
    TokenRow chat(Conversation conversation) throws IOException {
        Conversation.Turn turn = conversation.lastTurn();
        String prompt;
        try {
            prompt = template().render(turn.before(), true, conversation.variables()).text();
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
        return paired(tokenizer().encode(prompt, false), turn.answer());
    }

    private TokenRow paired(long[] source, String completion) throws IOException {
        if (source.length == 0) {
            throw new IOException(
                    "the prompt is empty and gets no end token: the encoder has nothing to read");
        }
        int[] kept = ints(tokenizer().truncate(source, maxLength));
        return TokenRow.paired(
                kept, target(completion), maxTargetLength, source.length - kept.length);
    }

    /** Encodes what is to be learnt. */
    int[] target(String completion) {
        return ended(tokenizer().encode(completion));
    }

    @Override
    TokenRow text(String text, long number) throws IOException {
        long[] ids = tokenizer().encode(text, false);
        int length = fitting(ids.length);
        return corrupted(Arrays.copyOf(ids, length), ids.length - length, number);
    }

    /** Makes blocks of as many tokens as fit; only the last one may be shorter. */
    @Override
    List<TokenRow> blocks(String text, long number) throws IOException {
        long[] all = plain(text).asLongStream().toArray();
        List<TokenRow> blocks = new ArrayList<>();
        int from = 0;
        while (from < all.length) {
            int to = from + fitting(all.length - from);
            long[] block = Arrays.copyOfRange(all, from, to);
            blocks.add(corrupted(block, 0, number + blocks.size()));
            from = to;
        }
        return blocks;
    }

    private TokenRow corrupted(long[] tokens, int cut, long number) {
        if (tokens.length < 2) {
            return new TokenRow(ints(tokens), new int[0], cut, false, tokens.length);
        }
        long end = tokenizer().getEosId().orElseThrow();
        long seed = new SplittableRandom(options().seed()).nextLong() + number;
        SpanCorruption.Pair pair =
                new SpanCorruption(DENSITY, MEAN_SPAN, sentinels, end).corrupt(tokens, seed);
        return TokenRow.paired(ints(pair.input()), ints(pair.target()), maxTargetLength, cut);
    }

    /** Returns how many of so many tokens fit, and says so if it is the sentinels that run out. */
    private int fitting(int tokens) throws IOException {
        int most = maxTextLength();
        if (tokens > most && !warned && needs(most + 1) > sentinels.length) {
            warned = true;
            logger.warn(
                    "Texts are cut to {} tokens, for whose spans the tokenizer's {} sentinels"
                            + " suffice, whatever the maximum length",
                    most,
                    sentinels.length);
        }
        return Math.min(tokens, most);
    }

    /**
     * Returns the most tokens of a text whose input and target fit and whose sentinels suffice.
     *
     * @throws IOException if no text can be learnt with this tokenizer, or in so few tokens
     */
    private int maxTextLength() throws IOException {
        if (maxTextLength > 0) {
            return maxTextLength;
        }
        if (sentinels.length < 2 || tokenizer().getEosId().isEmpty()) {
            throw new IOException(
                    "a text without a prompt has spans left out for the decoder to write, but the"
                            + " tokenizer has no sentinels <extra_id_0>, <extra_id_1>, ... or no"
                            + " end token: give rows with a prompt and a completion");
        }
        // The lengths depend on the number of tokens alone, and grow with it.
        int fits = 1;
        int tooLong = 2 * maxLength + 1;
        while (tooLong - fits > 1) {
            int middle = (fits + tooLong) / 2;
            if (fits(middle)) {
                fits = middle;
            } else {
                tooLong = middle;
            }
        }
        if (fits < 2) {
            throw new IOException(
                    "a text without a prompt takes more than "
                            + maxLength
                            + " tokens for the encoder or more than "
                            + maxTargetLength
                            + " for the decoder: raise optMaxLength or optMaxTargetLength");
        }
        maxTextLength = fits;
        return maxTextLength;
    }

    private boolean fits(int length) {
        SpanCorruption.Pair pair = standIn(length);
        return pair.input().length <= maxLength
                && pair.target().length <= maxTargetLength
                && needs(length) <= sentinels.length;
    }

    /** Returns the number of sentinels that a text of some length takes. */
    private static long needs(int length) {
        return Arrays.stream(standIn(length).target()).max().orElseThrow();
    }

    private static SpanCorruption.Pair standIn(int length) {
        // Sentinels that are enough for any text, and unlike its tokens.
        long[] standIns = LongStream.rangeClosed(1, length).toArray();
        return new SpanCorruption(DENSITY, MEAN_SPAN, standIns, 0).corrupt(new long[length], 0);
    }
}

package io.github.loradjl.zoo.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;

/** Turns texts into rows of tokens. */
final class RowEncoder {

    /** So many characters of a plain text are tokenised at once, which bounds memory. */
    private static final int PIECE = 200_000;

    private final TextTokenizer tokenizer;
    private final int maxLength;
    private final String separator;
    private final boolean trainOnPrompt;
    private final boolean addsEnd;

    RowEncoder(TextTokenizer tokenizer, int maxLength, String separator, boolean trainOnPrompt) {
        this.tokenizer = tokenizer;
        this.maxLength = maxLength;
        this.separator = separator;
        this.trainOnPrompt = trainOnPrompt;
        OptionalLong end = tokenizer.getEosId();
        addsEnd =
                endsWith(tokenizer.encode("a", true), end)
                        && !endsWith(tokenizer.encode("a", false), end);
    }

    TokenRow encode(RawRow row) {
        if (row.prompt() == null) {
            return TokenRow.of(ended(tokenizer.encode(row.completion())), 0, false, maxLength);
        }
        String prompt = row.prompt() + separator;
        int[] before = open(tokenizer.encode(prompt));
        int[] all = ended(tokenizer.encode(prompt + row.completion()));
        int differ = Arrays.mismatch(before, all);
        int shared = differ < 0 ? before.length : differ;
        return TokenRow.of(all, trainOnPrompt ? 0 : shared, shared < before.length, maxLength);
    }

    /** Cuts one long text into blocks of the full length; only the last one may be shorter. */
    List<TokenRow> blocks(String text) {
        List<int[]> pieces = new ArrayList<>();
        pieces.add(open(tokenizer.encode("")));
        for (int from = 0; from < text.length(); ) {
            int to = pieceEnd(text, from);
            pieces.add(ints(tokenizer.encode(text.substring(from, to), false)));
            from = to;
        }
        tokenizer.getEosId().ifPresent(end -> pieces.add(new int[] {(int) end}));
        int[] all = pieces.stream().flatMapToInt(Arrays::stream).toArray();
        List<TokenRow> blocks = new ArrayList<>();
        for (int from = 0; from < all.length; from += maxLength) {
            int to = Math.min(all.length, from + maxLength);
            blocks.add(new TokenRow(Arrays.copyOfRange(all, from, to), 0, 0, false));
        }
        return blocks;
    }

    private static int pieceEnd(String text, int from) {
        int to = Math.min(text.length(), from + PIECE);
        if (to == text.length()) {
            return to;
        }
        for (int i = to; i > from; i--) {
            if (text.charAt(i - 1) == '\n' && !Character.isWhitespace(text.charAt(i))) {
                return i;
            }
        }
        return Character.isLowSurrogate(text.charAt(to)) ? to - 1 : to;
    }

    /** Adds the end token unless the tokenizer did. */
    private int[] ended(long[] ids) {
        OptionalLong end = tokenizer.getEosId();
        int[] result = ints(ids);
        if (end.isEmpty() || endsWith(ids, end)) {
            return result;
        }
        result = Arrays.copyOf(result, result.length + 1);
        result[result.length - 1] = (int) end.getAsLong();
        return result;
    }

    /** Takes away the end token that the tokenizer puts behind any text. */
    private int[] open(long[] ids) {
        int[] result = ints(ids);
        return addsEnd ? Arrays.copyOf(result, result.length - 1) : result;
    }

    private static boolean endsWith(long[] ids, OptionalLong id) {
        return id.isPresent() && ids.length > 0 && ids[ids.length - 1] == id.getAsLong();
    }

    private static int[] ints(long[] ids) {
        return Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
    }
}

package io.github.loradjl.zoo.text.generate;

import io.github.loradjl.zoo.text.TextTokenizer;

import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Turns tokens into text as they come, without ever handing out half a character.
 *
 * <p>A token's text depends on its neighbours: a character may be spread over several tokens, and a
 * leading space may show only after another token. So each piece is what the new token adds to the
 * decoded text of a few tokens before it, and waits while that ends in the middle of a character.
 */
final class TextStream {

    private static final int CONTEXT = 6;
    private static final String UNFINISHED = "\uFFFD";

    private final TextTokenizer tokenizer;
    private final Consumer<String> listener;
    private final StringBuilder text = new StringBuilder();
    private long[] ids;
    private int shown;

    TextStream(TextTokenizer tokenizer, long[] prompt, Consumer<String> listener) {
        this.tokenizer = tokenizer;
        this.listener = listener;
        ids = Arrays.copyOfRange(prompt, Math.max(0, prompt.length - CONTEXT), prompt.length);
        shown = ids.length;
    }

    /** Turns all tokens that follow a prompt into text. */
    static String text(TextTokenizer tokenizer, long[] prompt, long[] ids) {
        TextStream stream = new TextStream(tokenizer, prompt, piece -> {});
        for (long id : ids) {
            stream.add(id);
        }
        return stream.finish();
    }

    void add(long id) {
        ids = Arrays.copyOf(ids, ids.length + 1);
        ids[ids.length - 1] = id;
        String piece = piece();
        if (!piece.isEmpty() && !piece.endsWith(UNFINISHED)) {
            emit(piece);
        }
    }

    /** Hands out what is left, finished or not, and returns the whole text. */
    String finish() {
        String piece = piece();
        if (!piece.isEmpty()) {
            emit(piece);
        }
        return text.toString();
    }

    private String piece() {
        String before = tokenizer.decode(Arrays.copyOf(ids, shown));
        String after = tokenizer.decode(ids);
        return after.length() > before.length() ? after.substring(before.length()) : "";
    }

    private void emit(String piece) {
        text.append(piece);
        listener.accept(piece);
        int from = Math.max(0, ids.length - Math.max(CONTEXT, ids.length - shown));
        ids = Arrays.copyOfRange(ids, from, ids.length);
        shown = ids.length;
    }
}

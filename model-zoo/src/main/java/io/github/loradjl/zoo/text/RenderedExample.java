package io.github.loradjl.zoo.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A row as the model gets it, as text with special tokens shown.
 *
 * @param name the file and line of the row
 * @param stretches the text, cut where learning begins or ends; the first token of a row is never
 *     learnt, for nothing predicts it. With an encoder, what it reads, masked, and what the decoder
 *     is to write or the name of the class
 */
public record RenderedExample(String name, List<Stretch> stretches) {

    private static final char REPLACEMENT = '\ufffd';

    /**
     * A piece of the text.
     *
     * @param text the text
     * @param learnt whether it is learnt; if not, it is masked
     */
    public record Stretch(String text, boolean learnt) {}

    /**
     * Creates an example.
     *
     * @param name the file and line of the row
     * @param stretches the text in pieces
     */
    public RenderedExample {
        stretches = List.copyOf(stretches);
    }

    static RenderedExample of(
            String name, TokenRow row, TextTokenizer tokenizer, List<String> classes) {
        int length = row.ids().length;
        long[] ids = Arrays.stream(row.ids()).asLongStream().toArray();
        int source = row.encoderLength();
        if (source > 0) {
            String read = tokenizer.decode(Arrays.copyOf(ids, source), false);
            String written =
                    classes.isEmpty()
                            ? tokenizer.decode(Arrays.copyOfRange(ids, source, length), false)
                            : classes.get(row.ids()[source]);
            return new RenderedExample(
                    name, List.of(new Stretch(read, false), new Stretch(written, true)));
        }
        long[] labels = new long[length];
        Arrays.fill(labels, CausalLmLoss.IGNORE_INDEX);
        row.label(labels, 0);
        labels[0] = CausalLmLoss.IGNORE_INDEX;
        List<Stretch> stretches = new ArrayList<>();
        String before = "";
        for (int from = 0; from < length; ) {
            boolean learnt = labels[from] != CausalLmLoss.IGNORE_INDEX;
            int to = from + 1;
            while (to < length && learnt == (labels[to] != CausalLmLoss.IGNORE_INDEX)) {
                to++;
            }
            // All text so far, for a token may be written differently at the beginning of a text.
            String all = tokenizer.decode(Arrays.copyOf(ids, to), false);
            String whole = to < length ? complete(all) : all;
            if (whole.startsWith(before)) {
                stretches.add(new Stretch(whole.substring(before.length()), learnt));
                before = whole;
            } else {
                long[] own = Arrays.copyOfRange(ids, from, to);
                stretches.add(new Stretch(tokenizer.decode(own, false), learnt));
                before = all;
            }
            from = to;
        }
        return new RenderedExample(name, stretches);
    }

    /** Leaves the first bytes of a character to the stretch with its last one. */
    private static String complete(String text) {
        int end = text.length();
        while (end > 0 && text.charAt(end - 1) == REPLACEMENT) {
            end--;
        }
        return text.substring(0, end);
    }

    /**
     * Writes the text with marks around what is masked.
     *
     * @param before the mark before each masked stretch, as the beginning of a colour
     * @param after the mark after it
     * @return the text
     */
    public String mark(String before, String after) {
        StringBuilder text = new StringBuilder();
        for (Stretch stretch : stretches) {
            text.append(stretch.learnt() ? stretch.text() : before + stretch.text() + after);
        }
        return text.toString();
    }

    /** Returns the text with masked stretches between double brackets. */
    @Override
    public String toString() {
        return mark("[[", "]]");
    }
}

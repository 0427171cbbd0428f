package io.github.loradjl.zoo.text.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** One rendering under way: the text so far, the answers in it, and how much is left to spend. */
final class Rendering {

    private static final int MAX_DEPTH = 100;

    private final long deadline;
    private final long seconds;
    private final int maxLength;
    private final List<ChatTemplate.Span> answers = new ArrayList<>();
    private StringBuilder out = new StringBuilder();
    private int captures;
    private int depth;

    Rendering(long seconds, int maxLength) {
        this.seconds = seconds;
        this.maxLength = maxLength;
        deadline = System.nanoTime() + seconds * 1_000_000_000L;
    }

    /** To be called once for each step that a template can repeat. */
    void step() {
        if (System.nanoTime() - deadline > 0) {
            throw new TemplateException(
                    "the conversation is not rendered after " + seconds + " seconds");
        }
    }

    void write(String text) {
        if (out.length() + (long) text.length() > maxLength) {
            throw new TemplateException(
                    "the rendered text is longer than " + maxLength + " characters");
        }
        out.append(text);
    }

    /** Returns what is written meanwhile, instead of writing it. */
    String capture(Consumer<Rendering> writer) {
        if (++depth > MAX_DEPTH) {
            throw new TemplateException("macros call each other more than " + MAX_DEPTH + " deep");
        }
        StringBuilder before = out;
        out = new StringBuilder();
        captures++;
        try {
            writer.accept(this);
            return out.toString();
        } finally {
            out = before;
            captures--;
            depth--;
        }
    }

    /** Marks what is written meanwhile as an answer. What a macro captures has no place yet. */
    void answer(Runnable writer) {
        int from = out.length();
        writer.run();
        if (captures == 0 && out.length() > from) {
            answers.add(new ChatTemplate.Span(from, out.length()));
        }
    }

    String text() {
        return out.toString();
    }

    List<ChatTemplate.Span> answers() {
        return List.copyOf(answers);
    }
}

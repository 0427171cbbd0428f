package io.github.loradjl.zoo.text.chat;

/** What is wrong with a template, or with a conversation by the template's own word. */
final class TemplateException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    private final boolean placed;

    TemplateException(String message) {
        this(message, false, null);
    }

    private TemplateException(String message, boolean placed, Throwable cause) {
        super(message, cause);
        this.placed = placed;
    }

    /** Says where in an expression it happened. */
    TemplateException within(String part) {
        return placed ? this : new TemplateException(part + ": " + getMessage(), false, this);
    }

    /** Adds the line of the template, unless a line further inside is named already. */
    TemplateException at(int line) {
        return placed
                ? this
                : new TemplateException(
                        "Chat template, line " + line + ": " + getMessage(), true, this);
    }
}

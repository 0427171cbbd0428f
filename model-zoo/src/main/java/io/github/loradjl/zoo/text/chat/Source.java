package io.github.loradjl.zoo.text.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Prepares the text of a template for Jinjava, whose whitespace differs from Jinja's in four
 * points: blanks before a tag go only where nothing else stands before them on the line
 * (lstrip_blocks), comments trim like tags, {@code {%+} keeps blanks, and {@code }}} inside a dict
 * does not end an expression. What stands in strings and in raw blocks is left alone.
 */
final class Source {

    private final String text;
    private final List<Integer> lines = new ArrayList<>();
    private final StringBuilder out = new StringBuilder();
    private int at;

    private Source(String text) {
        this.text = text;
    }

    /**
     * A template for Jinjava.
     *
     * @param text its text
     * @param lines the lines, in the template as it was, of the expressions and of the tags that
     *     end nothing, one after the other; Jinjava miscounts where it trims
     */
    record Prepared(String text, List<Integer> lines) {}

    static Prepared prepare(String template) {
        String text = template.replace("\r\n", "\n").replace('\r', '\n');
        // As Jinja does unless told otherwise; render keeps every other line end.
        Source source =
                new Source(text.endsWith("\n") ? text.substring(0, text.length() - 1) : text);
        return new Prepared(source.run(), source.lines);
    }

    private String run() {
        while (at < text.length()) {
            if (text.startsWith("{#", at)) {
                comment();
            } else if (text.startsWith("{%", at)) {
                tag();
            } else if (text.startsWith("{{", at)) {
                lines.add(line());
                copyUntil("}}");
            } else {
                out.append(text.charAt(at++));
            }
        }
        return out.toString();
    }

    private void comment() {
        int end = text.indexOf("#}", at + 2);
        if (end < 0) {
            throw new TemplateException("a comment {# has no end #}").at(line());
        }
        char first = text.charAt(at + 2);
        if (first == '-') {
            out.setLength(out.toString().stripTrailing().length());
        } else if (first != '+') {
            stripIndent();
        }
        // Something has to stay in its place: whitespace is trimmed up to a comment, not beyond.
        lines.add(line());
        out.append("{{''}}");
        boolean trims = end > at + 2 && text.charAt(end - 1) == '-';
        boolean keeps = end > at + 2 && text.charAt(end - 1) == '+';
        at = end + 2;
        while (trims && at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        if (!trims && !keeps && at < text.length() && text.charAt(at) == '\n') {
            at++;
        }
    }

    private void tag() {
        boolean keeps = text.startsWith("{%+", at);
        if (!keeps) {
            stripIndent();
        }
        String name = text.substring(at + 2).replaceFirst("^[-+]?\\s*", "");
        if (!name.startsWith("end")) {
            lines.add(line());
        }
        boolean isRaw = name.matches("(?s)raw\\s*-?%\\}.*");
        if (keeps) {
            out.append("{% ");
            at += 3;
        }
        copyUntil("%}");
        if (out.charAt(out.length() - 3) == '+') {
            // The second line end is Jinjava's to take.
            out.replace(out.length() - 3, out.length(), text.startsWith("\n", at) ? "%}\n" : "%}");
        }
        if (isRaw) {
            Matcher end = Pattern.compile("\\{%[-+]?\\s*endraw").matcher(text);
            if (!end.find(at)) {
                throw new TemplateException("raw has no endraw").at(line());
            }
            if (text.startsWith("\n", at) && !text.startsWith("-%}", at - 3)) {
                // Jinjava takes the line end away behind this tag too; Jinja does not.
                out.append('\n');
            }
            out.append(text, at, end.start());
            at = end.start();
        }
    }

    /** Copies up to and with an end that stands neither in a string nor within brackets. */
    private void copyUntil(String end) {
        int depth = 0;
        int start = at;
        at += text.startsWith("{", at) ? 2 : 0;
        out.append(text, start, at);
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '\'' || c == '"') {
                int stop;
                try {
                    stop = Lexer.stringEnd(text, at);
                } catch (TemplateException e) {
                    throw e.at(line());
                }
                out.append(text, at, stop);
                at = stop;
                continue;
            }
            if (depth == 0 && text.startsWith(end, at)) {
                out.append(end);
                at += 2;
                return;
            }
            depth += c == '{' ? 1 : 0;
            out.append(c);
            at++;
            if (c == '}') {
                if (--depth < 0) {
                    throw new TemplateException("unexpected '}'").at(line());
                }
                out.append(' ');
            }
        }
        throw new TemplateException(
                        "'" + text.substring(start, start + 2) + "' has no end '" + end + "'")
                .at(line());
    }

    private void stripIndent() {
        int from = out.length();
        while (from > 0 && (out.charAt(from - 1) == ' ' || out.charAt(from - 1) == '\t')) {
            from--;
        }
        int source = at - (out.length() - from);
        if (source == 0 || text.charAt(source - 1) == '\n') {
            out.setLength(from);
        }
    }

    private int line() {
        return 1
                + (int)
                        text.substring(0, Math.min(at, text.length()))
                                .chars()
                                .filter(c -> c == '\n')
                                .count();
    }
}

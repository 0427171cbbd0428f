package io.github.loradjl.zoo.text.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Cuts an expression into tokens. */
final class Lexer {

    private static final Pattern TOKEN =
            Pattern.compile(
                    "(?<space>\\s+)"
                        + "|(?<real>\\d[\\d_]*(?:\\.\\d[\\d_]*(?:[eE][+-]?\\d+)?|[eE][+-]?\\d+))"
                        + "|(?<whole>0[xX][0-9a-fA-F_]+|\\d[\\d_]*)"
                        + "|(?<name>[\\p{L}_][\\p{L}\\p{N}_]*)"
                        + "|(?<operator>//|\\*\\*|==|!=|<=|>=|[-+*/%~<>()\\[\\]{},:.|=])");

    enum Kind {
        NAME,
        STRING,
        WHOLE,
        REAL,
        OPERATOR,
        END
    }

    record Token(Kind kind, String text) {

        boolean is(String text) {
            return (kind == Kind.OPERATOR || kind == Kind.NAME) && this.text.equals(text);
        }

        @Override
        public String toString() {
            return kind == Kind.END ? "the end" : "'" + text + "'";
        }
    }

    private Lexer() {}

    static List<Token> tokens(String source) {
        List<Token> tokens = new ArrayList<>();
        Matcher matcher = TOKEN.matcher(source);
        int at = 0;
        while (at < source.length()) {
            char c = source.charAt(at);
            if (c == '\'' || c == '"') {
                int end = stringEnd(source, at);
                tokens.add(new Token(Kind.STRING, unescape(source.substring(at + 1, end - 1))));
                at = end;
                continue;
            }
            matcher.region(at, source.length());
            if (!matcher.lookingAt()) {
                throw new TemplateException("unexpected '" + c + "'");
            }
            if (matcher.group("real") != null) {
                tokens.add(new Token(Kind.REAL, matcher.group().replace("_", "")));
            } else if (matcher.group("whole") != null) {
                tokens.add(new Token(Kind.WHOLE, matcher.group().replace("_", "")));
            } else if (matcher.group("name") != null) {
                tokens.add(new Token(Kind.NAME, matcher.group()));
            } else if (matcher.group("operator") != null) {
                tokens.add(new Token(Kind.OPERATOR, matcher.group()));
            }
            at = matcher.end();
        }
        tokens.add(new Token(Kind.END, ""));
        return tokens;
    }

    /** Returns the place behind the string that starts here. */
    static int stringEnd(String source, int start) {
        char quote = source.charAt(start);
        for (int i = start + 1; i < source.length(); i++) {
            if (source.charAt(i) == '\\') {
                i++;
            } else if (source.charAt(i) == quote) {
                return i + 1;
            }
        }
        throw new TemplateException(
                "the string " + shortened(source.substring(start)) + " has no end");
    }

    private static String shortened(String text) {
        return text.length() > 30 ? text.substring(0, 30) + "..." : text;
    }

    private static String unescape(String text) {
        StringBuilder out = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '\\' || i + 1 == text.length()) {
                out.append(c);
                continue;
            }
            char kind = text.charAt(++i);
            int digits =
                    switch (kind) {
                        case 'x' -> 2;
                        case 'u' -> 4;
                        case 'U' -> 8;
                        default -> 0;
                    };
            if (digits > 0) {
                out.appendCodePoint(hexadecimal(text, i + 1, digits));
                i += digits;
            } else if (kind >= '0' && kind <= '7') {
                int end = i;
                while (end < Math.min(i + 3, text.length())
                        && text.charAt(end) >= '0'
                        && text.charAt(end) <= '7') {
                    end++;
                }
                out.append((char) Integer.parseInt(text.substring(i, end), 8));
                i = end - 1;
            } else {
                out.append(simple(kind));
            }
        }
        return out.toString();
    }

    private static String simple(char kind) {
        return switch (kind) {
            case 'n' -> "\n";
            case 't' -> "\t";
            case 'r' -> "\r";
            case 'a' -> "\u0007";
            case 'b' -> "\b";
            case 'f' -> "\f";
            case 'v' -> "\u000b";
            case '\n' -> "";
            case '\\', '\'', '"' -> String.valueOf(kind);
            default -> "\\" + kind;
        };
    }

    private static int hexadecimal(String text, int from, int digits) {
        try {
            int c = Integer.parseInt(text.substring(from, from + digits), 16);
            if (Character.isValidCodePoint(c)) {
                return c;
            }
        } catch (IndexOutOfBoundsException | NumberFormatException e) {
            // Falls to the same complaint as a number that is no character.
        }
        throw new TemplateException(
                "a malformed escape \\" + text.charAt(from - 1) + " in a string");
    }
}

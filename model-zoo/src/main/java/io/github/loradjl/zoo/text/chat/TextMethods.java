package io.github.loradjl.zoo.text.chat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;

/** Python's methods of strings. */
final class TextMethods {

    private TextMethods() {}

    /** Finds a method of the text, or null. */
    static Callable find(String text, String name) {
        return switch (name) {
            case "strip" -> a -> strip(text, a, true, true);
            case "lstrip" -> a -> strip(text, a, true, false);
            case "rstrip" -> a -> strip(text, a, false, true);
            case "split" -> a -> split(text, a, false);
            case "rsplit" -> a -> split(text, a, true);
            case "splitlines" -> a -> lines(text);
            case "partition" ->
                    a -> partition(text, a.text(0, "sep"), text.indexOf(a.text(0, "sep")));
            case "rpartition" -> a -> rpartition(text, a.text(0, "sep"));
            case "startswith" -> a -> any(a, piece -> text.startsWith(piece));
            case "endswith" -> a -> any(a, piece -> text.endsWith(piece));
            case "removeprefix" ->
                    a ->
                            text.startsWith(a.text(0, "prefix"))
                                    ? text.substring(a.text(0, "prefix").length())
                                    : text;
            case "removesuffix" ->
                    a ->
                            text.endsWith(a.text(0, "suffix"))
                                    ? text.substring(
                                            0, text.length() - a.text(0, "suffix").length())
                                    : text;
            case "replace" ->
                    a -> replace(text, a.text(0, "old"), a.text(1, "new"), a.whole(2, "count", -1));
            case "join" -> a -> join(text, Values.items(a.need(0, "iterable")), true);
            case "upper" -> a -> text.toUpperCase(Locale.ROOT);
            case "lower" -> a -> text.toLowerCase(Locale.ROOT);
            case "title" -> a -> title(text);
            case "capitalize" -> a -> capitalize(text);
            case "format" -> a -> TextFormat.braces(text, a);
            case "find" -> a -> place(text, text.indexOf(a.text(0, "sub")));
            case "rfind" -> a -> place(text, text.lastIndexOf(a.text(0, "sub")));
            case "count" -> a -> occurrences(text, a.text(0, "sub"));
            case "zfill" -> a -> zeros(text, a.whole(0, "width", 0));
            case "ljust" -> a -> text + fill(text, a);
            case "rjust" -> a -> fill(text, a) + text;
            case "isdigit" -> a -> all(text, Character::isDigit);
            case "isalpha" -> a -> all(text, Character::isLetter);
            case "isalnum" -> a -> all(text, Character::isLetterOrDigit);
            case "isspace" -> a -> all(text, TextMethods::isSpace);
            case "isupper" ->
                    a ->
                            !text.equals(text.toLowerCase(Locale.ROOT))
                                    && text.equals(text.toUpperCase(Locale.ROOT));
            case "islower" ->
                    a ->
                            !text.equals(text.toUpperCase(Locale.ROOT))
                                    && text.equals(text.toLowerCase(Locale.ROOT));
            default -> null;
        };
    }

    private interface Piece {
        boolean fits(String piece);
    }

    private static boolean any(Arguments arguments, Piece test) {
        if (arguments.need(0, "prefix") instanceof List<?> pieces) {
            return pieces.stream().anyMatch(piece -> test.fits(Values.text(piece)));
        }
        return test.fits(arguments.text(0, "prefix"));
    }

    private static boolean all(String text, IntPredicate test) {
        return !text.isEmpty() && text.codePoints().allMatch(test);
    }

    /** Python's whitespace, which has the no-break spaces that Java leaves out. */
    static boolean isSpace(int c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
    }

    static String strip(String text, Arguments arguments, boolean left, boolean right) {
        arguments.only(1, "chars");
        Object given = arguments.get(0, "chars", null);
        IntPredicate test = TextMethods::isSpace;
        if (given != null) {
            String characters = arguments.text(0, "chars");
            test = c -> characters.indexOf(c) >= 0;
        }
        int from = 0;
        int to = text.length();
        while (left && from < to && test.test(text.codePointAt(from))) {
            from += Character.charCount(text.codePointAt(from));
        }
        while (right && to > from && test.test(text.codePointBefore(to))) {
            to -= Character.charCount(text.codePointBefore(to));
        }
        return text.substring(from, to);
    }

    private static List<Object> split(String text, Arguments arguments, boolean fromRight) {
        arguments.only(2, "sep", "maxsplit");
        int most = arguments.whole(1, "maxsplit", -1);
        String separator = arguments.get(0, "sep", null) == null ? null : arguments.text(0, "sep");
        if (separator == null) {
            return words(text, most, fromRight);
        }
        if (separator.isEmpty()) {
            throw new TemplateException("split needs a separator that is not empty");
        }
        List<Object> parts = new ArrayList<>();
        String rest = text;
        while (most < 0 || parts.size() < most) {
            int found = fromRight ? rest.lastIndexOf(separator) : rest.indexOf(separator);
            if (found < 0) {
                break;
            }
            int behind = found + separator.length();
            parts.add(fromRight ? rest.substring(behind) : rest.substring(0, found));
            rest = fromRight ? rest.substring(0, found) : rest.substring(behind);
        }
        parts.add(rest);
        if (fromRight) {
            Collections.reverse(parts);
        }
        return parts;
    }

    private static List<Object> words(String text, int most, boolean fromRight) {
        List<Object> words = new ArrayList<>();
        String rest = strip(text, Arguments.NONE, true, true);
        while (!rest.isEmpty() && (most < 0 || words.size() < most)) {
            int at = fromRight ? rest.length() : 0;
            while (fromRight
                    ? at > 0 && !isSpace(rest.charAt(at - 1))
                    : at < rest.length() && !isSpace(rest.charAt(at))) {
                at += fromRight ? -1 : 1;
            }
            words.add(fromRight ? rest.substring(at) : rest.substring(0, at));
            rest = fromRight ? rest.substring(0, at) : rest.substring(at);
            rest = strip(rest, Arguments.NONE, !fromRight, fromRight);
        }
        if (!rest.isEmpty()) {
            words.add(strip(rest, Arguments.NONE, !fromRight, fromRight));
        }
        if (fromRight) {
            Collections.reverse(words);
        }
        return words;
    }

    static List<Object> lines(String text) {
        return new ArrayList<>(text.lines().toList());
    }

    private static List<Object> partition(String text, String separator, int found) {
        return found < 0
                ? List.of(text, "", "")
                : List.of(
                        text.substring(0, found),
                        separator,
                        text.substring(found + separator.length()));
    }

    private static List<Object> rpartition(String text, String separator) {
        int found = text.lastIndexOf(separator);
        return found < 0 ? List.of("", "", text) : partition(text, separator, found);
    }

    static String replace(String text, String old, String replacement, int most) {
        long times =
                old.isEmpty() ? text.codePointCount(0, text.length()) + 1L : occurrences(text, old);
        times = most < 0 ? times : Math.min(times, most);
        long count = times;
        return Values.sized(
                text.length() + times * replacement.length(),
                () -> replaceFirst(text, old, replacement, count));
    }

    private static String replaceFirst(String text, String old, String replacement, long times) {
        StringBuilder out = new StringBuilder();
        int at = 0;
        for (long i = 0; i < times; i++) {
            int found = text.indexOf(old, at);
            out.append(text, at, found).append(replacement);
            at = found + old.length();
            if (old.isEmpty() && at < text.length()) {
                int next = at + Character.charCount(text.codePointAt(at));
                out.append(text, at, next);
                at = next;
            }
        }
        return out.append(text.substring(at)).toString();
    }

    private static long occurrences(String text, String part) {
        if (part.isEmpty()) {
            return text.codePointCount(0, text.length()) + 1L;
        }
        long count = 0;
        for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
            count++;
        }
        return count;
    }

    /** Joins texts. Python's method takes strings only, Jinja's filter takes anything. */
    static String join(String between, List<Object> items, boolean strict) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < items.size(); i++) {
            if (strict && !(items.get(i) instanceof String)) {
                throw new TemplateException("join takes strings, not " + Values.repr(items.get(i)));
            }
            String next = Values.text(items.get(i));
            if ((long) out.length() + between.length() + next.length() > Values.MAX_SIZE) {
                throw new TemplateException(
                        "join: a text grows beyond " + Values.MAX_SIZE + " characters");
            }
            out.append(i > 0 ? between : "").append(next);
        }
        return out.toString();
    }

    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.offsetByCodePoints(0, 1);
        return text.substring(0, first).toUpperCase(Locale.ROOT)
                + text.substring(first).toLowerCase(Locale.ROOT);
    }

    private static String title(String text) {
        StringBuilder out = new StringBuilder();
        boolean[] inside = {false};
        text.codePoints()
                .forEach(
                        c -> {
                            out.appendCodePoint(
                                    inside[0]
                                            ? Character.toLowerCase(c)
                                            : Character.toTitleCase(c));
                            inside[0] = Character.isLetter(c);
                        });
        return out.toString();
    }

    private static long place(String text, int index) {
        return index < 0 ? -1 : text.codePointCount(0, index);
    }

    private static String zeros(String text, int width) {
        int sign = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
        return text.substring(0, sign) + padding(text, width, "0") + text.substring(sign);
    }

    private static String fill(String text, Arguments arguments) {
        String filler = arguments.has(1, "fillchar") ? arguments.text(1, "fillchar") : " ";
        return padding(text, arguments.whole(0, "width", 0), filler);
    }

    private static String padding(String text, int width, String filler) {
        int missing = Math.max(0, width - text.codePointCount(0, text.length()));
        return Values.sized((long) missing * filler.length(), () -> filler.repeat(missing));
    }
}

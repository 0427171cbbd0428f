package io.github.loradjl.zoo.text.chat;

import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's two ways to put values into a text: {@code '%s' % x} and {@code '{}'.format(x)}. */
final class TextFormat {

    private static final Pattern PERCENT =
            Pattern.compile(
                    "%(?:%|(?<width>0?\\d{1,4})?(?:\\.(?<places>\\d{1,2}))?(?<kind>.)?)",
                    Pattern.DOTALL);
    private static final Pattern BRACES = Pattern.compile("\\{\\{|\\}\\}|\\{(?<name>\\w*)\\}|[{}]");

    private TextFormat() {}

    static String percent(String text, Object given) {
        List<?> values = given instanceof List<?> list ? list : Collections.singletonList(given);
        Matcher matcher = PERCENT.matcher(text);
        StringBuilder out = new StringBuilder();
        int used = 0;
        while (matcher.find()) {
            String replacement = "%";
            if (!"%%".equals(matcher.group())) {
                if (used == values.size()) {
                    throw new TemplateException(
                            "'%' has fewer values than places in " + Values.repr(text));
                }
                replacement = one(matcher, values.get(used++));
            }
            matcher.appendReplacement(out, Matcher.quoteReplacement(replacement));
        }
        if (used < values.size()) {
            throw new TemplateException("'%' has more values than places in " + Values.repr(text));
        }
        return matcher.appendTail(out).toString();
    }

    private static String one(Matcher place, Object value) {
        String kind = place.group("kind") == null ? "" : place.group("kind");
        String width = place.group("width") == null ? "" : place.group("width");
        String text =
                switch (kind) {
                    case "s" -> Values.text(value);
                    case "r" -> Values.repr(value);
                    case "d", "i" ->
                            Long.toString(
                                    value instanceof Double real
                                            ? real.longValue()
                                            : Numbers.whole(value));
                    case "f" ->
                            String.format(
                                    Locale.ROOT,
                                    "%."
                                            + (place.group("places") == null
                                                    ? "6"
                                                    : place.group("places"))
                                            + "f",
                                    Numbers.real(value));
                    default ->
                            throw new TemplateException(
                                    "'"
                                            + place.group()
                                            + "' is not supported in a format; %s, %r, %d and %f"
                                            + " are");
                };
        return width.isEmpty()
                ? text
                : String.format("%" + width.replaceFirst("^0", "") + "s", text)
                        .replace(' ', width.startsWith("0") ? '0' : ' ');
    }

    static String braces(String text, Arguments arguments) {
        Matcher matcher = BRACES.matcher(text);
        StringBuilder out = new StringBuilder();
        int next = 0;
        while (matcher.find()) {
            String name = matcher.group("name");
            String replacement;
            if ("{{".equals(matcher.group()) || "}}".equals(matcher.group())) {
                replacement = matcher.group().substring(1);
            } else if (name == null) {
                throw new TemplateException(
                        "format: only {}, {0} and {name} are supported, not " + Values.repr(text));
            } else if (name.isEmpty()) {
                replacement = Values.text(arguments.need(next++, "value"));
            } else if (Character.isDigit(name.charAt(0))) {
                replacement = Values.text(arguments.need(Integer.parseInt(name), "value"));
            } else {
                replacement = Values.text(arguments.need(Integer.MAX_VALUE, name));
            }
            matcher.appendReplacement(out, Matcher.quoteReplacement(replacement));
        }
        return matcher.appendTail(out).toString();
    }
}

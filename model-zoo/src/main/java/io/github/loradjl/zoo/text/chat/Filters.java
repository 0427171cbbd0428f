package io.github.loradjl.zoo.text.chat;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What may stand behind a bar: those of Jinja's filters that make sense in a plain text. */
final class Filters {

    @FunctionalInterface
    interface Filter {
        Object apply(Object value, Arguments arguments);
    }

    private static final Map<String, Filter> FILTERS = new HashMap<>();

    static {
        FILTERS.put("safe", (v, a) -> v);
        FILTERS.put("string", (v, a) -> Values.text(v));
        FILTERS.put("tojson", PythonJson::write);
        FILTERS.put("trim", (v, a) -> TextMethods.strip(Values.text(v), a, true, true));
        FILTERS.put("upper", (v, a) -> Values.text(v).toUpperCase(Locale.ROOT));
        FILTERS.put("lower", (v, a) -> Values.text(v).toLowerCase(Locale.ROOT));
        FILTERS.put("capitalize", (v, a) -> TextMethods.capitalize(Values.text(v)));
        FILTERS.put("title", (v, a) -> TextMethods.find(Values.text(v), "title").call(a));
        FILTERS.put(
                "replace",
                (v, a) ->
                        TextMethods.replace(
                                Values.text(v),
                                Values.text(a.need(0, "old")),
                                Values.text(a.need(1, "new")),
                                a.whole(2, "count", -1)));
        FILTERS.put("indent", Filters::indent);
        FILTERS.put("escape", (v, a) -> escape(Values.text(v)));
        FILTERS.put("e", FILTERS.get("escape"));
        FILTERS.put(
                "wordcount",
                (v, a) ->
                        Values.length(
                                TextMethods.find(Values.text(v), "split").call(Arguments.NONE)));
        FILTERS.put("length", (v, a) -> Values.length(v));
        FILTERS.put("count", FILTERS.get("length"));
        FILTERS.put("default", Filters::otherwise);
        FILTERS.put("d", FILTERS.get("default"));
        FILTERS.put("list", (v, a) -> new ArrayList<>(Values.items(v)));
        FILTERS.put("items", Filters::pairs);
        FILTERS.put(
                "dictsort",
                (v, a) ->
                        sorted(
                                Members.pairs((Map<?, ?>) dict(v)),
                                key(0L, false),
                                a.truth(9, "reverse", false)));
        FILTERS.put(
                "first",
                (v, a) ->
                        Values.items(v).isEmpty()
                                ? new Undefined("first")
                                : Values.items(v).get(0));
        FILTERS.put(
                "last",
                (v, a) ->
                        Values.items(v).isEmpty()
                                ? new Undefined("last")
                                : Members.item(Values.items(v), -1L));
        FILTERS.put("reverse", (v, a) -> Values.slice(v, null, null, -1L));
        FILTERS.put("join", Filters::join);
        FILTERS.put(
                "sort",
                (v, a) ->
                        sorted(
                                Values.items(v),
                                key(
                                        a.get(2, "attribute", null),
                                        a.truth(1, "case_sensitive", false)),
                                a.truth(0, "reverse", false)));
        FILTERS.put("unique", Filters::unique);
        FILTERS.put("min", (v, a) -> extreme(v, a, 1));
        FILTERS.put("max", (v, a) -> extreme(v, a, -1));
        FILTERS.put("sum", Filters::sum);
        FILTERS.put("abs", (v, a) -> Numbers.real(v) < 0 ? Values.arithmetic("-", 0L, v) : v);
        FILTERS.put("round", Filters::round);
        FILTERS.put("int", (v, a) -> toInt(v, a.get(0, "default", 0L)));
        FILTERS.put("float", (v, a) -> toFloat(v, a.get(0, "default", 0.0)));
        FILTERS.put("attr", (v, a) -> Members.attribute(v, a.text(0, "name")));
        FILTERS.put("map", Filters::map);
        FILTERS.put("select", (v, a) -> chosen(v, a, false, true));
        FILTERS.put("reject", (v, a) -> chosen(v, a, false, false));
        FILTERS.put("selectattr", (v, a) -> chosen(v, a, true, true));
        FILTERS.put("rejectattr", (v, a) -> chosen(v, a, true, false));
    }

    private Filters() {}

    static Filter find(String name) {
        Filter filter = FILTERS.get(name);
        if (filter == null) {
            throw new TemplateException("there is no filter '" + name + "'");
        }
        return filter;
    }

    private static Object dict(Object value) {
        if (value instanceof Map) {
            return value;
        }
        throw new TemplateException("a dict is needed, not " + Values.repr(value));
    }

    private static Object pairs(Object value, Arguments arguments) {
        return value instanceof Undefined ? List.of() : Members.pairs((Map<?, ?>) dict(value));
    }

    private static Object otherwise(Object value, Arguments arguments) {
        arguments.only(2, "default_value", "boolean");
        boolean absent =
                arguments.truth(1, "boolean", false)
                        ? !Values.truth(value)
                        : value instanceof Undefined;
        return absent ? arguments.get(0, "default_value", "") : value;
    }

    private static Object indent(Object value, Arguments arguments) {
        arguments.only(3, "width", "first", "blank");
        Object width = arguments.get(0, "width", 4L);
        String space =
                width instanceof String text
                        ? text
                        : " ".repeat((int) Math.max(0, Math.min(1000, Numbers.whole(width))));
        boolean first = arguments.truth(1, "first", false);
        boolean blank = arguments.truth(2, "blank", false);
        StringBuilder out = new StringBuilder();
        String[] lines = Values.text(value).split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            out.append(i > 0 ? "\n" : "");
            boolean indented = i == 0 ? first : blank || !lines[i].isEmpty();
            out.append(indented ? space : "").append(lines[i]);
            if (out.length() > Values.MAX_SIZE) {
                throw new TemplateException(
                        "a text grows beyond " + Values.MAX_SIZE + " characters");
            }
        }
        return out.toString();
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&#34;")
                .replace("'", "&#39;");
    }

    private static Object join(Object value, Arguments arguments) {
        arguments.only(2, "d", "attribute");
        Object path = arguments.get(1, "attribute", null);
        List<Object> items = new ArrayList<>();
        Values.items(value).forEach(item -> items.add(path == null ? item : along(item, path)));
        return TextMethods.join(Values.text(arguments.get(0, "d", "")), items, false);
    }

    /** Follows a path as {@code a.b} or {@code 0}, as attribute= and selectattr mean it. */
    private static Object along(Object value, Object path) {
        if (!(path instanceof String text)) {
            return Members.item(value, path);
        }
        Object found = value;
        for (String part : text.split("\\.")) {
            boolean isNumber = part.matches("\\d{1,9}");
            found = Members.item(found, isNumber ? (Object) Long.valueOf(part) : part);
        }
        return found;
    }

    private static Comparator<Object> key(Object path, boolean caseSensitive) {
        return (one, other) ->
                Values.compare(
                        sortable(one, path, caseSensitive), sortable(other, path, caseSensitive));
    }

    private static Object sortable(Object item, Object path, boolean caseSensitive) {
        Object value = path == null ? item : along(item, path);
        return value instanceof String text && !caseSensitive
                ? text.toLowerCase(Locale.ROOT)
                : value;
    }

    private static Object sorted(List<Object> items, Comparator<Object> order, boolean reverse) {
        List<Object> sorted = new ArrayList<>(items);
        sorted.sort(reverse ? order.reversed() : order);
        return sorted;
    }

    private static Object unique(Object value, Arguments arguments) {
        List<Object> seen = new ArrayList<>();
        List<Object> unique = new ArrayList<>();
        for (Object item : Values.items(value)) {
            Object key =
                    sortable(
                            item,
                            arguments.get(1, "attribute", null),
                            arguments.truth(0, "case_sensitive", false));
            if (!Values.contains(seen, key)) {
                seen.add(key);
                unique.add(item);
            }
        }
        return unique;
    }

    private static Object extreme(Object value, Arguments arguments, int sign) {
        Comparator<Object> order =
                key(
                        arguments.get(1, "attribute", null),
                        arguments.truth(0, "case_sensitive", false));
        Object best = new Undefined("an item of an empty list");
        for (Object item : Values.items(value)) {
            if (best instanceof Undefined || sign * order.compare(item, best) < 0) {
                best = item;
            }
        }
        return best;
    }

    private static Object sum(Object value, Arguments arguments) {
        Object path = arguments.get(0, "attribute", null);
        Object sum = arguments.get(1, "start", 0L);
        for (Object item : Values.items(value)) {
            sum = Values.add(sum, path == null ? item : along(item, path));
        }
        return sum;
    }

    private static Object round(Object value, Arguments arguments) {
        arguments.only(2, "precision", "method");
        RoundingMode mode =
                switch (Values.text(arguments.get(1, "method", "common"))) {
                    case "ceil" -> RoundingMode.CEILING;
                    case "floor" -> RoundingMode.FLOOR;
                    default -> RoundingMode.HALF_EVEN;
                };
        double number = Numbers.real(value);
        int places = Math.max(-300, Math.min(300, arguments.whole(0, "precision", 0)));
        return Double.isFinite(number)
                ? (Object) new BigDecimal(number).setScale(places, mode).doubleValue()
                : value;
    }

    private static Object toInt(Object value, Object otherwise) {
        if (Numbers.isNumber(value)) {
            return value instanceof Double real ? real.longValue() : Numbers.whole(value);
        }
        try {
            return (long) Double.parseDouble(Values.text(value).strip());
        } catch (NumberFormatException e) {
            return otherwise;
        }
    }

    private static Object toFloat(Object value, Object otherwise) {
        if (Numbers.isNumber(value)) {
            return Numbers.real(value);
        }
        try {
            return Double.parseDouble(Values.text(value).strip());
        } catch (NumberFormatException e) {
            return otherwise;
        }
    }

    private static Object map(Object value, Arguments arguments) {
        List<Object> mapped = new ArrayList<>();
        if (arguments.placed().isEmpty()) {
            arguments.only(0, "attribute", "default");
            Object path = arguments.need(0, "attribute");
            for (Object item : Values.items(value)) {
                Object found = along(item, path);
                mapped.add(found instanceof Undefined ? arguments.get(1, "default", found) : found);
            }
            return mapped;
        }
        Filter filter = find(arguments.text(0, "filter"));
        Values.items(value).forEach(item -> mapped.add(filter.apply(item, arguments.rest())));
        return mapped;
    }

    private static Object chosen(
            Object value, Arguments given, boolean byAttribute, boolean wanted) {
        Object path = byAttribute ? given.need(0, "attribute") : null;
        Arguments arguments = byAttribute ? given.rest() : given;
        boolean isPlain = arguments.placed().isEmpty();
        Tests.Test test =
                isPlain ? (v, a) -> Values.truth(v) : Tests.find(arguments.text(0, "test"));
        Arguments rest = isPlain ? arguments : arguments.rest();
        List<Object> chosen = new ArrayList<>();
        for (Object item : Values.items(value)) {
            if (test.holds(byAttribute ? along(item, path) : item, rest) == wanted) {
                chosen.add(item);
            }
        }
        return chosen;
    }
}

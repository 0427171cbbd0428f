package io.github.loradjl.zoo.text.chat;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The functions that every template can call. */
final class Globals {

    private static final int MAX_RANGE = 100_000;

    private static final Map<Character, String> DATE_PATTERNS =
            Map.ofEntries(
                    Map.entry('Y', "yyyy"),
                    Map.entry('y', "yy"),
                    Map.entry('m', "MM"),
                    Map.entry('d', "dd"),
                    Map.entry('B', "MMMM"),
                    Map.entry('b', "MMM"),
                    Map.entry('A', "EEEE"),
                    Map.entry('a', "EEE"),
                    Map.entry('H', "HH"),
                    Map.entry('I', "hh"),
                    Map.entry('M', "mm"),
                    Map.entry('S', "ss"),
                    Map.entry('p', "a"),
                    Map.entry('j', "DDD"),
                    Map.entry('Z', "zzz"),
                    Map.entry('z', "xx"));

    private Globals() {}

    static Map<String, Object> of(Clock clock) {
        Map<String, Object> globals = new HashMap<>();
        put(globals, "range", Globals::range);
        put(globals, "dict", arguments -> dict(arguments));
        put(globals, "namespace", arguments -> new Namespace(dict(arguments)));
        put(
                globals,
                "raise_exception",
                arguments -> {
                    throw new TemplateException(Values.text(arguments.need(0, "message")));
                });
        put(
                globals,
                "strftime_now",
                arguments -> date(ZonedDateTime.now(clock), arguments.text(0, "format")));
        return globals;
    }

    private static void put(Map<String, Object> globals, String name, Callable function) {
        globals.put(name, function);
    }

    private static Map<String, Object> dict(Arguments arguments) {
        Map<String, Object> values = new LinkedHashMap<>();
        if (arguments.has(0, "mapping")
                && arguments.get(0, "mapping", null) instanceof Map<?, ?> given) {
            given.forEach((key, value) -> values.put(Values.text(key), value));
        }
        values.putAll(arguments.named());
        return values;
    }

    private static Object range(Arguments arguments) {
        arguments.only(3);
        boolean one = arguments.placed().size() < 2;
        long start = one ? 0 : Numbers.whole(arguments.need(0, "start"));
        long stop = Numbers.whole(arguments.need(one ? 0 : 1, "stop"));
        long step = arguments.whole(2, "step", 1);
        if (step == 0) {
            throw new TemplateException("range needs a step that is not 0");
        }
        List<Object> numbers = new ArrayList<>();
        for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
            if (numbers.size() == MAX_RANGE) {
                throw new TemplateException("a range of more than " + MAX_RANGE + " numbers");
            }
            numbers.add(i);
        }
        return numbers;
    }

    private static String date(ZonedDateTime now, String format) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                out.append(c);
                continue;
            }
            c = format.charAt(++i);
            boolean unpadded = c == '-' && i + 1 < format.length();
            c = unpadded ? format.charAt(++i) : c;
            if (c == '%') {
                out.append(c);
                continue;
            }
            String pattern = DATE_PATTERNS.get(c);
            if (pattern == null) {
                throw new TemplateException("strftime_now does not know %" + c);
            }
            String text = DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(now);
            out.append(unpadded ? text.replaceFirst("^0+(?=.)", "") : text);
        }
        return out.toString();
    }
}

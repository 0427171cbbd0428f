package io.github.loradjl.zoo.text.chat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What a template finds behind a dot or between brackets. Nothing of it changes the value. */
final class Members {

    private static final Set<String> CHANGES =
            Set.of(
                    "append",
                    "extend",
                    "insert",
                    "pop",
                    "remove",
                    "clear",
                    "update",
                    "sort",
                    "reverse",
                    "setdefault",
                    "popitem");

    private Members() {}

    /** The value of {@code base.name}: a method or variable of it, else its entry. */
    static Object attribute(Object base, String name) {
        Object own = own(base, name);
        if (own != null) {
            return own;
        }
        return entry(base, name);
    }

    /** The value of {@code base[key]}: an entry, else a method or variable of it. */
    static Object item(Object base, Object key) {
        if (base instanceof Undefined undefined) {
            throw undefined.error();
        }
        Object entry = entry(base, key);
        if (entry instanceof Undefined && key instanceof String name) {
            Object own = own(base, name);
            return own == null ? entry : own;
        }
        return entry;
    }

    private static Object own(Object base, String name) {
        if (base instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (base instanceof Loop loop) {
            return loop.attribute(name);
        }
        if (base instanceof String text) {
            return TextMethods.find(text, name);
        }
        if ((base instanceof List || base instanceof Map) && CHANGES.contains(name)) {
            return (Callable)
                    arguments -> {
                        throw new TemplateException(
                                "'" + name + "' would change a value; a template may not");
                    };
        }
        if (base instanceof Map<?, ?> map) {
            return ofDict(map, name);
        }
        return base instanceof List<?> list ? ofList(list, name) : null;
    }

    private static Callable ofDict(Map<?, ?> map, String name) {
        return switch (name) {
            case "items" -> arguments -> pairs(map);
            case "keys" -> arguments -> new ArrayList<Object>(map.keySet());
            case "values" -> arguments -> new ArrayList<Object>(map.values());
            case "copy" -> arguments -> new LinkedHashMap<Object, Object>(map);
            case "get" ->
                    arguments -> {
                        Object key = arguments.need(0, "key");
                        return map.containsKey(key)
                                ? map.get(key)
                                : arguments.get(1, "default", null);
                    };
            default -> null;
        };
    }

    static List<Object> pairs(Map<?, ?> map) {
        List<Object> pairs = new ArrayList<>(map.size());
        map.forEach((key, value) -> pairs.add(Tuple.of(key, value)));
        return pairs;
    }

    private static Callable ofList(List<?> list, String name) {
        return switch (name) {
            case "count" ->
                    arguments -> {
                        Object wanted = arguments.need(0, "value");
                        return list.stream().filter(item -> Values.equal(item, wanted)).count();
                    };
            case "index" ->
                    arguments -> {
                        Object wanted = arguments.need(0, "value");
                        for (int i = 0; i < list.size(); i++) {
                            if (Values.equal(list.get(i), wanted)) {
                                return (long) i;
                            }
                        }
                        throw new TemplateException(Values.repr(wanted) + " is not in the list");
                    };
            default -> null;
        };
    }

    private static Object entry(Object base, Object key) {
        Object dict = base instanceof Namespace namespace ? namespace.values() : base;
        if (dict instanceof Map<?, ?> map && map.containsKey(key)) {
            return map.get(key);
        }
        if ((base instanceof List || base instanceof String) && Numbers.isNumber(key)) {
            List<Object> items = Values.items(base);
            long index = Numbers.whole(key);
            index = index < 0 ? index + items.size() : index;
            if (index >= 0 && index < items.size()) {
                return items.get((int) index);
            }
        }
        return new Undefined(Values.text(key));
    }
}

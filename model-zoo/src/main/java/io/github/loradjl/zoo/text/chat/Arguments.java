package io.github.loradjl.zoo.text.chat;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The arguments of a call, by place or by name. */
record Arguments(List<Object> placed, Map<String, Object> named) {

    static final Arguments NONE = new Arguments(List.of(), Map.of());

    static Arguments of(Object... values) {
        return new Arguments(Arrays.asList(values), Map.of());
    }

    boolean has(int place, String name) {
        return place < placed.size() || named.containsKey(name);
    }

    Object get(int place, String name, Object otherwise) {
        if (place < placed.size()) {
            return placed.get(place);
        }
        return named.containsKey(name) ? named.get(name) : otherwise;
    }

    Object need(int place, String name) {
        if (!has(place, name)) {
            throw new TemplateException("the argument '" + name + "' is missing");
        }
        return get(place, name, null);
    }

    String text(int place, String name) {
        Object value = need(place, name);
        if (value instanceof String text) {
            return text;
        }
        throw new TemplateException(
                "the argument '" + name + "' must be a string, not " + Values.repr(value));
    }

    int whole(int place, String name, int otherwise) {
        Object value = get(place, name, (long) otherwise);
        return value == null ? otherwise : Math.toIntExact(Numbers.whole(value));
    }

    boolean truth(int place, String name, boolean otherwise) {
        return Values.truth(get(place, name, otherwise));
    }

    /** Refuses what the callee does not know, so that nothing is ignored silently. */
    Arguments only(int places, String... names) {
        if (placed.size() > places) {
            throw new TemplateException(
                    "at most " + places + " arguments by place, not " + placed.size());
        }
        for (String name : named.keySet()) {
            if (!List.of(names).contains(name)) {
                throw new TemplateException("there is no argument '" + name + "'");
            }
        }
        return this;
    }

    /** The arguments after the first. */
    Arguments rest() {
        return new Arguments(placed.subList(1, placed.size()), named);
    }
}

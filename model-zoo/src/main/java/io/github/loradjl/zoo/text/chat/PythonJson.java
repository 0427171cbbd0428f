package io.github.loradjl.zoo.text.chat;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes values as {@code json.dumps(value, ensure_ascii=False)} does, which is what templates mean
 * by tojson: a space behind commas and colons, no escapes for HTML, other letters as they are.
 */
final class PythonJson {

    private final StringBuilder out = new StringBuilder();
    private final String indent;
    private final String comma;
    private final String colon;
    private final boolean sorted;

    private PythonJson(String indent, String comma, String colon, boolean sorted) {
        this.indent = indent;
        this.comma = comma;
        this.colon = colon;
        this.sorted = sorted;
    }

    static String write(Object value, Arguments arguments) {
        arguments.only(1, "indent", "separators", "sort_keys", "ensure_ascii");
        if (arguments.truth(9, "ensure_ascii", false)) {
            throw new TemplateException("ensure_ascii is not supported");
        }
        Object depth = arguments.get(0, "indent", null);
        String indent =
                depth instanceof String text
                        ? text
                        : depth == null
                                ? null
                                : " ".repeat((int) Math.max(0, Math.min(64, Numbers.whole(depth))));
        String comma = indent == null ? ", " : ",";
        String colon = ": ";
        if (arguments.get(9, "separators", null) instanceof List<?> separators
                && separators.size() == 2) {
            comma = Values.text(separators.get(0));
            colon = Values.text(separators.get(1));
        }
        PythonJson json =
                new PythonJson(indent, comma, colon, arguments.truth(9, "sort_keys", false));
        json.write(value, 0);
        return json.out.toString();
    }

    private void write(Object value, int depth) {
        if (out.length() > Values.MAX_SIZE) {
            throw new TemplateException("a text grows beyond " + Values.MAX_SIZE + " characters");
        }
        if (value == null || value instanceof Boolean) {
            out.append(value);
        } else if (value instanceof Double number && (number.isNaN() || number.isInfinite())) {
            out.append(number.isNaN() ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
        } else if (Numbers.isNumber(value)) {
            out.append(Numbers.text(value));
        } else if (value instanceof String text) {
            quote(text);
        } else if (value instanceof List<?> list) {
            out.append('[');
            for (int i = 0; i < list.size(); i++) {
                begin(i, depth + 1);
                write(list.get(i), depth + 1);
            }
            close(list.isEmpty(), depth, ']');
        } else if (value instanceof Map<?, ?> map) {
            dict(map, depth);
        } else {
            throw new TemplateException(Values.repr(value) + " has no JSON");
        }
    }

    private void dict(Map<?, ?> map, int depth) {
        out.append('{');
        int place = 0;
        for (Map.Entry<?, ?> entry : sorted ? inOrder(map).entrySet() : map.entrySet()) {
            begin(place++, depth + 1);
            Object key = entry.getKey();
            quote(
                    key == null
                            ? "null"
                            : key instanceof Boolean ? key.toString() : Values.text(key));
            out.append(colon);
            write(entry.getValue(), depth + 1);
        }
        close(map.isEmpty(), depth, '}');
    }

    private static Map<Object, Object> inOrder(Map<?, ?> map) {
        Map<Object, Object> ordered = new TreeMap<>(Values::compare);
        ordered.putAll(map);
        return ordered;
    }

    private void begin(int place, int depth) {
        out.append(place > 0 ? comma : "");
        newLine(depth);
    }

    private void close(boolean empty, int depth, char bracket) {
        if (!empty) {
            newLine(depth);
        }
        out.append(bracket);
    }

    private void newLine(int depth) {
        if (indent != null) {
            out.append('\n').append(indent.repeat(Math.min(depth, 1000)));
        }
    }

    private void quote(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < ' ') {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}

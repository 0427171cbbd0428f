package io.github.loradjl.zoo.text.chat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * Python's values as templates see them.
 *
 * <p>Nothing but strings, whole numbers (Long), other numbers (Double), truth values, lists, dicts
 * (Map), None (null) and a few things of our own ever gets into a template, so no Java object is
 * within its reach. Where a rule of Python's differs from Java's, it is here: what is true, what is
 * equal, how a value is written, what an index from the end means. Strings are counted in code
 * points.
 */
final class Values {

    /** No string or list in a template may grow beyond this. */
    static final int MAX_SIZE = 1 << 24;

    private Values() {}

    /** Takes a value of the caller's: plain data only. */
    static Object of(Object value) {
        if (value == null || value instanceof String || value instanceof Boolean) {
            return value;
        }
        if (value instanceof Double || value instanceof Float) {
            return ((Number) value).doubleValue();
        }
        if (value instanceof Long || value instanceof Integer || value instanceof Short) {
            return ((Number) value).longValue();
        }
        if (value instanceof List<?> list) {
            List<Object> copy = new ArrayList<>(list.size());
            list.forEach(item -> copy.add(of(item)));
            return Collections.unmodifiableList(copy);
        }
        if (value instanceof Map<?, ?> map) {
            Map<Object, Object> copy = new LinkedHashMap<>();
            map.forEach((key, item) -> copy.put(of(key), of(item)));
            return Collections.unmodifiableMap(copy);
        }
        throw new IllegalArgumentException(
                "A chat template takes strings, numbers, booleans, lists and maps, not a "
                        + value.getClass().getName());
    }

    static boolean truth(Object value) {
        if (value == null || value instanceof Undefined) {
            return false;
        }
        if (value instanceof Boolean truth) {
            return truth;
        }
        if (Numbers.isNumber(value)) {
            return Numbers.real(value) != 0;
        }
        if (value instanceof String text) {
            return !text.isEmpty();
        }
        if (value instanceof List<?> list) {
            return !list.isEmpty();
        }
        return !(value instanceof Map<?, ?> map) || !map.isEmpty();
    }

    static boolean equal(Object left, Object right) {
        if (left == right) {
            return true;
        }
        if (left instanceof Undefined || right instanceof Undefined) {
            return left instanceof Undefined && right instanceof Undefined;
        }
        if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
            return left instanceof Double || right instanceof Double
                    ? Numbers.real(left) == Numbers.real(right)
                    : Numbers.whole(left) == Numbers.whole(right);
        }
        if (left instanceof List<?> one && right instanceof List<?> other) {
            if (one.size() != other.size() || one instanceof Tuple != other instanceof Tuple) {
                return false;
            }
            for (int i = 0; i < one.size(); i++) {
                if (!equal(one.get(i), other.get(i))) {
                    return false;
                }
            }
            return true;
        }
        if (left instanceof Map<?, ?> one && right instanceof Map<?, ?> other) {
            return one.size() == other.size()
                    && one.entrySet().stream()
                            .allMatch(
                                    entry ->
                                            other.containsKey(entry.getKey())
                                                    && equal(
                                                            entry.getValue(),
                                                            other.get(entry.getKey())));
        }
        return Objects.equals(left, right);
    }

    static int compare(Object left, Object right) {
        if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
            return Double.compare(Numbers.real(left), Numbers.real(right));
        }
        if (left instanceof String one && right instanceof String other) {
            return compareCodePoints(one, other);
        }
        if (left instanceof List<?> one && right instanceof List<?> other) {
            for (int i = 0; i < Math.min(one.size(), other.size()); i++) {
                if (!equal(one.get(i), other.get(i))) {
                    return compare(one.get(i), other.get(i));
                }
            }
            return Integer.compare(one.size(), other.size());
        }
        throw new TemplateException(repr(left) + " and " + repr(right) + " have no order");
    }

    private static int compareCodePoints(String one, String other) {
        int[] a = one.codePoints().toArray();
        int[] b = other.codePoints().toArray();
        return Arrays.compare(a, b);
    }

    static boolean contains(Object whole, Object part) {
        if (whole instanceof String text) {
            if (part instanceof String piece) {
                return text.contains(piece);
            }
            throw new TemplateException("only a string is in a string, not " + repr(part));
        }
        if (whole instanceof Map<?, ?> map) {
            return map.containsKey(part);
        }
        return items(whole).stream().anyMatch(item -> equal(item, part));
    }

    /** What a loop over the value goes through. */
    static List<Object> items(Object value) {
        if (value instanceof List<?> list) {
            return Collections.unmodifiableList(list);
        }
        if (value instanceof Map<?, ?> map) {
            return new ArrayList<>(map.keySet());
        }
        if (value instanceof String text) {
            List<Object> characters = new ArrayList<>();
            text.codePoints().forEach(c -> characters.add(Character.toString(c)));
            return characters;
        }
        if (value instanceof Undefined) {
            return List.of();
        }
        throw new TemplateException(repr(value) + " has no items to go through");
    }

    static long length(Object value) {
        return value instanceof String text
                ? text.codePointCount(0, text.length())
                : items(value).size();
    }

    static Object add(Object left, Object right) {
        if (left instanceof String one && right instanceof String other) {
            return sized((long) one.length() + other.length(), () -> one + other);
        }
        if (left instanceof List<?> one && right instanceof List<?> other) {
            return sized(
                    (long) one.size() + other.size(),
                    () -> {
                        List<Object> sum = new ArrayList<>(one);
                        sum.addAll(other);
                        return sum;
                    });
        }
        return arithmetic("+", left, right);
    }

    static Object multiply(Object left, Object right) {
        if (Numbers.isNumber(left) && !Numbers.isNumber(right)) {
            return multiply(right, left);
        }
        if (left instanceof String text && Numbers.isNumber(right)) {
            int times = (int) Math.max(0, Math.min(MAX_SIZE + 1, Numbers.whole(right)));
            return sized((long) text.length() * times, () -> text.repeat(times));
        }
        if (left instanceof List<?> list && Numbers.isNumber(right)) {
            int times = (int) Math.max(0, Math.min(MAX_SIZE + 1, Numbers.whole(right)));
            return sized(
                    (long) list.size() * times,
                    () -> {
                        List<Object> product = new ArrayList<>();
                        for (int i = 0; i < times && !list.isEmpty(); i++) {
                            product.addAll(list);
                        }
                        return product;
                    });
        }
        return arithmetic("*", left, right);
    }

    static Object arithmetic(String operator, Object left, Object right) {
        if (left instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (right instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (!Numbers.isNumber(left) || !Numbers.isNumber(right)) {
            throw new TemplateException(
                    "'" + operator + "' does not take " + repr(left) + " and " + repr(right));
        }
        return Numbers.binary(operator, left, right);
    }

    static <T> T sized(long size, Supplier<T> value) {
        if (size > MAX_SIZE) {
            throw new TemplateException("a value grows beyond " + MAX_SIZE + " elements");
        }
        return value.get();
    }

    static Object slice(Object value, Object from, Object to, Object step) {
        boolean isText = value instanceof String;
        List<Object> items = items(value);
        int size = items.size();
        long stride = step == null ? 1 : Numbers.whole(step);
        if (stride == 0 || value instanceof Map) {
            throw new TemplateException("a slice of step " + stride + " of " + repr(value));
        }
        long low = stride > 0 ? 0 : -1;
        long high = stride > 0 ? size : size - 1L;
        long start = from == null ? (stride > 0 ? low : high) : bound(from, size, low, high);
        long end = to == null ? (stride > 0 ? high : low) : bound(to, size, low, high);
        List<Object> part = new ArrayList<>();
        for (long i = start; stride > 0 ? i < end : i > end; i += stride) {
            part.add(items.get((int) i));
            if (stride > size || -stride > size) {
                break;
            }
        }
        return isText ? String.join("", part.stream().map(String.class::cast).toList()) : part;
    }

    private static long bound(Object index, int size, long low, long high) {
        long place = Numbers.whole(index);
        return Math.max(low, Math.min(high, place < 0 ? place + size : place));
    }

    static String text(Object value) {
        if (value instanceof String text) {
            return text;
        }
        return value instanceof Undefined ? "" : repr(value);
    }

    /** Writes a value as Python does inside a list. */
    static String repr(Object value) {
        StringBuilder out = new StringBuilder();
        repr(value, out);
        return out.toString();
    }

    private static void repr(Object value, StringBuilder out) {
        if (out.length() > MAX_SIZE) {
            throw new TemplateException("a text grows beyond " + MAX_SIZE + " characters");
        }
        if (value == null) {
            out.append("None");
        } else if (value instanceof Boolean truth) {
            out.append(truth ? "True" : "False");
        } else if (Numbers.isNumber(value)) {
            out.append(Numbers.text(value));
        } else if (value instanceof String text) {
            quote(text, out);
        } else if (value instanceof List<?> list) {
            boolean isTuple = list instanceof Tuple;
            out.append(isTuple ? '(' : '[');
            for (int i = 0; i < list.size(); i++) {
                out.append(i > 0 ? ", " : "");
                repr(list.get(i), out);
            }
            out.append(isTuple ? (list.size() == 1 ? ",)" : ")") : "]");
        } else if (value instanceof Map<?, ?> map) {
            out.append('{');
            String between = "";
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                out.append(between);
                repr(entry.getKey(), out);
                out.append(": ");
                repr(entry.getValue(), out);
                between = ", ";
            }
            out.append('}');
        } else if (value instanceof Undefined) {
            out.append("Undefined");
        } else {
            out.append('<')
                    .append(value instanceof Callable ? "function" : "namespace")
                    .append('>');
        }
    }

    private static void quote(String text, StringBuilder out) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        out.append(quote);
        text.codePoints()
                .forEach(
                        c -> {
                            if (c == quote || c == '\\') {
                                out.append('\\').appendCodePoint(c);
                            } else if (c == '\n') {
                                out.append("\\n");
                            } else if (c == '\t') {
                                out.append("\\t");
                            } else if (c == '\r') {
                                out.append("\\r");
                            } else if (c < ' ' || c >= 0x7f && c < 0xa1 || c == 0xad) {
                                out.append(String.format("\\x%02x", c));
                            } else {
                                out.appendCodePoint(c);
                            }
                        });
        out.append(quote);
    }
}

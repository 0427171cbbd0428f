package io.github.loradjl.zoo.text.chat;

import java.util.List;
import java.util.Map;

/** What may stand behind {@code is}. */
final class Tests {

    @FunctionalInterface
    interface Test {
        boolean holds(Object value, Arguments arguments);
    }

    private static final Map<String, Test> TESTS =
            Map.ofEntries(
                    Map.entry("defined", (v, a) -> !(v instanceof Undefined)),
                    Map.entry("undefined", (v, a) -> v instanceof Undefined),
                    Map.entry("none", (v, a) -> v == null),
                    Map.entry("boolean", (v, a) -> v instanceof Boolean),
                    Map.entry("true", (v, a) -> Boolean.TRUE.equals(v)),
                    Map.entry("false", (v, a) -> Boolean.FALSE.equals(v)),
                    Map.entry("integer", (v, a) -> v instanceof Long),
                    Map.entry("float", (v, a) -> v instanceof Double),
                    Map.entry("number", (v, a) -> Numbers.isNumber(v)),
                    Map.entry("string", (v, a) -> v instanceof String),
                    Map.entry("mapping", (v, a) -> v instanceof Map),
                    Map.entry("iterable", (v, a) -> isIterable(v) || v instanceof Undefined),
                    Map.entry("sequence", (v, a) -> isIterable(v) || v instanceof Undefined),
                    Map.entry("callable", (v, a) -> v instanceof Callable),
                    Map.entry(
                            "sameas",
                            (v, a) ->
                                    v == a.need(0, "other")
                                            || v instanceof Boolean
                                                    && v.equals(a.need(0, "other"))),
                    Map.entry("in", (v, a) -> Values.contains(a.need(0, "seq"), v)),
                    Map.entry("even", (v, a) -> Math.floorMod(Numbers.whole(v), 2L) == 0),
                    Map.entry("odd", (v, a) -> Math.floorMod(Numbers.whole(v), 2L) == 1),
                    Map.entry(
                            "divisibleby",
                            (v, a) ->
                                    Numbers.real(Values.arithmetic("%", v, a.need(0, "num"))) == 0),
                    Map.entry(
                            "lower",
                            (v, a) ->
                                    TextMethods.find(Values.text(v), "islower")
                                            .call(Arguments.NONE)
                                            .equals(true)),
                    Map.entry(
                            "upper",
                            (v, a) ->
                                    TextMethods.find(Values.text(v), "isupper")
                                            .call(Arguments.NONE)
                                            .equals(true)));

    private static final Map<String, String> COMPARISONS =
            Map.ofEntries(
                    Map.entry("eq", "=="),
                    Map.entry("equalto", "=="),
                    Map.entry("ne", "!="),
                    Map.entry("lt", "<"),
                    Map.entry("lessthan", "<"),
                    Map.entry("le", "<="),
                    Map.entry("gt", ">"),
                    Map.entry("greaterthan", ">"),
                    Map.entry("ge", ">="));

    private Tests() {}

    static Test find(String name) {
        String operator = COMPARISONS.getOrDefault(name, name);
        if (COMPARISONS.containsValue(operator)) {
            return (value, arguments) ->
                    ExpressionParser.holds(operator, value, arguments.need(0, "other"));
        }
        Test test = TESTS.get(name);
        if (test == null) {
            throw new TemplateException("there is no test '" + name + "'");
        }
        return test;
    }

    static boolean isIterable(Object value) {
        return value instanceof String || value instanceof List || value instanceof Map;
    }
}

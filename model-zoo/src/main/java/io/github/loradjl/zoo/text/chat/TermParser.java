package io.github.loradjl.zoo.text.chat;

import io.github.loradjl.zoo.text.chat.Lexer.Kind;
import io.github.loradjl.zoo.text.chat.Lexer.Token;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads what stands between operators: literals and names, with the attributes, indices, calls,
 * filters and tests that follow them.
 */
abstract class TermParser {

    private final List<Token> tokens;
    private int at;

    TermParser(String source) {
        tokens = Lexer.tokens(source);
    }

    /** Reads an expression, or several with commas between, which make a tuple. */
    abstract Expression tuple();

    /** Reads one expression. */
    abstract Expression expression();

    void end() {
        if (token().kind() != Kind.END) {
            throw unexpected();
        }
    }

    Token token() {
        return tokens.get(at);
    }

    Token following() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    Token next() {
        return tokens.get(at++);
    }

    boolean accept(String text) {
        boolean found = token().is(text);
        at += found ? 1 : 0;
        return found;
    }

    void expect(String text) {
        if (!accept(text)) {
            throw new TemplateException("expected '" + text + "', not " + token());
        }
    }

    String name() {
        if (token().kind() != Kind.NAME) {
            throw new TemplateException("expected a name, not " + token());
        }
        return tokens.get(at++).text();
    }

    TemplateException unexpected() {
        return new TemplateException("unexpected " + token());
    }

    Expression primary() {
        Token token = tokens.get(at++);
        switch (token.kind()) {
            case NAME:
                return named(token.text());
            case STRING:
                StringBuilder text = new StringBuilder(token.text());
                while (token().kind() == Kind.STRING) {
                    text.append(tokens.get(at++).text());
                }
                return constant(text.toString());
            case WHOLE:
                return constant(whole(token.text()));
            case REAL:
                return constant(Double.valueOf(token.text()));
            case OPERATOR:
                if ("(".equals(token.text())) {
                    Expression inner = accept(")") ? tuple(List.of()) : closed(tuple());
                    return inner;
                }
                if ("[".equals(token.text())) {
                    return list(items("]"));
                }
                if ("{".equals(token.text())) {
                    return dict();
                }
                break;
            default:
                break;
        }
        at--;
        throw unexpected();
    }

    private Expression closed(Expression inner) {
        expect(")");
        return inner;
    }

    private static Expression named(String name) {
        return switch (name) {
            case "true", "True" -> constant(true);
            case "false", "False" -> constant(false);
            case "none", "None" -> constant(null);
            case "and", "or", "not", "if", "else", "in", "is" ->
                    throw new TemplateException("unexpected '" + name + "'");
            default -> scope -> scope.get(name);
        };
    }

    private static Expression constant(Object value) {
        return scope -> value;
    }

    private static Object whole(String digits) {
        try {
            return Long.decode(
                    digits.startsWith("0x") ? digits : digits.replaceFirst("^0+(?=\\d)", ""));
        } catch (NumberFormatException e) {
            throw new TemplateException("the number " + digits + " is too large");
        }
    }

    private List<Expression> items(String end) {
        List<Expression> items = new ArrayList<>();
        while (!accept(end)) {
            if (!items.isEmpty()) {
                expect(",");
                if (accept(end)) {
                    break;
                }
            }
            items.add(expression());
        }
        return items;
    }

    private static Expression list(List<Expression> items) {
        return scope -> {
            List<Object> values = new ArrayList<>(items.size());
            items.forEach(item -> values.add(item.evaluate(scope)));
            return values;
        };
    }

    static Expression tuple(List<Expression> items) {
        return scope -> new Tuple(items.stream().map(item -> item.evaluate(scope)).toList());
    }

    private Expression dict() {
        Map<Expression, Expression> entries = new LinkedHashMap<>();
        while (!accept("}")) {
            if (!entries.isEmpty()) {
                expect(",");
                if (accept("}")) {
                    break;
                }
            }
            Expression key = expression();
            expect(":");
            entries.put(key, expression());
        }
        return scope -> {
            Map<Object, Object> values = new LinkedHashMap<>();
            entries.forEach((key, value) -> values.put(key.evaluate(scope), value.evaluate(scope)));
            return values;
        };
    }

    Expression postfix(Expression start) {
        Expression value = start;
        while (true) {
            Expression base = value;
            if (accept(".")) {
                if (token().kind() == Kind.WHOLE) {
                    Object index = whole(tokens.get(at++).text());
                    value = scope -> Members.item(base.evaluate(scope), index);
                } else {
                    String name = name();
                    value = scope -> Members.attribute(base.evaluate(scope), name);
                }
            } else if (accept("[")) {
                value = subscript(base);
            } else if (token().is("(")) {
                value = call(base);
            } else {
                return value;
            }
        }
    }

    private Expression subscript(Expression base) {
        Expression[] bounds = new Expression[3];
        int parts = 0;
        boolean sliced = false;
        while (!accept("]")) {
            if (accept(":")) {
                sliced = true;
                if (++parts > 2) {
                    throw unexpected();
                }
            } else if (bounds[parts] == null) {
                bounds[parts] = expression();
            } else {
                throw unexpected();
            }
        }
        if (!sliced) {
            Expression index = bounds[0];
            if (index == null) {
                throw new TemplateException("expected an index between '[' and ']'");
            }
            return scope -> Members.item(base.evaluate(scope), index.evaluate(scope));
        }
        return scope ->
                Values.slice(
                        base.evaluate(scope),
                        bounds[0] == null ? null : bounds[0].evaluate(scope),
                        bounds[1] == null ? null : bounds[1].evaluate(scope),
                        bounds[2] == null ? null : bounds[2].evaluate(scope));
    }

    private Expression call(Expression callee) {
        Call arguments = arguments();
        return scope -> {
            scope.rendering().step();
            Object function = callee.evaluate(scope);
            if (function instanceof Callable callable) {
                return callable.call(arguments.evaluate(scope));
            }
            if (function instanceof Undefined undefined) {
                throw undefined.error();
            }
            throw new TemplateException(Values.repr(function) + " cannot be called");
        };
    }

    /** The arguments of a call as they are written. */
    record Call(List<Expression> placed, Map<String, Expression> named) {

        Arguments evaluate(Scope scope) {
            List<Object> places = new ArrayList<>(placed.size());
            placed.forEach(value -> places.add(value.evaluate(scope)));
            Map<String, Object> names = new LinkedHashMap<>();
            named.forEach((name, value) -> names.put(name, value.evaluate(scope)));
            return new Arguments(places, names);
        }
    }

    Call arguments() {
        expect("(");
        List<Expression> placed = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        while (!accept(")")) {
            if (!placed.isEmpty() || !named.isEmpty()) {
                expect(",");
                if (accept(")")) {
                    break;
                }
            }
            if (token().kind() == Kind.NAME && tokens.get(at + 1).is("=")) {
                String name = name();
                expect("=");
                named.put(name, expression());
            } else if (named.isEmpty()) {
                placed.add(expression());
            } else {
                throw new TemplateException("an argument by place after one by name");
            }
        }
        return new Call(placed, named);
    }

    Expression filters(Expression start) {
        Expression value = start;
        while (true) {
            if (token().is("|")) {
                value = filter(value);
            } else if (accept("is")) {
                value = test(value);
            } else if (token().is("(")) {
                value = call(value);
            } else {
                return value;
            }
        }
    }

    private Expression filter(Expression base) {
        expect("|");
        String name = name();
        Filters.Filter filter = Filters.find(name);
        Call arguments = token().is("(") ? arguments() : new Call(List.of(), Map.of());
        return scope -> {
            scope.rendering().step();
            try {
                return filter.apply(base.evaluate(scope), arguments.evaluate(scope));
            } catch (TemplateException e) {
                throw e.within("filter " + name);
            }
        };
    }

    private Expression test(Expression base) {
        boolean wanted = !accept("not");
        String name = token().kind() == Kind.OPERATOR ? tokens.get(at++).text() : name();
        Tests.Test test = Tests.find(name);
        Call arguments = new Call(List.of(), Map.of());
        if (token().is("(")) {
            arguments = arguments();
        } else if (startsArgument()) {
            arguments = new Call(List.of(postfix(primary())), Map.of());
        }
        Call given = arguments;
        return scope -> test.holds(base.evaluate(scope), given.evaluate(scope)) == wanted;
    }

    private boolean startsArgument() {
        Token token = token();
        return switch (token.kind()) {
            case STRING, WHOLE, REAL -> true;
            case NAME ->
                    !Set.of("else", "or", "and", "if", "is", "in", "not").contains(token.text());
            case OPERATOR -> token.is("[") || token.is("{");
            default -> false;
        };
    }
}

package io.github.loradjl.zoo.text.chat;

import com.hubspot.jinjava.tree.Node;
import com.hubspot.jinjava.tree.TagNode;
import com.hubspot.jinjava.tree.parse.TextToken;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads one tag with what stands up to its end. */
final class TagReader {

    private static final String BODY = "body of the block";

    private final TemplateReader reader;
    private final TagNode node;
    private final ExpressionParser parser;

    TagReader(TemplateReader reader, TagNode node) {
        this.reader = reader;
        this.node = node;
        parser = new ExpressionParser(node.getHelpers());
    }

    Part read() {
        return switch (node.getName()) {
            case "if" -> choice();
            case "for" -> loop();
            case "set" -> set();
            case "macro" -> macro();
            case "call" -> call();
            case "filter" -> filter();
            case "with" -> with();
            case "generation" -> generation();
            case "raw" -> raw();
            case "break" -> leave(Part.Next.BREAK);
            case "continue" -> leave(Part.Next.CONTINUE);
            default ->
                    throw new TemplateException(
                            "the tag '" + node.getName() + "' has no place in a chat template");
        };
    }

    private List<Part> body() {
        return reader.parts(node.getChildren());
    }

    private Part leave(Part.Next next) {
        parser.end();
        return scope -> next;
    }

    private Part raw() {
        StringBuilder text = new StringBuilder();
        for (Node child : node.getChildren()) {
            text.append(((TextToken) child.getMaster()).output());
        }
        return scope -> TemplateReader.write(scope, text.toString());
    }

    private record Branch(Expression condition, List<Part> parts) {}

    /**
     * Cuts the children at elif and else; the first of the branches has the tag's own condition.
     */
    private List<Branch> branches(Expression first) {
        List<Branch> branches = new ArrayList<>();
        Expression condition = first;
        List<Node> nodes = new ArrayList<>();
        for (Node child : node.getChildren()) {
            String name = child instanceof TagNode tag ? tag.getName() : "";
            if (!"elif".equals(name) && !"else".equals(name)) {
                nodes.add(child);
                continue;
            }
            branches.add(new Branch(condition, reader.parts(nodes)));
            nodes.clear();
            int line = reader.nextLine();
            try {
                condition =
                        "else".equals(name)
                                ? scope -> true
                                : ExpressionParser.parse(((TagNode) child).getHelpers());
            } catch (TemplateException e) {
                throw e.at(line);
            }
        }
        branches.add(new Branch(condition, reader.parts(nodes)));
        return branches;
    }

    private Part choice() {
        Expression condition = parser.tuple();
        parser.end();
        List<Branch> branches = branches(condition);
        return scope -> {
            for (Branch branch : branches) {
                if (Values.truth(branch.condition().evaluate(scope))) {
                    return Part.all(branch.parts(), scope);
                }
            }
            return Part.Next.FOLLOWING;
        };
    }

    private List<String> names() {
        boolean closed = parser.accept("(");
        List<String> names = new ArrayList<>(List.of(parser.name()));
        while (parser.accept(",")) {
            names.add(parser.name());
        }
        if (closed) {
            parser.expect(")");
        }
        return names;
    }

    private Part loop() {
        List<String> names = names();
        parser.expect("in");
        Expression items = parser.or();
        Expression condition = parser.accept("if") ? parser.expression() : null;
        if (parser.accept("recursive")) {
            throw new TemplateException("a recursive loop is not supported");
        }
        parser.end();
        List<Branch> branches = branches(null);
        List<Part> parts = branches.get(0).parts();
        List<Part> otherwise = branches.size() > 1 ? branches.get(1).parts() : List.of();
        return scope -> {
            List<Object> kept = new ArrayList<>();
            for (Object item : Values.items(items.evaluate(scope))) {
                if (condition == null
                        || Values.truth(condition.evaluate(turn(scope, names, item)))) {
                    kept.add(item);
                }
            }
            int depth = scope.get("loop") instanceof Loop outer ? outer.depth() + 1 : 1;
            for (int i = 0; i < kept.size(); i++) {
                Scope inner = turn(scope, names, kept.get(i));
                inner.set("loop", new Loop(kept, i, depth));
                if (Part.all(parts, inner) == Part.Next.BREAK) {
                    break;
                }
            }
            return kept.isEmpty() ? Part.all(otherwise, scope) : Part.Next.FOLLOWING;
        };
    }

    private static Scope turn(Scope outer, List<String> names, Object item) {
        outer.rendering().step();
        Scope scope = new Scope(outer);
        assign(scope, names, item);
        return scope;
    }

    private static void assign(Scope scope, List<String> names, Object value) {
        if (names.size() == 1) {
            scope.set(names.get(0), value);
            return;
        }
        List<Object> values = Values.items(value);
        if (values.size() != names.size()) {
            throw new TemplateException(
                    names.size() + " variables " + names + " for " + values.size() + " values");
        }
        for (int i = 0; i < names.size(); i++) {
            scope.set(names.get(i), values.get(i));
        }
    }

    private Part set() {
        List<String> names = names();
        String field = names.size() == 1 && parser.accept(".") ? parser.name() : null;
        if (parser.accept("=")) {
            Expression value = parser.tuple();
            parser.end();
            return scope -> {
                assign(scope, names, field, value.evaluate(scope));
                return Part.Next.FOLLOWING;
            };
        }
        Expression filtered = parser.filters(scope -> scope.get(BODY));
        parser.end();
        List<Part> parts = body();
        return scope -> {
            assign(scope, names, field, filtered.evaluate(captured(scope, parts)));
            return Part.Next.FOLLOWING;
        };
    }

    private static void assign(Scope scope, List<String> names, String field, Object value) {
        if (field == null) {
            assign(scope, names, value);
        } else if (scope.get(names.get(0)) instanceof Namespace namespace) {
            namespace.values().put(field, value);
        } else {
            throw new TemplateException(
                    "'" + names.get(0) + "." + field + "' can be set only on a namespace");
        }
    }

    /** Returns a scope that holds the text of the parts. */
    private static Scope captured(Scope outer, List<Part> parts) {
        Scope scope = new Scope(outer);
        scope.set(BODY, outer.rendering().capture(out -> Part.all(parts, new Scope(outer))));
        return scope;
    }

    private Part filter() {
        ExpressionParser filters = new ExpressionParser("|" + node.getHelpers());
        Expression filtered = filters.filters(scope -> scope.get(BODY));
        filters.end();
        List<Part> parts = body();
        return scope ->
                TemplateReader.write(scope, Values.text(filtered.evaluate(captured(scope, parts))));
    }

    private Part with() {
        Map<String, Expression> values = new LinkedHashMap<>();
        do {
            String name = parser.name();
            parser.expect("=");
            values.put(name, parser.expression());
        } while (parser.accept(","));
        parser.end();
        List<Part> parts = body();
        return scope -> {
            Scope inner = new Scope(scope);
            values.forEach((name, value) -> inner.set(name, value.evaluate(scope)));
            return Part.all(parts, inner);
        };
    }

    private Part generation() {
        parser.end();
        reader.markAnswers();
        List<Part> parts = body();
        return scope -> {
            scope.rendering().answer(() -> Part.all(parts, new Scope(scope)));
            return Part.Next.FOLLOWING;
        };
    }

    private Map<String, Expression> parameters() {
        Map<String, Expression> parameters = new LinkedHashMap<>();
        parser.expect("(");
        while (!parser.accept(")")) {
            if (!parameters.isEmpty()) {
                parser.expect(",");
            }
            String name = parser.name();
            parameters.put(
                    name, parser.accept("=") ? parser.expression() : scope -> new Undefined(name));
        }
        return parameters;
    }

    private Part macro() {
        String name = parser.name();
        Map<String, Expression> parameters = parameters();
        parser.end();
        List<Part> parts = body();
        return scope -> {
            scope.set(name, callable(name, parameters, parts, scope));
            return Part.Next.FOLLOWING;
        };
    }

    private static Callable callable(
            String name, Map<String, Expression> parameters, List<Part> parts, Scope outer) {
        return arguments -> {
            Scope scope = new Scope(outer);
            int place = 0;
            for (Map.Entry<String, Expression> parameter : parameters.entrySet()) {
                boolean given = arguments.has(place, parameter.getKey());
                scope.set(
                        parameter.getKey(),
                        given
                                ? arguments.get(place, parameter.getKey(), null)
                                : parameter.getValue().evaluate(scope));
                place++;
            }
            scope.set("caller", arguments.named().getOrDefault("caller", new Undefined("caller")));
            List<String> known = new ArrayList<>(parameters.keySet());
            known.add("caller");
            try {
                arguments.only(place, known.toArray(new String[0]));
            } catch (TemplateException e) {
                throw e.within("macro " + name);
            }
            return outer.rendering().capture(out -> Part.all(parts, scope));
        };
    }

    private Part call() {
        Map<String, Expression> parameters =
                parser.token().is("(") ? parameters() : new LinkedHashMap<>();
        String name = parser.name();
        ExpressionParser.Call written = parser.arguments();
        parser.end();
        List<Part> parts = body();
        return scope -> {
            if (!(scope.get(name) instanceof Callable macro)) {
                throw new TemplateException("there is no macro '" + name + "'");
            }
            Arguments given = written.evaluate(scope);
            Map<String, Object> named = new LinkedHashMap<>(given.named());
            named.put("caller", callable("caller", parameters, parts, scope));
            return TemplateReader.write(
                    scope, Values.text(macro.call(new Arguments(given.placed(), named))));
        };
    }
}

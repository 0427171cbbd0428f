package io.github.loradjl.zoo.text.chat;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.interpret.InterpretException;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.interpret.TemplateError;
import com.hubspot.jinjava.lib.tag.Tag;
import com.hubspot.jinjava.tree.ExpressionNode;
import com.hubspot.jinjava.tree.Node;
import com.hubspot.jinjava.tree.TagNode;
import com.hubspot.jinjava.tree.TextNode;
import com.hubspot.jinjava.tree.parse.TextToken;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Reads a template. Jinjava finds its tags and builds their tree; what its nodes mean is said here
 * and in {@link TagReader}, because Jinjava's own values and scopes are Java's: it takes None for
 * undefined, writes {@code true} for {@code True}, compares a number with a text, and lets a
 * variable set in a loop live on.
 */
final class TemplateReader {

    private static final Jinjava JINJAVA = jinjava();

    private final Deque<Integer> lines;
    private boolean marksAnswers;

    private TemplateReader(List<Integer> lines) {
        this.lines = new ArrayDeque<>(lines);
    }

    /** A template ready to be rendered, and whether it marks the answers by itself. */
    record Template(List<Part> parts, boolean marksAnswers) {}

    static Template read(String text) {
        try {
            Source.Prepared source = Source.prepare(text);
            TemplateReader reader = new TemplateReader(source.lines());
            List<Part> parts = reader.parts(tree(source.text()));
            return new Template(parts, reader.marksAnswers);
        } catch (StackOverflowError e) {
            throw new TemplateException("Chat template: it is nested too deeply");
        }
    }

    private static Jinjava jinjava() {
        LegacyOverrides overrides =
                LegacyOverrides.newBuilder()
                        .withUseTrimmingForNotesAndExpressions(true)
                        .withParseWhitespaceControlStrictly(true)
                        .withHandleBackslashInQuotesOnly(true)
                        .build();
        Jinjava jinjava =
                new Jinjava(
                        JinjavaConfig.newBuilder()
                                .withTrimBlocks(true)
                                .withLegacyOverrides(overrides)
                                .build());
        for (String name : List.of("generation", "filter", "with")) {
            jinjava.registerTag(new Structure(name));
        }
        return jinjava;
    }

    /** A tag that Jinjava only needs to find the end of. */
    private record Structure(String name) implements Tag {

        @Override
        public String interpret(TagNode node, JinjavaInterpreter interpreter) {
            throw new UnsupportedOperationException(name);
        }

        @Override
        public String getName() {
            return name;
        }
    }

    private static List<Node> tree(String text) {
        JinjavaInterpreter interpreter = JINJAVA.newInterpreter();
        Node root;
        try {
            root = interpreter.parse(text);
        } catch (InterpretException e) {
            throw new TemplateException("Chat template: " + e.getMessage());
        }
        if (!interpreter.getErrors().isEmpty()) {
            TemplateError error = interpreter.getErrors().get(0);
            throw new TemplateException(
                    "Chat template: " + error.getMessage() + " at " + error.getFieldName());
        }
        return root.getChildren();
    }

    List<Part> parts(List<Node> nodes) {
        List<Part> parts = new ArrayList<>();
        for (Node node : nodes) {
            if (node instanceof TextNode) {
                String text = ((TextToken) node.getMaster()).output();
                parts.add(scope -> write(scope, text));
            } else if (node instanceof ExpressionNode) {
                parts.add(expression(node));
            } else {
                parts.add(tag((TagNode) node));
            }
        }
        return parts;
    }

    private Part expression(Node node) {
        int line = lines.remove();
        String image = node.getMaster().getImage();
        String source =
                image.substring(2, image.length() - 2)
                        .replaceFirst("^[-+]", "")
                        .replaceFirst("-$", "");
        return placed(
                line,
                () -> {
                    Expression value = ExpressionParser.parse(source);
                    return scope -> write(scope, Values.text(value.evaluate(scope)));
                });
    }

    private Part tag(TagNode node) {
        int line = lines.remove();
        return placed(line, () -> new TagReader(this, node).read());
    }

    private interface Reading {
        Part read();
    }

    /** Says the line of whatever goes wrong while reading or rendering a part. */
    static Part placed(int line, Reading reading) {
        Part part;
        try {
            part = reading.read();
        } catch (TemplateException e) {
            throw e.at(line);
        }
        return scope -> {
            scope.rendering().step();
            try {
                return part.render(scope);
            } catch (TemplateException e) {
                throw e.at(line);
            }
        };
    }

    static Part.Next write(Scope scope, String text) {
        scope.rendering().write(text);
        return Part.Next.FOLLOWING;
    }

    /** Reads the condition of an elif, whose line comes in its turn. */
    int nextLine() {
        return lines.remove();
    }

    void markAnswers() {
        marksAnswers = true;
    }
}

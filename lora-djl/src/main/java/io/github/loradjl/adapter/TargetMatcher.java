package io.github.loradjl.adapter;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Chooses modules by name with PEFT's rules.
 *
 * <p>A list of names matches a path that equals a name or ends with a dot and the name. A single
 * expression must match the whole path. {@link #allLinear} matches every linear layer but the
 * output head.
 */
public final class TargetMatcher {

    /** The word that stands for every linear layer but the output head. */
    public static final String ALL_LINEAR = "all-linear";

    /** A language-modelling head anywhere, a classifier's only right below the root. */
    private static final Pattern HEAD = Pattern.compile("(.*\\.)?lm_head|score|classifier");

    private final List<String> names;
    private final String expression;
    private final Pattern pattern;

    private TargetMatcher(List<String> names, String expression, Pattern pattern) {
        this.names = names;
        this.expression = expression;
        this.pattern = pattern;
    }

    /**
     * Matches by suffix.
     *
     * @param names paths or their last parts
     * @return the matcher
     */
    public static TargetMatcher names(List<String> names) {
        return new TargetMatcher(List.copyOf(names), null, null);
    }

    /**
     * Matches by an expression over the whole path.
     *
     * @param expression a regular expression, or {@link #ALL_LINEAR}
     * @return the matcher
     * @throws IllegalArgumentException if the expression is malformed
     */
    public static TargetMatcher expression(String expression) {
        if (ALL_LINEAR.equalsIgnoreCase(expression)) {
            return allLinear();
        }
        return new TargetMatcher(List.of(), expression, compile(expression));
    }

    /**
     * Matches every linear layer but the output head: a layer named {@code lm_head}, or {@code
     * score} or {@code classifier} right below the root.
     *
     * @return the matcher
     */
    public static TargetMatcher allLinear() {
        return new TargetMatcher(List.of(), ALL_LINEAR, null);
    }

    /**
     * Tells whether this is {@link #allLinear}.
     *
     * @return true if it is
     */
    public boolean isAllLinear() {
        return ALL_LINEAR.equals(expression);
    }

    /**
     * Returns the names of a matcher by suffix.
     *
     * @return the names, empty for an expression
     */
    public List<String> getNames() {
        return names;
    }

    /**
     * Returns the expression.
     *
     * @return the expression, or null for a matcher by suffix
     */
    public String getExpression() {
        return expression;
    }

    /**
     * Tests a path.
     *
     * @param path a module's dotted path
     * @param linear whether the module is a linear layer
     * @return true if it is matched
     */
    public boolean matches(String path, boolean linear) {
        if (isAllLinear()) {
            return linear && !HEAD.matcher(path).matches();
        }
        if (pattern != null) {
            return pattern.matcher(path).matches();
        }
        return names.stream().anyMatch(name -> isSuffix(name, path));
    }

    /**
     * Tells whether a path stands in the list of names in full, which no restriction to some layers
     * takes back.
     *
     * @param path a module's dotted path
     * @return true if it does
     */
    public boolean namesInFull(String path) {
        return names.contains(path);
    }

    /**
     * Returns the parts of this matcher that match none of the given paths.
     *
     * @param paths module paths
     * @return names or the expression
     */
    public List<String> unmatched(Iterable<String> paths) {
        Set<String> missing = new LinkedHashSet<>(names);
        boolean found = expression == null;
        for (String path : paths) {
            missing.removeIf(name -> isSuffix(name, path));
            found = found || matches(path, true);
        }
        List<String> result = new ArrayList<>(missing);
        if (!found) {
            result.add(expression);
        }
        return result;
    }

    private static boolean isSuffix(String name, String path) {
        return path.equals(name) || path.endsWith("." + name);
    }

    /**
     * Tests whether a path is a module that an expression names, or lies below one.
     *
     * @param expressions regular expressions over whole parts of the path
     * @param path a module's dotted path
     * @return true if it is
     */
    public static boolean isWithin(List<String> expressions, String path) {
        return expressions.stream()
                .anyMatch(e -> compile("(.*\\.)?" + e + "(\\..*)?").matcher(path).matches());
    }

    /**
     * Looks up the value whose pattern matches the end of a path; the first match wins.
     *
     * @param patterns values by regular expressions, each matched against the path or what follows
     *     one of its dots
     * @param path the path
     * @param <T> the type of the values
     * @return the value, or null if no pattern matches
     */
    public static <T> T lookup(Map<String, T> patterns, String path) {
        for (Map.Entry<String, T> e : patterns.entrySet()) {
            if (compile("(.*\\.)?(" + e.getKey() + ")").matcher(path).matches()) {
                return e.getValue();
            }
        }
        return null;
    }

    /**
     * Reads the layer index of a path: the number after the layers' name, or the first number that
     * stands below at least two other parts. The number is never the last part.
     *
     * @param path the path
     * @param layersPattern expressions for the name of the list of layers; empty for any
     * @return the index, or -1 if the path has none
     */
    public static int layerIndex(String path, List<String> layersPattern) {
        if (layersPattern.isEmpty()) {
            return index(".*?\\.[^.]*\\.(?<index>\\d+)\\.", path);
        }
        for (String name : layersPattern) {
            int index = index("(?:^|.*?\\.)" + name + "\\.(?<index>\\d+)\\.", path);
            if (index >= 0) {
                return index;
            }
        }
        return -1;
    }

    private static int index(String expression, String path) {
        Matcher matcher = compile(expression).matcher(path);
        return matcher.lookingAt() ? Integer.parseInt(matcher.group("index")) : -1;
    }

    /**
     * Quotes a path for an expression, so that Java and Python read it alike.
     *
     * @param path a module's dotted path
     * @return an expression that matches the path alone
     */
    public static String literal(String path) {
        return path.replaceAll("[^A-Za-z0-9_]", "\\\\$0");
    }

    /**
     * Refuses what is no regular expression.
     *
     * @param expression the expression
     * @throws IllegalArgumentException if it is malformed
     */
    public static void checkExpression(String expression) {
        compile(expression);
    }

    private static Pattern compile(String expression) {
        try {
            return Pattern.compile(expression);
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(
                    "malformed module pattern \"" + expression + "\": " + e.getDescription(), e);
        }
    }

    /** {@inheritDoc} */
    @Override
    public String toString() {
        return expression == null ? names.toString() : expression;
    }
}

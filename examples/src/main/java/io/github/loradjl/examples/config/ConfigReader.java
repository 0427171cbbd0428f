package io.github.loradjl.examples.config;

import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads keys with scalars, or lists of scalars, from YAML. Works on YAML's nodes, not on objects,
 * so that a value keeps its text ({@code 1e-4} is a number to us, if not to YAML) and its place.
 */
public final class ConfigReader {

    private ConfigReader() {}

    /**
     * Reads the values of a file, such as that which a run leaves.
     *
     * @param file a YAML file with one mapping
     * @return the values by key, in order; one element for a scalar, none for null
     * @throws IOException if it cannot be read
     * @throws IllegalArgumentException if it is something else; the message names the place
     */
    public static Map<String, List<String>> values(Path file) throws IOException {
        Map<String, List<String>> values = new LinkedHashMap<>();
        read(file).forEach((key, entry) -> values.put(key, entry.values()));
        return values;
    }

    /**
     * Reads a file.
     *
     * @param file a YAML file with one mapping; an empty file has no keys
     * @return its entries by key, in order
     * @throws IOException if it cannot be read
     * @throws IllegalArgumentException if it is something else; the message names the place
     */
    static Map<String, ConfigEntry> read(Path file) throws IOException {
        String text;
        try {
            text = Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(file + " is not a text in UTF-8", e);
        }
        return parse(text, file.toString());
    }

    /** Reads a text, with the name of its source for messages. */
    static Map<String, ConfigEntry> parse(String text, String source) {
        Node root = compose(text, source);
        Map<String, ConfigEntry> entries = new LinkedHashMap<>();
        if (root == null || isNull(root)) {
            return entries;
        }
        if (!(root instanceof MappingNode mapping)) {
            throw new IllegalArgumentException(
                    place(source, root) + ": keys with values are expected (key: value)");
        }
        for (NodeTuple tuple : mapping.getValue()) {
            ConfigEntry entry = entry(source, tuple);
            ConfigEntry first = entries.putIfAbsent(entry.key(), entry);
            if (first != null) {
                throw new IllegalArgumentException(
                        entry.place()
                                + ": "
                                + entry.key()
                                + " is given at "
                                + first.place()
                                + " too");
            }
        }
        return entries;
    }

    /** Reads the elements of a list on one line, such as {@code [q_proj, v_proj]}. */
    static List<String> list(String text, String source) {
        return values(source, "the value", compose(text, source));
    }

    private static Node compose(String text, String source) {
        try {
            return new Yaml(new LoaderOptions()).compose(new StringReader(text));
        } catch (MarkedYAMLException e) {
            String problem = e.getProblem() == null ? "not understood" : e.getProblem();
            throw new IllegalArgumentException(
                    place(source, e.getProblemMark()) + ": this is not YAML: " + problem, e);
        } catch (YAMLException e) {
            throw new IllegalArgumentException(source + " is not YAML: " + e.getMessage(), e);
        }
    }

    private static ConfigEntry entry(String source, NodeTuple tuple) {
        String place = place(source, tuple.getKeyNode());
        if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
            throw new IllegalArgumentException(place + ": a key must be the name of an option");
        }
        Node value = tuple.getValueNode();
        List<String> values = isNull(value) ? List.of() : values(source, key.getValue(), value);
        return new ConfigEntry(
                key.getValue(), values, value instanceof SequenceNode, place, place(source, value));
    }

    private static List<String> values(String source, String key, Node value) {
        if (value instanceof ScalarNode scalar) {
            return List.of(scalar.getValue());
        }
        List<String> values = new ArrayList<>();
        if (value instanceof SequenceNode sequence) {
            for (Node element : sequence.getValue()) {
                if (!(element instanceof ScalarNode scalar) || isNull(element)) {
                    throw new IllegalArgumentException(
                            place(source, element) + ": a list holds plain values only: " + key);
                }
                values.add(scalar.getValue());
            }
        }
        if (values.isEmpty()) {
            throw new IllegalArgumentException(
                    place(source, value)
                            + ": "
                            + key
                            + (value instanceof SequenceNode
                                    ? " is an empty list; leave it out instead"
                                    : " must be a value or a list of values"));
        }
        return values;
    }

    private static boolean isNull(Node node) {
        return Tag.NULL.equals(node.getTag());
    }

    private static String place(String source, Node node) {
        return place(source, node.getStartMark());
    }

    /** Says where, as compilers do. */
    private static String place(String source, Mark mark) {
        return mark == null
                ? source
                : source + ":" + (mark.getLine() + 1) + ":" + (mark.getColumn() + 1);
    }
}

package io.github.loradjl.examples.config;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Writes the values in force as a file that {@code --config} reads back to the same values. */
public final class ConfigWriter {

    private static final int WIDTH = 98;

    /** What YAML takes for a text, a number or a truth value, and nothing else. */
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_./][A-Za-z0-9_./+-]*");

    /** A text in JSON's quotes is one in YAML's. */
    private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

    private ConfigWriter() {}

    /**
     * Writes down all options of a command that was parsed, with their descriptions as comments.
     *
     * @param command the command
     * @param decided the values, by key, of options whose default the command decides itself; they
     *     count where an option has no value
     * @return the content of the file
     */
    public static String text(CommandSpec command, Map<String, ?> decided) {
        String name = command.qualifiedName();
        StringBuilder text = new StringBuilder();
        comment(text, "What " + name + " ran with. Again, with another seed for example:");
        comment(text, name + " --config THIS_FILE seed=1");
        // The descriptions name defaults; those must be the command's own, not this run's.
        CommandSpec plain = new CommandLine(command.userObject().getClass()).getCommandSpec();
        OptionKeys.byHeading(command)
                .forEach((heading, options) -> section(text, heading, options, plain, decided));
        return text.toString();
    }

    private static void section(
            StringBuilder text,
            String heading,
            List<OptionSpec> options,
            CommandSpec plain,
            Map<String, ?> decided) {
        List<OptionSpec> shown = options.stream().filter(OptionKeys::isKept).toList();
        if (shown.isEmpty()) {
            return;
        }
        text.append(heading.isEmpty() ? "" : "\n# ---- " + heading + " ----\n");
        for (OptionSpec option : shown) {
            String key = OptionKeys.key(option);
            text.append('\n');
            comment(text, String.join(" ", plain.findOption(option.longestName()).description()));
            Object value = option.getValue() == null ? decided.get(key) : option.getValue();
            List<String> elements = elements(value);
            if (elements == null) {
                text.append(value == null ? "# " : "").append(key).append(":");
                text.append(value == null ? "" : " " + scalar(value)).append('\n');
            } else {
                text.append(elements.isEmpty() ? "# " : "").append(key).append(": [");
                text.append(String.join(", ", elements)).append("]\n");
            }
        }
    }

    private static List<String> elements(Object value) {
        List<String> elements = new ArrayList<>();
        if (value instanceof Collection<?> collection) {
            collection.forEach(element -> elements.add(scalar(element)));
        } else if (value != null && value.getClass().isArray()) {
            for (int i = 0; i < Array.getLength(value); i++) {
                elements.add(scalar(Array.get(value, i)));
            }
        } else {
            return null;
        }
        return elements;
    }

    private static String scalar(Object value) {
        if (value instanceof Double || value instanceof Float) {
            return number(value.toString());
        }
        String text = value.toString();
        boolean isPlain = PLAIN.matcher(text).matches() && !text.equalsIgnoreCase("null");
        return isPlain ? text : GSON.toJson(text);
    }

    /** Writes 1.0E-4 as 0.0001. The digits stay, so the number does too. */
    private static String number(String text) {
        String plain;
        try {
            plain = new BigDecimal(text).stripTrailingZeros().toPlainString();
        } catch (NumberFormatException e) {
            return text; // NaN or infinite
        }
        return plain.length() > 12 ? text : plain;
    }

    private static void comment(StringBuilder text, String comment) {
        StringBuilder line = new StringBuilder("#");
        for (String word : comment.strip().split("\\s+")) {
            if (line.length() + 1 + word.length() > WIDTH) {
                text.append(line).append('\n');
                line = new StringBuilder("#");
            }
            line.append(' ').append(word);
        }
        text.append(line).append('\n');
    }
}

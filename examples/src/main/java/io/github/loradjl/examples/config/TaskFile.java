package io.github.loradjl.examples.config;

import io.github.loradjl.zoo.text.task.ClassificationTask;
import io.github.loradjl.zoo.text.task.Metric;
import io.github.loradjl.zoo.text.task.TableFormat;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A user's own classification task, from a YAML file:
 *
 * <pre>
 * prompt: "classify the sentiment of the text: {sentence}\nresult: "
 * label_column: label
 * labels: {0: negative, 1: positive}   # the value in the file: the text that is learnt
 * columns: [sentence, label]           # only where the table has no line of names
 * quotes: true                         # whether quotes stand around cells; true unless given
 * positive: positive                   # the class whose F1 is meant; the second unless given
 * metrics: [accuracy, f1]              # how it is reported; accuracy unless given
 * </pre>
 */
public final class TaskFile {

    private static final Set<String> KEYS =
            Set.of("prompt", "label_column", "labels", "columns", "quotes", "positive", "metrics");

    private final Path file;
    private final Map<?, ?> values;

    private TaskFile(Path file, Map<?, ?> values) {
        this.file = file;
        this.values = values;
    }

    /**
     * Reads a task.
     *
     * @param file a YAML file
     * @return the task, named as the file is
     * @throws IOException if the file cannot be read
     * @throws IllegalArgumentException if it is no task; the message names the key
     */
    public static ClassificationTask read(Path file) throws IOException {
        Object content;
        try {
            content =
                    new Yaml(new SafeConstructor(new LoaderOptions())).load(Files.readString(file));
        } catch (YAMLException e) {
            throw new IllegalArgumentException(file + " is not YAML: " + e.getMessage(), e);
        }
        if (!(content instanceof Map<?, ?> map)) {
            throw new IllegalArgumentException(
                    file + " is no task: it needs keys with values, at least prompt and labels");
        }
        return new TaskFile(file, map).task();
    }

    private ClassificationTask task() {
        for (Object key : values.keySet()) {
            if (!KEYS.contains(key.toString())) {
                throw wrong("unknown key " + key + Nearest.question(key.toString(), KEYS));
            }
        }
        ClassificationTask.Builder builder =
                ClassificationTask.builder()
                        .setName(file.getFileName().toString().replaceFirst("\\.[^.]*$", ""))
                        .setPromptFormat(text("prompt"))
                        .setLabels(
                                values.containsKey("label_column") ? text("label_column") : "label",
                                labels())
                        .optTable(new TableFormat(texts("columns"), quotes(), false));
        if (values.containsKey("positive")) {
            builder.optPositiveLabel(text("positive"));
        }
        if (values.containsKey("metrics")) {
            builder.optOfficialMetrics(
                    texts("metrics").stream().map(this::metric).toArray(Metric[]::new));
        }
        try {
            return builder.build();
        } catch (IllegalArgumentException e) {
            throw wrong(e.getMessage());
        }
    }

    private IllegalArgumentException wrong(String what) {
        return new IllegalArgumentException(file + ": " + what);
    }

    private String text(String key) {
        Object value = values.get(key);
        if (value == null || value instanceof Map || value instanceof List) {
            throw wrong(key + (value == null ? " is missing" : " must be a text"));
        }
        return value.toString();
    }

    private List<String> texts(String key) {
        if (!values.containsKey(key)) {
            return List.of();
        }
        if (!(values.get(key) instanceof List<?> list) || list.contains(null)) {
            throw wrong(key + " must be a list, such as [a, b]");
        }
        return list.stream().map(Object::toString).toList();
    }

    private Map<String, String> labels() {
        if (!(values.get("labels") instanceof Map<?, ?> map)) {
            throw wrong(
                    "labels must say which text stands for which value of the label column, as"
                            + " {0: negative, 1: positive}");
        }
        Map<String, String> labels = new LinkedHashMap<>();
        map.forEach((value, text) -> labels.put(String.valueOf(value), String.valueOf(text)));
        return labels;
    }

    private boolean quotes() {
        Object value = values.containsKey("quotes") ? values.get("quotes") : Boolean.TRUE;
        if (!(value instanceof Boolean quotes)) {
            throw wrong("quotes must be true or false");
        }
        return quotes;
    }

    private Metric metric(String name) {
        return Arrays.stream(Metric.values())
                .filter(metric -> metric.label().equals(name.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(
                        () ->
                                wrong(
                                        "there is no metric "
                                                + name
                                                + ": use "
                                                + Arrays.stream(Metric.values())
                                                        .map(Metric::label)
                                                        .toList()));
    }
}

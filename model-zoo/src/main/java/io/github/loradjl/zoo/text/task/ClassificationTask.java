package io.github.loradjl.zoo.text.task;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A table of texts with a label for each row, and the words in which a language model is asked for
 * the label.
 *
 * <pre>{@code
 * ClassificationTask task = ClassificationTask.builder()
 *         .setName("reviews")
 *         .setPromptFormat("classify the sentiment of the text: {sentence}\nresult: ")
 *         .setLabels("label", labels) // "0" to "negative", "1" to "positive"
 *         .build();
 * TextDataset data = TextDataset.builder().optTask(task) ...
 * }</pre>
 *
 * @see GlueTask
 */
public final class ClassificationTask {

    private static final Pattern PLACE = Pattern.compile("\\{([^{}]+)\\}");

    private final String name;
    private final TableFormat table;
    private final String promptFormat;
    private final String labelColumn;
    private final Map<String, String> labels;
    private final String positiveLabel;
    private final List<Metric> metrics;

    private ClassificationTask(Builder builder, String positiveLabel) {
        name = builder.name;
        table = builder.table;
        promptFormat = builder.promptFormat;
        labelColumn = builder.labelColumn;
        labels = Collections.unmodifiableMap(builder.labels);
        this.positiveLabel = positiveLabel;
        metrics = builder.metrics;
    }

    /**
     * Creates a builder.
     *
     * @return the builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A row of the table in words.
     *
     * @param prompt what the model is asked
     * @param label what it should answer
     */
    public record Row(String prompt, String label) {}

    /**
     * Puts a row of the table into words.
     *
     * @param cells the texts of the row by column
     * @return the prompt and the text of the label
     * @throws IllegalArgumentException if a column is missing, or the label is none of the task's
     */
    public Row row(Map<String, String> cells) {
        StringBuilder prompt = new StringBuilder();
        Matcher places = PLACE.matcher(promptFormat);
        while (places.find()) {
            String text = cell(cells, places.group(1), "");
            places.appendReplacement(prompt, Matcher.quoteReplacement(text));
        }
        places.appendTail(prompt);
        String value =
                cell(
                        cells,
                        labelColumn,
                        ", where the labels of "
                                + name
                                + " stand: without them, as in GLUE's test files, there is nothing"
                                + " to learn or to compare with");
        String label = labels.get(value);
        if (label == null) {
            throw new IllegalArgumentException(
                    "the label \""
                            + value
                            + "\" in column \""
                            + labelColumn
                            + "\" is none of those of "
                            + name
                            + ", "
                            + labels.keySet());
        }
        return new Row(prompt.toString(), label);
    }

    private static String cell(Map<String, String> cells, String column, String why) {
        String cell = cells.get(column);
        if (cell == null) {
            throw new IllegalArgumentException(
                    "the row has no \"" + column + "\", only " + cells.keySet() + why);
        }
        return cell;
    }

    /**
     * Returns the name of the task.
     *
     * @return the name
     */
    public String getName() {
        return name;
    }

    /**
     * Returns how its tables are written.
     *
     * @return the format
     */
    public TableFormat getTable() {
        return table;
    }

    /**
     * Returns the prompt, with the names of columns in braces where their texts go.
     *
     * @return the format
     */
    public String getPromptFormat() {
        return promptFormat;
    }

    /**
     * Returns the columns that a row needs, that of the label last.
     *
     * @return their names
     */
    public Set<String> getColumns() {
        Set<String> columns = new LinkedHashSet<>();
        PLACE.matcher(promptFormat).results().forEach(place -> columns.add(place.group(1)));
        columns.add(labelColumn);
        return columns;
    }

    /**
     * Returns the texts that are learnt by the values of the label column. A label's place is the
     * number of its class.
     *
     * @return the texts by values, unmodifiable and in order
     */
    public Map<String, String> getLabels() {
        return labels;
    }

    /**
     * Returns the texts that are learnt, from which a model chooses.
     *
     * @return the texts in the order of the classes
     */
    public List<String> getLabelTexts() {
        return List.copyOf(labels.values());
    }

    /**
     * Returns the text of the positive class, whose F1 score is meant.
     *
     * @return the text, or null where there are more than two classes
     */
    public String getPositiveLabel() {
        return positiveLabel;
    }

    /**
     * Returns the metrics by which the task is usually reported, the first one first.
     *
     * @return the metrics, at least one
     */
    public List<Metric> getOfficialMetrics() {
        return metrics;
    }

    /** Builds a {@link ClassificationTask}. */
    public static final class Builder {

        private String name;
        private TableFormat table = TableFormat.DEFAULT;
        private String promptFormat;
        private String labelColumn;
        private Map<String, String> labels;
        private String positiveLabel;
        private List<Metric> metrics = List.of(Metric.ACCURACY);

        private Builder() {}

        /**
         * Sets the name of the task, for messages and results.
         *
         * @param name the name
         * @return this builder
         */
        public Builder setName(String name) {
            this.name = name;
            return this;
        }

        /**
         * Sets the prompt.
         *
         * @param format the text, with the name of a column in braces wherever its text goes
         * @return this builder
         */
        public Builder setPromptFormat(String format) {
            promptFormat = format;
            return this;
        }

        /**
         * Sets the labels.
         *
         * @param column the column that holds them
         * @param texts the text that is learnt for each value of the column, in the order of the
         *     classes; at least two, without blanks around them
         * @return this builder
         */
        public Builder setLabels(String column, Map<String, String> texts) {
            labelColumn = column;
            labels = new LinkedHashMap<>(texts);
            return this;
        }

        /**
         * Sets how tables are written, {@link TableFormat#DEFAULT} by default.
         *
         * @param table the format
         * @return this builder
         */
        public Builder optTable(TableFormat table) {
            this.table = table;
            return this;
        }

        /**
         * Sets the positive class of two, the second by default.
         *
         * @param text the text that is learnt for it
         * @return this builder
         */
        public Builder optPositiveLabel(String text) {
            positiveLabel = text;
            return this;
        }

        /**
         * Sets the metrics by which the task is usually reported, the accuracy by default.
         *
         * @param metrics at least one, the first one first
         * @return this builder
         */
        public Builder optOfficialMetrics(Metric... metrics) {
            this.metrics = List.of(metrics);
            return this;
        }

        /**
         * Builds the task.
         *
         * @return the task
         * @throws IllegalArgumentException if the prompt has no place for a column or one for that
         *     of the labels, the labels are not at least two different ones, or the positive class
         *     or the metrics do not go with them
         */
        public ClassificationTask build() {
            Objects.requireNonNull(name, "setName is missing");
            Objects.requireNonNull(promptFormat, "setPromptFormat is missing");
            Objects.requireNonNull(labels, "setLabels is missing");
            if (!PLACE.matcher(promptFormat).find()) {
                throw new IllegalArgumentException(
                        "the prompt of "
                                + name
                                + " has no place for a column, as {sentence}: \""
                                + promptFormat
                                + "\"");
            }
            if (PLACE.matcher(promptFormat)
                    .results()
                    .anyMatch(place -> place.group(1).equals(labelColumn))) {
                throw new IllegalArgumentException(
                        "the prompt of "
                                + name
                                + " gives the answer away: it holds the column of the labels, {"
                                + labelColumn
                                + "}");
            }
            checkLabels();
            List<String> texts = new ArrayList<>(labels.values());
            String positive = positiveLabel;
            if (positive == null && texts.size() == 2) {
                positive = texts.get(1);
            }
            if (positive != null && (texts.size() > 2 || !texts.contains(positive))) {
                throw new IllegalArgumentException(
                        "the positive label of "
                                + name
                                + " must be one of two, not \""
                                + positive
                                + "\" of "
                                + texts);
            }
            boolean accuracyOnly = metrics.equals(List.of(Metric.ACCURACY));
            if (metrics.isEmpty() || texts.size() > 2 && !accuracyOnly) {
                throw new IllegalArgumentException(
                        "the metrics of "
                                + name
                                + ", "
                                + metrics
                                + ", must be at least one, and the accuracy alone where there are"
                                + " more than two classes");
            }
            return new ClassificationTask(this, positive);
        }

        private void checkLabels() {
            for (String text : labels.values()) {
                if (text.isEmpty() || !text.equals(text.strip())) {
                    throw new IllegalArgumentException(
                            "the label \""
                                    + text
                                    + "\" of "
                                    + name
                                    + " is empty or has blanks around it; put those into the"
                                    + " prompt");
                }
            }
            if (labels.size() < 2 || new HashSet<>(labels.values()).size() < labels.size()) {
                throw new IllegalArgumentException(
                        "the labels of "
                                + name
                                + " must be at least two, all different, not "
                                + labels.values());
            }
        }
    }
}

package io.github.loradjl.zoo.text;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.loradjl.zoo.text.task.ClassificationTask;
import io.github.loradjl.zoo.text.task.TableFormat;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** Rows of a table whose labels are learnt as text. */
record TaskFormat(ClassificationTask task) implements RowFormat {

    /** {@inheritDoc} */
    @Override
    public RawRow row(JsonObject values) throws IOException {
        Map<String, String> cells = new LinkedHashMap<>();
        for (Map.Entry<String, JsonElement> value : values.entrySet()) {
            if (value.getValue().isJsonPrimitive()) {
                cells.put(value.getKey(), value.getValue().getAsString());
            }
        }
        try {
            ClassificationTask.Row row = task.row(cells);
            return new RawRow(row.prompt(), row.label(), null);
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /** {@inheritDoc} */
    @Override
    public TableFormat table() {
        return task.getTable();
    }

    /** {@inheritDoc} */
    @Override
    public boolean takesText() {
        return false;
    }

    /** {@inheritDoc} */
    @Override
    public String needs() {
        return "the columns " + task.getColumns() + " of " + task.getName();
    }
}

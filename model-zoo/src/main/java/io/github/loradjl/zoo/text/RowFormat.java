package io.github.loradjl.zoo.text;

import com.google.gson.JsonObject;
import io.github.loradjl.zoo.text.task.TableFormat;

import java.io.IOException;

/** What the rows of files mean. */
interface RowFormat {

    /** Makes a row of the values of its keys, or of its columns. */
    RawRow row(JsonObject values) throws IOException;

    /** Returns how tables are written. */
    default TableFormat table() {
        return TableFormat.DEFAULT;
    }

    /** Tells whether plain text can be read as well. */
    boolean takesText();

    /** Names what a row needs. */
    String needs();
}

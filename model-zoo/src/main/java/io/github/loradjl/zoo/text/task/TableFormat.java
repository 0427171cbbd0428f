package io.github.loradjl.zoo.text.task;

import java.util.List;

/**
 * How a table is written. Its cells are parted by what its file's name says: tabs in a {@code .tsv}
 * file, commas in a {@code .csv} file.
 *
 * @param columns the names of the columns; none if the first line has them
 * @param quoted whether quotes may stand around a cell; otherwise they are characters like any
 * @param skipsIncomplete whether rows with too few cells are left out, with one warning for each
 *     file; otherwise they are an error
 */
public record TableFormat(List<String> columns, boolean quoted, boolean skipsIncomplete) {

    /** Tables with a line of names and with quotes, where every row is whole. */
    public static final TableFormat DEFAULT = new TableFormat(List.of(), true, false);

    /**
     * Creates a format.
     *
     * @param columns the names of the columns; none if the first line has them
     * @param quoted whether quotes may stand around a cell
     * @param skipsIncomplete whether rows with too few cells are left out
     */
    public TableFormat {
        columns = List.copyOf(columns);
    }
}

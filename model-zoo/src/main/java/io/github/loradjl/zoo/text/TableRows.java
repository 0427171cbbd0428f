package io.github.loradjl.zoo.text;

import com.google.gson.JsonObject;
import io.github.loradjl.zoo.text.task.TableFormat;
import org.apache.commons.csv.CSVException;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.apache.commons.csv.DuplicateHeaderMode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;

/** Reads the rows of tables. */
final class TableRows {

    private static final Logger logger = LoggerFactory.getLogger(TableRows.class);

    private TableRows() {}

    /** Reads the rows of a file one after the other, and returns how many there are. */
    static long read(
            Path file, char delimiter, RowFormat format, long limit, DataFiles.RowReader rowReader)
            throws IOException {
        TableFormat table = format.table();
        long rows = 0;
        long skipped = 0;
        long line = 1;
        try (Reader reader = reader(file);
                CSVParser parser = csv(table, delimiter).parse(reader)) {
            Iterator<CSVRecord> records = parser.iterator();
            line = parser.getCurrentLineNumber() + 1;
            while (rows < limit && records.hasNext()) {
                CSVRecord record = records.next();
                boolean isShort = record.size() < parser.getHeaderNames().size();
                if (isShort && table.skipsIncomplete()) {
                    skipped++;
                } else {
                    rowReader.read(format.row(cells(record, table)), line);
                    rows++;
                }
                line = parser.getCurrentLineNumber() + 1;
            }
        } catch (CharacterCodingException e) {
            throw new IOException(file + ": not valid UTF-8; convert the file to UTF-8", e);
        } catch (IOException | UncheckedIOException | IllegalArgumentException e) {
            boolean isCoding = e.getCause() instanceof CharacterCodingException;
            boolean isFormat = e.getCause() instanceof CSVException;
            String reason =
                    isCoding
                            ? "not valid UTF-8; convert the file to UTF-8"
                            : isFormat ? e.getCause().getMessage() : e.getMessage();
            throw new IOException(file + ", line " + line + ": " + reason, e);
        }
        if (skipped > 0 && rowReader != DataFiles.CHECK) {
            logger.warn("{}: {} rows with too few cells are left out", file, skipped);
        }
        return rows;
    }

    private static CSVFormat csv(TableFormat table, char delimiter) {
        CSVFormat.Builder format =
                CSVFormat.DEFAULT
                        .builder()
                        .setDelimiter(delimiter)
                        .setHeader(table.columns().toArray(String[]::new))
                        .setSkipHeaderRecord(table.columns().isEmpty())
                        .setAllowMissingColumnNames(true)
                        .setDuplicateHeaderMode(DuplicateHeaderMode.DISALLOW);
        if (!table.quoted()) {
            format.setQuote(null);
        }
        return format.get();
    }

    /** Strict about UTF-8, and without a byte order mark before the name of the first column. */
    private static Reader reader(Path file) throws IOException {
        BufferedReader reader =
                new BufferedReader(
                        new InputStreamReader(
                                Files.newInputStream(file), StandardCharsets.UTF_8.newDecoder()));
        reader.mark(1);
        if (reader.read() != '\ufeff') {
            reader.reset();
        }
        return reader;
    }

    private static JsonObject cells(CSVRecord record, TableFormat table) throws IOException {
        if (!record.isConsistent()) {
            List<String> columns = record.getParser().getHeaderNames();
            String text = "the row has " + record.size() + " cells for the columns " + columns;
            if (table.quoted()) {
                text += "; a cell with a delimiter in it is to be quoted";
            } else if (!table.columns().isEmpty()) {
                text += "; is it of another file, as a test file without labels?";
            }
            throw new IOException(text);
        }
        JsonObject cells = new JsonObject();
        record.toMap().forEach(cells::addProperty);
        return cells;
    }
}

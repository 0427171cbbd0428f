package io.github.loradjl.zoo.text;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import org.apache.commons.csv.CSVException;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.apache.commons.csv.DuplicateHeaderMode;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/** Reads the rows of files; the first one that cannot be understood is an error with its line. */
final class DataFiles {

    private static final Set<String> ENDINGS = Set.of("jsonl", "json", "csv", "tsv", "txt");

    private DataFiles() {}

    /** Lists the data files of a folder by name, or the file alone. */
    static List<Path> list(Path path) throws IOException {
        if (!Files.exists(path)) {
            throw new IOException("There is no data file " + path);
        }
        if (!Files.isDirectory(path)) {
            if (!ENDINGS.contains(ending(path))) {
                throw new IOException(
                        path
                                + " is neither .jsonl (one JSON object per line) nor .csv, .tsv or"
                                + " .txt");
            }
            return List.of(path);
        }
        try (Stream<Path> files = Files.list(path)) {
            List<Path> data =
                    files.filter(file -> ENDINGS.contains(ending(file)))
                            .filter(file -> !file.getFileName().toString().startsWith("."))
                            .filter(Files::isRegularFile)
                            .sorted()
                            .toList();
            if (data.isEmpty()) {
                throw new IOException(path + " has no .jsonl, .json, .csv, .tsv or .txt file");
            }
            return data;
        }
    }

    static String ending(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        return name.substring(name.lastIndexOf('.') + 1);
    }

    static boolean isText(Path file) {
        return "txt".equals(ending(file));
    }

    /** What becomes of each row and its line; an error of it is an error of that line. */
    @FunctionalInterface
    interface RowReader {
        void read(RawRow row, long line) throws IOException;
    }

    /** Reads the rows of a file one after the other, and returns how many there are. */
    static long read(Path file, RawRow.Keys keys, long limit, RowReader reader) throws IOException {
        if (limit == 0) {
            return 0;
        }
        long rows =
                switch (ending(file)) {
                    case "csv" -> table(file, ',', keys, limit, reader);
                    case "tsv" -> table(file, '\t', keys, limit, reader);
                    default -> lines(file, keys, limit, reader);
                };
        if (rows == 0) {
            throw new IOException(
                    file
                            + " holds no rows: it needs one "
                            + unit(file)
                            + " per line, with "
                            + keys);
        }
        return rows;
    }

    private static String unit(Path file) {
        boolean isTable = List.of("csv", "tsv").contains(ending(file));
        return isTable ? "row under a line of column names" : "JSON object";
    }

    private static long lines(Path file, RawRow.Keys keys, long limit, RowReader reader)
            throws IOException {
        long rows = 0;
        try (Utf8Lines lines = new Utf8Lines(file)) {
            for (String line = lines.next(); line != null && rows < limit; line = lines.next()) {
                if (line.isBlank()) {
                    continue;
                }
                try {
                    JsonElement json = json(line);
                    if (!json.isJsonObject()) {
                        throw new IOException("not a JSON object; each line is one, with " + keys);
                    }
                    reader.read(RawRow.of(json.getAsJsonObject(), keys), lines.number());
                    rows++;
                } catch (IOException e) {
                    throw new IOException(lines.place() + ": " + e.getMessage(), e);
                }
            }
        }
        return rows;
    }

    private static long table(
            Path file, char delimiter, RawRow.Keys keys, long limit, RowReader rowReader)
            throws IOException {
        CSVFormat format =
                CSVFormat.DEFAULT
                        .builder()
                        .setDelimiter(delimiter)
                        .setHeader()
                        .setSkipHeaderRecord(true)
                        .setAllowMissingColumnNames(true)
                        .setDuplicateHeaderMode(DuplicateHeaderMode.DISALLOW)
                        .get();
        long rows = 0;
        long line = 1;
        try (Reader reader = reader(file);
                CSVParser parser = format.parse(reader)) {
            Iterator<CSVRecord> records = parser.iterator();
            line = parser.getCurrentLineNumber() + 1;
            while (rows < limit && records.hasNext()) {
                CSVRecord record = records.next();
                rowReader.read(RawRow.of(cells(record), keys), line);
                rows++;
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
        return rows;
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

    private static JsonObject cells(CSVRecord record) throws IOException {
        if (!record.isConsistent()) {
            throw new IOException(
                    "the row has "
                            + record.size()
                            + " cells for the columns "
                            + record.getParser().getHeaderNames()
                            + "; a cell with a delimiter in it is to be quoted");
        }
        JsonObject cells = new JsonObject();
        record.toMap().forEach(cells::addProperty);
        return cells;
    }

    private static JsonElement json(String line) throws IOException {
        JsonReader reader = new JsonReader(new StringReader(line));
        reader.setStrictness(Strictness.STRICT);
        JsonElement json;
        try {
            json = JsonParser.parseReader(reader);
        } catch (JsonParseException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new IOException("malformed JSON " + inLine(cause.getMessage()), e);
        }
        try {
            if (reader.peek() == JsonToken.END_DOCUMENT) {
                return json;
            }
        } catch (MalformedJsonException e) {
            // Any second value is malformed to a strict reader.
        }
        throw new IOException("something follows the JSON object");
    }

    /** Gson counts lines too, from 1 in each of ours, and adds advice for programmers. */
    private static String inLine(String message) {
        return message.lines()
                .findFirst()
                .orElse("")
                .replaceFirst("Use JsonReader.* to accept malformed JSON ", "")
                .replace("at line 1 column", "at column");
    }
}

package io.github.loradjl.zoo.text;

import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/** Reads the rows of files; the first one that cannot be understood is an error with its line. */
final class DataFiles {

    private static final Set<String> ENDINGS = Set.of("jsonl", "json", "csv", "tsv", "txt");

    /** A first pass, which only looks whether all rows can be read. */
    static final RowReader CHECK = (row, line) -> {};

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
    static long read(Path file, RowFormat format, long limit, RowReader reader) throws IOException {
        if (limit == 0) {
            return 0;
        }
        long rows =
                switch (ending(file)) {
                    case "csv" -> TableRows.read(file, ',', format, limit, reader);
                    case "tsv" -> TableRows.read(file, '\t', format, limit, reader);
                    default -> lines(file, format, limit, reader);
                };
        if (rows == 0) {
            throw new IOException(
                    file
                            + " holds no rows: it needs one "
                            + unit(file, format)
                            + " per line, with "
                            + format.needs());
        }
        return rows;
    }

    private static String unit(Path file, RowFormat format) {
        if (!List.of("csv", "tsv").contains(ending(file))) {
            return "JSON object";
        }
        return format.table().columns().isEmpty() ? "row under a line of column names" : "row";
    }

    private static long lines(Path file, RowFormat format, long limit, RowReader reader)
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
                        throw new IOException(
                                "not a JSON object; each line is one, with " + format.needs());
                    }
                    reader.read(format.row(json.getAsJsonObject()), lines.number());
                    rows++;
                } catch (IOException e) {
                    throw new IOException(lines.place() + ": " + e.getMessage(), e);
                }
            }
        }
        return rows;
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

package io.github.loradjl.zoo.text;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * One row of a jsonl file: a prompt with the completion to learn, or, with a null prompt, a text to
 * learn as a whole.
 */
record RawRow(String prompt, String completion) {

    /** The keys that tell what a row is. */
    record Keys(String text, String prompt, String completion) {

        @Override
        public String toString() {
            return "\"" + text + "\", or \"" + prompt + "\" and \"" + completion + "\"";
        }
    }

    /** Reads all rows; the first one that cannot be understood is an error. */
    static List<RawRow> read(Path file, Keys keys, long limit) throws IOException {
        List<RawRow> rows = new ArrayList<>();
        try (Utf8Lines lines = new Utf8Lines(file)) {
            for (String line = lines.next();
                    line != null && rows.size() < limit;
                    line = lines.next()) {
                if (line.isBlank()) {
                    continue;
                }
                try {
                    rows.add(parse(line, keys));
                } catch (IOException e) {
                    throw new IOException(lines.place() + ": " + e.getMessage(), e);
                }
            }
        }
        if (rows.isEmpty()) {
            throw new IOException(
                    file + " holds no rows: it needs one JSON object per line, with " + keys);
        }
        return rows;
    }

    private static RawRow parse(String line, Keys keys) throws IOException {
        JsonElement json = json(line);
        if (!json.isJsonObject()) {
            throw new IOException("not a JSON object; each line is one, with " + keys);
        }
        JsonObject row = json.getAsJsonObject();
        boolean paired = row.has(keys.prompt()) || row.has(keys.completion());
        if (row.has(keys.text())) {
            if (paired) {
                throw new IOException(
                        "the row has \"" + keys.text() + "\" and a prompt or completion: which?");
            }
            return new RawRow(null, string(row, keys.text(), true));
        }
        if (!paired) {
            throw new IOException(
                    "the row has the keys "
                            + row.keySet()
                            + " but not "
                            + keys
                            + "; other keys are set with optKeys or optTextKey");
        }
        return new RawRow(string(row, keys.prompt(), false), string(row, keys.completion(), true));
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

    private static String string(JsonObject row, String key, boolean filled) throws IOException {
        JsonElement value = row.get(key);
        if (value == null || value.isJsonNull()) {
            throw new IOException("the row has no \"" + key + "\"");
        }
        if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isString()) {
            throw new IOException("\"" + key + "\" is not a string but " + value);
        }
        if (filled && value.getAsString().isEmpty()) {
            throw new IOException("\"" + key + "\" is empty: there is nothing to learn");
        }
        return value.getAsString();
    }
}

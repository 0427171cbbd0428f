package io.github.loradjl.zoo.repository;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Typed values of a JSON object that a stranger wrote. Every complaint names the file and the key.
 *
 * @param object the object
 * @param where the file, for messages
 */
public record Json(JsonObject object, String where) {

    private static final int MAX_LINE = 2000;

    /**
     * Parses an object.
     *
     * @param text UTF-8
     * @param where the file, for messages
     * @return the object
     * @throws IOException if it is no JSON object
     */
    public static Json parse(byte[] text, String where) throws IOException {
        try {
            String decoded =
                    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text)).toString();
            JsonElement json = JsonParser.parseString(decoded);
            if (json.isJsonObject()) {
                return new Json(json.getAsJsonObject(), where);
            }
        } catch (CharacterCodingException | JsonParseException e) {
            throw new IOException(where + " is not a JSON object", e);
        }
        throw new IOException(where + " is not a JSON object");
    }

    /**
     * Writes an object, always in the same way.
     *
     * @param json the object
     * @return the text
     */
    public static String toText(JsonObject json) {
        return new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(json)
                + "\n";
    }

    /**
     * Tells whether a text can be shown on one line.
     *
     * @param text the text
     * @return true for a short one without control characters
     */
    public static boolean isLine(String text) {
        return text.length() <= MAX_LINE && text.matches("\\P{Cntrl}*");
    }

    IOException wrong(String key, String expected) {
        return new IOException(
                where
                        + " has "
                        + key
                        + " "
                        + RepositoryLayout.shortened(String.valueOf(object.get(key)))
                        + "; it must be "
                        + expected);
    }

    private JsonElement get(String key) {
        JsonElement value = object.get(key);
        return value == null || value.isJsonNull() ? null : value;
    }

    String text(String key) throws IOException {
        JsonElement value = get(key);
        if (value == null) {
            return null;
        }
        if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isString()) {
            throw wrong(key, "a string");
        }
        return value.getAsString();
    }

    String required(String key) throws IOException {
        String text = text(key);
        if (text == null || text.isBlank()) {
            throw wrong(key, "a string with something in it");
        }
        return text;
    }

    /** Returns a text that can be shown on one line, or null. */
    String line(String key) throws IOException {
        String text = text(key);
        if (text != null && !isLine(text)) {
            throw wrong(key, "one line of up to " + MAX_LINE + " characters");
        }
        return text;
    }

    JsonArray list(String key) throws IOException {
        JsonElement value = get(key);
        if (value == null || !value.isJsonArray()) {
            throw wrong(key, "a list");
        }
        return value.getAsJsonArray();
    }

    /** Returns an object below this one, empty if it is absent. */
    Json child(String key) throws IOException {
        JsonElement value = get(key);
        if (value == null) {
            return new Json(new JsonObject(), where + ", " + key);
        }
        if (!value.isJsonObject()) {
            throw wrong(key, "an object");
        }
        return new Json(value.getAsJsonObject(), where + ", " + key);
    }

    double number(String key) throws IOException {
        JsonElement value = get(key);
        if (value == null
                || !value.isJsonPrimitive()
                || !value.getAsJsonPrimitive().isNumber()
                || !Double.isFinite(value.getAsDouble())) {
            throw wrong(key, "a number");
        }
        return value.getAsDouble();
    }
}

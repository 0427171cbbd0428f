package io.github.loradjl.peft;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Typed values of a JSON object; an absent or null value takes the default. */
record JsonReading(JsonObject json, Object file) {

    private static final long MAX_SIZE = 64 << 20;

    static JsonObject parse(Path path) throws IOException {
        if (!Files.isRegularFile(path)) {
            throw new NoSuchFileException(
                    path.toString(), null, "is missing; an adapter folder must hold it");
        }
        if (Files.size(path) > MAX_SIZE) {
            throw new IOException(path + " is too large for a configuration");
        }
        try {
            return JsonParser.parseString(Files.readString(path)).getAsJsonObject();
        } catch (JsonParseException | IllegalStateException | CharacterCodingException e) {
            throw new IOException(path + " is not a JSON object; get the adapter again", e);
        }
    }

    IOException error(String what) {
        return new IOException(file + " " + what);
    }

    private JsonElement get(String key) {
        JsonElement value = json.get(key);
        return value == null || value.isJsonNull() ? null : value;
    }

    /** Tells whether a feature is off: absent, null, false or empty. */
    boolean isOff(String key) {
        JsonElement value = get(key);
        if (value == null) {
            return true;
        }
        if (value.isJsonPrimitive()) {
            JsonPrimitive primitive = value.getAsJsonPrimitive();
            return primitive.isBoolean() && !primitive.getAsBoolean();
        }
        return value.isJsonObject()
                ? value.getAsJsonObject().isEmpty()
                : value.getAsJsonArray().isEmpty();
    }

    boolean isText(String key) {
        JsonElement value = get(key);
        return value != null && value.isJsonPrimitive() && value.getAsJsonPrimitive().isString();
    }

    String text(String key, String other) throws IOException {
        if (get(key) != null && !isText(key)) {
            throw wrong(key, "a string");
        }
        return get(key) == null ? other : get(key).getAsString();
    }

    String[] texts(String key) throws IOException {
        JsonElement value = get(key);
        if (value == null) {
            return new String[0];
        }
        if (isText(key)) {
            return new String[] {value.getAsString()};
        }
        if (!value.isJsonArray()) {
            throw wrong(key, "a list of strings");
        }
        JsonArray array = value.getAsJsonArray();
        String[] result = new String[array.size()];
        for (int i = 0; i < result.length; i++) {
            if (!array.get(i).isJsonPrimitive() || !array.get(i).getAsJsonPrimitive().isString()) {
                throw wrong(key, "a list of strings");
            }
            result[i] = array.get(i).getAsString();
        }
        return result;
    }

    boolean flag(String key) throws IOException {
        JsonElement value = get(key);
        if (value == null) {
            return false;
        }
        if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isBoolean()) {
            throw wrong(key, "true or false");
        }
        return value.getAsBoolean();
    }

    double number(String key, double other) throws IOException {
        JsonElement value = get(key);
        return value == null ? other : number(key, value);
    }

    private double number(String key, JsonElement value) throws IOException {
        if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isNumber()) {
            throw wrong(key, "a number");
        }
        return value.getAsDouble();
    }

    int integer(String key, int other) throws IOException {
        return get(key) == null ? other : integer(key, get(key));
    }

    private int integer(String key, JsonElement value) throws IOException {
        double number = number(key, value);
        if (number != (int) number) {
            throw wrong(key, "a whole number");
        }
        return (int) number;
    }

    /** Reads one number or a list of them. */
    Integer[] integers(String key) throws IOException {
        JsonElement value = get(key);
        if (value == null) {
            return new Integer[0];
        }
        if (!value.isJsonArray()) {
            return new Integer[] {integer(key, value)};
        }
        JsonArray array = value.getAsJsonArray();
        Integer[] result = new Integer[array.size()];
        for (int i = 0; i < result.length; i++) {
            result[i] = integer(key, array.get(i));
        }
        return result;
    }

    Map<String, Double> numbers(String key) throws IOException {
        Map<String, Double> result = new LinkedHashMap<>();
        JsonElement value = get(key);
        if (value == null) {
            return result;
        }
        if (!value.isJsonObject()) {
            throw wrong(key, "an object of numbers");
        }
        for (Map.Entry<String, JsonElement> entry : value.getAsJsonObject().entrySet()) {
            result.put(entry.getKey(), number(key, entry.getValue()));
        }
        return result;
    }

    private IOException wrong(String key, String expected) {
        return error("has " + key + " " + json.get(key) + "; it must be " + expected);
    }
}

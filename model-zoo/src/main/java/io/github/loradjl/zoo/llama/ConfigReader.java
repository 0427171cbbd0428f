package io.github.loradjl.zoo.llama;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;

import java.util.ArrayList;
import java.util.List;

/** Reads typed values from a config.json and names the key in every complaint. */
final class ConfigReader {

    private final JsonObject json;

    ConfigReader(JsonObject json) {
        this.json = json;
    }

    boolean has(String key) {
        JsonElement value = json.get(key);
        return value != null && !value.isJsonNull();
    }

    /** Tells whether the key is written at all, be it with null. */
    boolean mentions(String key) {
        return json.has(key);
    }

    int positive(String key) {
        if (!has(key)) {
            throw new IllegalArgumentException(
                    "config.json has no \"" + key + "\"; a model cannot be built without it");
        }
        double value = number(key, 0);
        if (value < 1 || value > Integer.MAX_VALUE || value != Math.rint(value)) {
            throw wrong(key, "a positive whole number");
        }
        return (int) value;
    }

    int positive(String key, int defaultValue) {
        return has(key) ? positive(key) : defaultValue;
    }

    double number(String key, double defaultValue) {
        if (!has(key)) {
            return defaultValue;
        }
        JsonElement value = json.get(key);
        if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isNumber()) {
            throw wrong(key, "a number");
        }
        return value.getAsDouble();
    }

    boolean flag(String key, boolean defaultValue) {
        if (!has(key)) {
            return defaultValue;
        }
        JsonElement value = json.get(key);
        if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isBoolean()) {
            throw wrong(key, "true or false");
        }
        return value.getAsBoolean();
    }

    String text(String key, String defaultValue) {
        if (!has(key)) {
            return defaultValue;
        }
        JsonElement value = json.get(key);
        if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isString()) {
            throw wrong(key, "a string");
        }
        return value.getAsString();
    }

    JsonObject object(String key) {
        JsonElement value = json.get(key);
        if (!value.isJsonObject()) {
            throw wrong(key, "an object");
        }
        return value.getAsJsonObject();
    }

    List<String> texts(String key) {
        List<String> list = new ArrayList<>();
        if (has(key)) {
            if (!json.get(key).isJsonArray()) {
                throw wrong(key, "a list of strings");
            }
            json.getAsJsonArray(key).forEach(e -> list.add(e.getAsString()));
        }
        return list;
    }

    /** Reads one token id or a list of them. */
    List<Long> tokens(String key) {
        List<Long> list = new ArrayList<>();
        if (has(key)) {
            JsonElement value = json.get(key);
            try {
                if (value.isJsonArray()) {
                    value.getAsJsonArray().forEach(e -> list.add(e.getAsLong()));
                } else {
                    list.add(value.getAsLong());
                }
            } catch (RuntimeException e) {
                throw wrong(key, "a token id or a list of them");
            }
        }
        return list;
    }

    private IllegalArgumentException wrong(String key, String wanted) {
        return new IllegalArgumentException(
                "\"" + key + "\" in config.json must be " + wanted + ", not " + json.get(key));
    }
}

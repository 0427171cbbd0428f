package io.github.loradjl.zoo.block;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Reads typed values from a {@code config.json}. Every complaint is an {@link
 * IllegalArgumentException} that names the key.
 */
public final class ConfigReader {

    private static final int MAX_LAYERS = 10_000;

    private final JsonObject json;

    /**
     * Creates a reader.
     *
     * @param json the object to read from
     */
    public ConfigReader(JsonObject json) {
        this.json = json;
    }

    /**
     * Reads a JSON object from a file.
     *
     * @param file the file
     * @return the object
     * @throws IOException if the file is missing, cannot be read or holds no JSON object
     */
    public static JsonObject read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(
                    file.getParent()
                            + " is no Hugging Face folder: it has no "
                            + file.getFileName());
        }
        try (Reader reader = Files.newBufferedReader(file)) {
            return JsonParser.parseReader(reader).getAsJsonObject();
        } catch (JsonParseException | IllegalStateException e) {
            throw new IOException(file + " is not a JSON object: " + e.getMessage(), e);
        }
    }

    /**
     * Reads the end tokens of a folder's {@code generation_config.json}.
     *
     * @param folder the folder
     * @return the ids, none if there is no such file or it names none
     * @throws IOException if the file cannot be read or holds no JSON object
     */
    public static List<Long> generationEndTokens(Path folder) throws IOException {
        Path file = folder.resolve("generation_config.json");
        return Files.isRegularFile(file)
                ? new ConfigReader(read(file)).tokens("eos_token_id")
                : List.of();
    }

    /**
     * Copies a configuration for a folder of its own, where it says what it may have left to
     * defaults or to another file.
     *
     * @param json the configuration
     * @param endTokens the tokens that end a text, possibly none
     * @param architecture the architecture, written if the configuration names none
     * @return the copy
     */
    public static JsonObject complete(JsonObject json, Set<Long> endTokens, String architecture) {
        JsonObject copy = json.deepCopy();
        if (endTokens.size() == 1) {
            copy.addProperty("eos_token_id", endTokens.iterator().next());
        } else if (!endTokens.isEmpty()) {
            JsonArray ends = new JsonArray();
            endTokens.forEach(ends::add);
            copy.add("eos_token_id", ends);
        }
        if (!copy.has("architectures")) {
            JsonArray architectures = new JsonArray();
            architectures.add(architecture);
            copy.add("architectures", architectures);
        }
        return copy;
    }

    /**
     * Makes the complaint about a setting that is not supported.
     *
     * @param what the setting
     * @param instead what is supported, with its verb
     * @return the exception to throw
     */
    public static IllegalArgumentException unsupported(String what, String instead) {
        return new IllegalArgumentException(what + " in config.json is not supported; " + instead);
    }

    /**
     * Tells whether a key has a value other than null.
     *
     * @param key the key
     * @return true if it has
     */
    public boolean has(String key) {
        JsonElement value = json.get(key);
        return value != null && !value.isJsonNull();
    }

    /**
     * Tells whether a key is written at all, be it with null.
     *
     * @param key the key
     * @return true if it is
     */
    public boolean mentions(String key) {
        return json.has(key);
    }

    /**
     * Reads a positive whole number that must be there.
     *
     * @param key the key
     * @return the number
     */
    public int positive(String key) {
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

    /**
     * Reads a positive whole number.
     *
     * @param key the key
     * @param defaultValue what a missing value means
     * @return the number
     */
    public int positive(String key, int defaultValue) {
        return has(key) ? positive(key) : defaultValue;
    }

    /**
     * Reads how many layers there are, which must be there. Each is built before anything else is
     * read, so a damaged number must not get far.
     *
     * @param key the key
     * @return the number
     */
    public int layers(String key) {
        int layers = positive(key);
        if (layers > MAX_LAYERS) {
            throw wrong(key, "at most " + MAX_LAYERS);
        }
        return layers;
    }

    /**
     * Reads a number.
     *
     * @param key the key
     * @param defaultValue what a missing value means
     * @return the number
     */
    public double number(String key, double defaultValue) {
        if (!has(key)) {
            return defaultValue;
        }
        JsonElement value = json.get(key);
        if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isNumber()) {
            throw wrong(key, "a number");
        }
        return value.getAsDouble();
    }

    /**
     * Reads true or false.
     *
     * @param key the key
     * @param defaultValue what a missing value means
     * @return the value
     */
    public boolean flag(String key, boolean defaultValue) {
        if (!has(key)) {
            return defaultValue;
        }
        JsonElement value = json.get(key);
        if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isBoolean()) {
            throw wrong(key, "true or false");
        }
        return value.getAsBoolean();
    }

    /**
     * Reads a string.
     *
     * @param key the key
     * @param defaultValue what a missing value means
     * @return the string
     */
    public String text(String key, String defaultValue) {
        if (!has(key)) {
            return defaultValue;
        }
        JsonElement value = json.get(key);
        if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isString()) {
            throw wrong(key, "a string");
        }
        return value.getAsString();
    }

    /**
     * Reads an object that must be there.
     *
     * @param key the key
     * @return the object
     */
    public JsonObject object(String key) {
        JsonElement value = json.get(key);
        if (!value.isJsonObject()) {
            throw wrong(key, "an object");
        }
        return value.getAsJsonObject();
    }

    /**
     * Reads a list of strings.
     *
     * @param key the key
     * @return the strings, none if the value is missing
     */
    public List<String> texts(String key) {
        List<String> list = new ArrayList<>();
        if (has(key)) {
            if (!json.get(key).isJsonArray()) {
                throw wrong(key, "a list of strings");
            }
            for (JsonElement element : json.getAsJsonArray(key)) {
                if (!element.isJsonPrimitive()) {
                    throw wrong(key, "a list of strings");
                }
                list.add(element.getAsString());
            }
        }
        return list;
    }

    /**
     * Reads one token id or a list of them.
     *
     * @param key the key
     * @return the ids, none if the value is missing
     */
    public List<Long> tokens(String key) {
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

package io.github.loradjl.zoo.text;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/**
 * What the files of a Hugging Face folder say about its tokens, beside the tokenizer itself.
 *
 * <p>DJL's own reader of {@code tokenizer_config.json} takes neither tokens written as objects nor
 * lengths beyond an int, and both are usual.
 */
final class TokenizerFiles {

    private final Path folder;
    private final Map<String, Long> vocabulary = new HashMap<>();
    private final JsonObject tokenizerConfig;
    private final JsonObject config;
    private final JsonObject generationConfig;

    TokenizerFiles(Path folder) throws IOException {
        this.folder = folder;
        readVocabulary(folder.resolve("tokenizer.json"));
        tokenizerConfig = readObject(folder.resolve("tokenizer_config.json"));
        config = readObject(folder.resolve("config.json"));
        generationConfig = readObject(folder.resolve("generation_config.json"));
    }

    Map<String, Long> vocabulary() {
        return vocabulary;
    }

    /** Finds the id of bos, eos or pad: tokenizer_config.json first, then config.json. */
    OptionalLong specialId(String role) throws IOException {
        JsonElement token = tokenizerConfig.get(role + "_token");
        if (token != null && token.isJsonObject()) {
            token = token.getAsJsonObject().get("content");
        }
        if (token != null && !token.isJsonNull()) {
            Long id = vocabulary.get(token.getAsString());
            if (id == null) {
                throw new IOException(
                        folder.resolve("tokenizer_config.json")
                                + " names "
                                + token
                                + " as "
                                + role
                                + "_token, but tokenizer.json has no such token");
            }
            return OptionalLong.of(id);
        }
        return ids(config, role + "_token_id").stream().mapToLong(i -> i).findFirst();
    }

    /** Collects every id that ends a text, by any of the files. */
    Set<Long> endIds() throws IOException {
        Set<Long> ends = ids(config, "eos_token_id");
        ends.addAll(ids(generationConfig, "eos_token_id"));
        specialId("eos").ifPresent(ends::add);
        return ends;
    }

    /** Returns the longest input the tokenizer's author had in mind, if there is one. */
    OptionalLong modelMaxLength() {
        JsonElement length = tokenizerConfig.get("model_max_length");
        // Authors without an opinion write 1e30.
        if (length == null || length.isJsonNull() || length.getAsDouble() > Integer.MAX_VALUE) {
            return OptionalLong.empty();
        }
        return OptionalLong.of(length.getAsLong());
    }

    private static Set<Long> ids(JsonObject json, String key) {
        Set<Long> ids = new TreeSet<>();
        JsonElement value = json.get(key);
        if (value != null && value.isJsonArray()) {
            value.getAsJsonArray().forEach(id -> ids.add(id.getAsLong()));
        } else if (value != null && !value.isJsonNull()) {
            ids.add(value.getAsLong());
        }
        return ids;
    }

    private static JsonObject readObject(Path file) throws IOException {
        if (!Files.exists(file)) {
            return new JsonObject();
        }
        try (Reader reader = Files.newBufferedReader(file)) {
            return JsonParser.parseReader(reader).getAsJsonObject();
        } catch (JsonParseException | IllegalStateException e) {
            throw new IOException(file + " is not a JSON object: " + e.getMessage(), e);
        }
    }

    /** Reads as a stream: a tree of a large tokenizer takes hundreds of megabytes. */
    private void readVocabulary(Path file) throws IOException {
        if (!Files.exists(file)) {
            throw new IOException(
                    folder
                            + " has no tokenizer.json. A folder with only tokenizer.model is"
                            + " converted by saving AutoTokenizer.from_pretrained(folder) with"
                            + " transformers");
        }
        try (JsonReader in = new JsonReader(Files.newBufferedReader(file))) {
            in.beginObject();
            while (in.hasNext()) {
                switch (in.nextName()) {
                    case "added_tokens" -> readAddedTokens(in);
                    case "model" -> readModel(in);
                    default -> in.skipValue();
                }
            }
            in.endObject();
        } catch (IOException | RuntimeException e) {
            throw new IOException(file + " is not a tokenizer: " + e.getMessage(), e);
        }
        if (vocabulary.isEmpty()) {
            throw new IOException(file + " has no vocabulary");
        }
    }

    private void readAddedTokens(JsonReader in) throws IOException {
        in.beginArray();
        while (in.hasNext()) {
            JsonObject token = JsonParser.parseReader(in).getAsJsonObject();
            vocabulary.put(token.get("content").getAsString(), token.get("id").getAsLong());
        }
        in.endArray();
    }

    private void readModel(JsonReader in) throws IOException {
        in.beginObject();
        while (in.hasNext()) {
            if (!"vocab".equals(in.nextName())) {
                in.skipValue();
            } else if (in.peek() == JsonToken.BEGIN_OBJECT) {
                in.beginObject();
                while (in.hasNext()) {
                    vocabulary.putIfAbsent(in.nextName(), in.nextLong());
                }
                in.endObject();
            } else {
                readScoredPieces(in);
            }
        }
        in.endObject();
    }

    /** Unigram models list pairs of a piece and its score; the place in the list is the id. */
    private void readScoredPieces(JsonReader in) throws IOException {
        in.beginArray();
        for (long id = 0; in.hasNext(); id++) {
            in.beginArray();
            vocabulary.putIfAbsent(in.nextString(), id);
            in.skipValue();
            in.endArray();
        }
        in.endArray();
    }
}

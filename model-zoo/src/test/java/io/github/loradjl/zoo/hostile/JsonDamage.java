package io.github.loradjl.zoo.hostile;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Damage to a JSON object: one value, anywhere in it, becomes another one. */
final class JsonDamage {

    private JsonDamage() {}

    /** A place in a tree: a key of an object or a number in a list. */
    private record Place(JsonElement parent, String key, int index) {

        void set(JsonElement value) {
            if (parent.isJsonObject()) {
                parent.getAsJsonObject().add(key, value);
            } else {
                parent.getAsJsonArray().set(index, value);
            }
        }

        void remove() {
            if (parent.isJsonObject()) {
                parent.getAsJsonObject().remove(key);
            } else {
                parent.getAsJsonArray().remove(index);
            }
        }
    }

    static Map<String, Damage> all() {
        Map<String, Damage> kinds = TextDamage.all();
        kinds.put("removed", (file, random) -> changed(file, random, null));
        Map<String, JsonElement> values = new LinkedHashMap<>();
        values.put("null", JsonNull.INSTANCE);
        values.put("empty text", new JsonPrimitive(""));
        values.put("text", new JsonPrimitive("surprise"));
        values.put("true", new JsonPrimitive(true));
        values.put("zero", new JsonPrimitive(0));
        values.put("negative", new JsonPrimitive(-7));
        values.put("fraction", new JsonPrimitive(0.5));
        values.put("huge number", new JsonPrimitive(2_000_000_000));
        values.put("beyond numbers", new JsonPrimitive(new BigDecimal("1e400")));
        values.put("empty list", new JsonArray());
        values.put("list of lists", list(list(new JsonPrimitive(1)), new JsonObject()));
        values.put("empty object", new JsonObject());
        values.put("way out", new JsonPrimitive("../../../../../../tmp/lora-evil.zip"));
        values.put("absolute", new JsonPrimitive("/tmp/lora-evil.zip"));
        values.put("other site", new JsonPrimitive("http://127.0.0.1:1/evil.zip"));
        values.put("local URL", new JsonPrimitive("file:///etc/passwd.zip"));
        values.put("control signs", new JsonPrimitive("a\u0000b\n\u001b[31mc"));
        values.put("long text", new JsonPrimitive("x".repeat(200_000)));
        values.put("expression", new JsonPrimitive("(".repeat(20_000)));
        values.put("class", new JsonPrimitive(EvilFactory.class.getName()));
        values.forEach((name, v) -> kinds.put(name, (file, random) -> changed(file, random, v)));
        kinds.put("list at the top", (file, random) -> "[1, 2]".getBytes());
        kinds.put("number at the top", (file, random) -> "7".getBytes());
        kinds.put("null at the top", (file, random) -> "null".getBytes());
        kinds.put(
                "deep",
                (file, random) -> {
                    String deep = "[".repeat(100_000) + "]".repeat(100_000);
                    return text(file).replaceFirst("\\{", "{\"deep\":" + deep + ",").getBytes();
                });
        kinds.put(
                "endless exponent",
                (file, random) -> text(file).replaceFirst(": *\\d+", ": 1e999999999").getBytes());
        kinds.put(
                "not a number",
                (file, random) -> text(file).replaceFirst(": *\\d+", ": NaN").getBytes());
        kinds.put("evil class", JsonDamage::evil);
        return kinds;
    }

    private static String text(byte[] file) {
        return new String(file, StandardCharsets.UTF_8);
    }

    private static JsonArray list(JsonElement... elements) {
        JsonArray list = new JsonArray();
        List.of(elements).forEach(list::add);
        return list;
    }

    private static byte[] changed(byte[] file, Random random, JsonElement value) {
        JsonElement json = JsonParser.parseString(text(file));
        List<Place> places = new ArrayList<>();
        collect(json, places);
        Place place = places.get(random.nextInt(places.size()));
        if (value == null) {
            place.remove();
        } else {
            place.set(value);
        }
        return write(json);
    }

    private static byte[] write(JsonElement json) {
        return new GsonBuilder().serializeNulls().create().toJson(json).getBytes();
    }

    private static void collect(JsonElement json, List<Place> places) {
        if (json.isJsonObject()) {
            json.getAsJsonObject()
                    .entrySet()
                    .forEach(
                            e -> {
                                places.add(new Place(json, e.getKey(), 0));
                                collect(e.getValue(), places);
                            });
        } else if (json.isJsonArray()) {
            for (int i = 0; i < json.getAsJsonArray().size(); i++) {
                places.add(new Place(json, null, i));
                collect(json.getAsJsonArray().get(i), places);
            }
        }
    }

    /** Names a class wherever DJL's own loader would look for one. */
    private static byte[] evil(byte[] file, Random random) {
        JsonObject json = JsonParser.parseString(text(file)).getAsJsonObject();
        List<JsonObject> objects = new ArrayList<>(List.of(json));
        if (json.has("artifacts")) {
            json.get("artifacts")
                    .getAsJsonArray()
                    .forEach(a -> objects.add(a.getAsJsonObject().getAsJsonObject("arguments")));
        }
        for (JsonObject object : objects) {
            for (String key :
                    List.of("blockFactory", "translatorFactory", "auto_map", "engine", "class")) {
                object.addProperty(key, EvilFactory.class.getName());
            }
        }
        return write(json);
    }
}

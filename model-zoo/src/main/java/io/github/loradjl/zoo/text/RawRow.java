package io.github.loradjl.zoo.text;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.ToNumberPolicy;
import com.google.gson.reflect.TypeToken;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One row of a data file: a conversation, a prompt with the completion to learn, or, with neither
 * messages nor a prompt, a text to learn as a whole.
 */
record RawRow(String prompt, String completion, Conversation conversation) {

    private static final Gson GSON =
            new GsonBuilder().setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE).create();

    /** The keys that tell what a row is; those of the other shapes are always the same. */
    record Keys(String text, String prompt, String completion) implements RowFormat {

        /** {@inheritDoc} */
        @Override
        public RawRow row(JsonObject values) throws IOException {
            return of(values, this);
        }

        /** Returns the keys that mark a row as one shape, each shape by the first of its keys. */
        List<String> shapes(JsonObject row) {
            List<String> shapes = new ArrayList<>();
            if (row.has("messages")) {
                shapes.add("messages");
            }
            if (row.has(text)) {
                shapes.add(text);
            }
            if (row.has(prompt) || row.has(completion)) {
                shapes.add(row.has(prompt) ? prompt : completion);
            }
            boolean isPaired = List.of(prompt, completion).contains("instruction");
            if (!isPaired && row.has("instruction")) {
                shapes.add("instruction");
            }
            return shapes;
        }

        /** {@inheritDoc} */
        @Override
        public boolean takesText() {
            return true;
        }

        /** {@inheritDoc} */
        @Override
        public String needs() {
            return "\"messages\", or \""
                    + prompt
                    + "\" and \""
                    + completion
                    + "\", or \""
                    + text
                    + "\", or \"instruction\" and \"output\"";
        }
    }

    /** Recognises the shape of a row by its keys. */
    private static RawRow of(JsonObject row, Keys keys) throws IOException {
        List<String> shapes = keys.shapes(row);
        if (shapes.size() > 1) {
            throw new IOException(
                    "the row has \""
                            + String.join("\" and \"", shapes)
                            + "\", which belong to different kinds of rows: which? Leave one out");
        }
        if (shapes.isEmpty()) {
            throw new IOException(
                    "the row has the keys "
                            + row.keySet()
                            + " but not "
                            + keys.needs()
                            + "; other keys are set with optKeys or optTextKey");
        }
        String shape = shapes.get(0);
        if ("messages".equals(shape)) {
            return new RawRow(null, null, conversation(row));
        }
        if (shape.equals(keys.text())) {
            return new RawRow(null, string(row, keys.text(), true), null);
        }
        if (shape.equals(keys.prompt()) || shape.equals(keys.completion())) {
            String prompt = string(row, keys.prompt(), false);
            return new RawRow(prompt, string(row, keys.completion(), true), null);
        }
        return new RawRow(alpaca(row), string(row, "output", true), null);
    }

    /** Writes the prompt in the words that models trained on alpaca's rows expect. */
    private static String alpaca(JsonObject row) throws IOException {
        String instruction = string(row, "instruction", true);
        boolean hasInput = row.has("input") && !row.get("input").isJsonNull();
        String input = hasInput ? string(row, "input", false) : "";
        String task = "Below is an instruction that describes a task";
        String request = " Write a response that appropriately completes the request.\n\n";
        if (input.isEmpty()) {
            return task
                    + "."
                    + request
                    + "### Instruction:\n"
                    + instruction
                    + "\n\n### Response:\n";
        }
        return task
                + ", paired with an input that provides further context."
                + request
                + "### Instruction:\n"
                + instruction
                + "\n\n### Input:\n"
                + input
                + "\n\n### Response:\n";
    }

    private static Conversation conversation(JsonObject row) throws IOException {
        JsonElement given = row.get("messages");
        if (!given.isJsonArray() || given.getAsJsonArray().isEmpty()) {
            throw new IOException("\"messages\" is not a list of messages but " + given);
        }
        boolean hasAnswer = false;
        for (JsonElement element : given.getAsJsonArray()) {
            boolean hasRole =
                    element.isJsonObject()
                            && element.getAsJsonObject().has("role")
                            && element.getAsJsonObject().get("role").isJsonPrimitive();
            if (!hasRole) {
                throw new IOException("a message is an object with a \"role\", not " + element);
            }
            JsonObject message = element.getAsJsonObject();
            if (!message.has("content") && !message.has("tool_calls")) {
                throw new IOException("a message has no \"content\": " + element);
            }
            hasAnswer |= Conversation.ASSISTANT.equals(message.get("role").getAsString());
        }
        if (!hasAnswer) {
            throw new IOException(
                    "no message is from the \"assistant\": there is nothing to learn");
        }
        List<Map<String, Object>> messages =
                GSON.fromJson(given, new TypeToken<List<Map<String, Object>>>() {});
        JsonElement tools = row.get("tools");
        boolean hasTools = tools != null && !tools.isJsonNull();
        if (hasTools && !tools.isJsonArray()) {
            throw new IOException("\"tools\" is not a list but " + tools);
        }
        return new Conversation(
                messages,
                hasTools
                        ? Map.of("tools", GSON.fromJson(tools, new TypeToken<List<Object>>() {}))
                        : Map.of());
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

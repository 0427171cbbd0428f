package io.github.loradjl.zoo.text.chat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The chat template of a model: turns a conversation into the text that the model knows.
 *
 * <p>The template is the model's own, in Jinja, as its author wrote it into {@code
 * tokenizer_config.json} or {@code chat_template.jinja}, and is rendered as Python's transformers
 * renders it (<a href="https://huggingface.co/docs/transformers/chat_templating">chat
 * templates</a>): blocks trimmed, {@code raise_exception}, {@code strftime_now}, {@code tojson},
 * {@code {% break %}}, {@code {% generation %}}. The text holds the special tokens it needs, so it
 * is to be encoded without adding others.
 *
 * <p>A template comes with a model from somewhere, so it is not trusted: it sees plain data and no
 * Java object, changes nothing, and has {@value #MAX_SECONDS} seconds and {@value #MAX_LENGTH}
 * characters for a conversation. Templates that loop recursively, include other files, or use
 * Jinja's rarer filters are refused when they are read, by name and line.
 *
 * <p>May be used from many threads at once.
 *
 * <pre>{@code
 * ChatTemplate template = ChatTemplate.load(Path.of("SmolLM2-135M-Instruct"));
 * String text = template.render(List.of(Map.of("role", "user", "content", "Hi")), true);
 * long[] ids = tokenizer.encode(text, false);
 * }</pre>
 */
public final class ChatTemplate {

    private static final int MAX_SECONDS = 10;
    private static final int MAX_LENGTH = 1 << 24;

    private final TemplateReader.Template template;
    private final Map<String, String> specialTokens;
    private final Clock clock;
    private final int maxSeconds;

    ChatTemplate(String template, Map<String, String> specialTokens, Clock clock, int maxSeconds) {
        this.template = TemplateReader.read(template);
        this.specialTokens = Map.copyOf(specialTokens);
        this.clock = clock;
        this.maxSeconds = maxSeconds;
    }

    /**
     * A stretch of a rendered text.
     *
     * @param start its first char
     * @param end the char behind its last
     */
    public record Span(int start, int end) {}

    /**
     * A rendered conversation.
     *
     * @param text the text
     * @param answers what the template marks as the model's own words by {@code {% generation %}},
     *     in order; empty if it marks nothing
     */
    public record Rendered(String text, List<Span> answers) {}

    /**
     * Reads the template of a model's folder. Of several templates with names, the one named {@code
     * default} is taken.
     *
     * @param folder a folder with {@code chat_template.jinja}, which comes first, or a {@code
     *     tokenizer_config.json} that has a {@code chat_template}
     * @return the template
     * @throws IOException if there is none, or it cannot be read or understood
     */
    public static ChatTemplate load(Path folder) throws IOException {
        Path config = folder.resolve("tokenizer_config.json");
        Path file = folder.resolve("chat_template.jinja");
        JsonObject json = readObject(config);
        boolean isOwn = Files.exists(file);
        String text = isOwn ? Files.readString(file) : configured(config, json);
        try {
            return of(text, specialTokens(json));
        } catch (IllegalArgumentException e) {
            throw new IOException((isOwn ? file : config) + ": " + e.getMessage(), e);
        }
    }

    /**
     * Makes a template from its text.
     *
     * @param template the text, in Jinja
     * @param specialTokens the special tokens as the template calls them, as {@code bos_token}
     * @return the template
     * @throws IllegalArgumentException if the text is no valid template; the message names the line
     */
    public static ChatTemplate of(String template, Map<String, String> specialTokens) {
        return new ChatTemplate(template, specialTokens, Clock.systemDefaultZone(), MAX_SECONDS);
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

    private static String configured(Path file, JsonObject json) throws IOException {
        JsonElement given = json.get("chat_template");
        if (given != null && given.isJsonPrimitive()) {
            return given.getAsString();
        }
        if (given == null || !given.isJsonArray()) {
            throw new IOException(
                    file.getParent()
                            + " has no chat template: neither chat_template.jinja nor"
                            + " \"chat_template\" in tokenizer_config.json. A base model has none;"
                            + " train it on prompts and completions, or take an instruct model");
        }
        Map<String, String> byName = named(given.getAsJsonArray());
        String text = byName.get("default");
        if (text == null) {
            throw new IOException(
                    file + " has the chat templates " + byName.keySet() + " but no \"default\"");
        }
        return text;
    }

    private static Map<String, String> named(JsonArray templates) {
        Map<String, String> byName = new TreeMap<>();
        for (JsonElement element : templates) {
            JsonObject template = element.getAsJsonObject();
            byName.put(template.get("name").getAsString(), template.get("template").getAsString());
        }
        return byName;
    }

    /** Collects the tokens, each written as a text or as an object with its content. */
    private static Map<String, String> specialTokens(JsonObject json) {
        Map<String, String> tokens = new HashMap<>();
        for (Map.Entry<String, JsonElement> entry : json.entrySet()) {
            JsonElement token = entry.getValue();
            if (token.isJsonObject()) {
                token = token.getAsJsonObject().get("content");
            }
            boolean isText =
                    token != null
                            && token.isJsonPrimitive()
                            && token.getAsJsonPrimitive().isString();
            if (entry.getKey().endsWith("_token") && isText) {
                tokens.put(entry.getKey(), token.getAsString());
            }
        }
        return tokens;
    }

    /**
     * Renders a conversation.
     *
     * @param messages the messages: each has a {@code role} and, usually, a {@code content}, and
     *     whatever else the template knows, as strings, numbers, booleans, lists and maps
     * @param addGenerationPrompt true to end with what makes the model answer
     * @return the text
     * @throws IllegalArgumentException if the template refuses the conversation or fails, with its
     *     line and reason
     */
    public String render(List<? extends Map<String, ?>> messages, boolean addGenerationPrompt) {
        return render(messages, addGenerationPrompt, Map.of()).text();
    }

    /**
     * Renders a conversation.
     *
     * @param messages the messages, as for {@link #render(List, boolean)}
     * @param addGenerationPrompt true to end with what makes the model answer
     * @param variables further variables of the template, as {@code tools} or {@code date_string}
     * @return the text, with the answers that the template marks
     * @throws IllegalArgumentException if the template refuses the conversation or fails, with its
     *     line and reason
     */
    public Rendered render(
            List<? extends Map<String, ?>> messages,
            boolean addGenerationPrompt,
            Map<String, ?> variables) {
        Map<String, Object> values = Globals.of(clock);
        values.put("tools", null);
        values.put("documents", null);
        values.putAll(specialTokens);
        values.put("messages", Values.of(messages));
        values.put("add_generation_prompt", addGenerationPrompt);
        variables.forEach((name, value) -> values.put(name, Values.of(value)));
        Rendering rendering = new Rendering(maxSeconds, MAX_LENGTH);
        try {
            Part.all(template.parts(), new Scope(rendering, values));
        } catch (StackOverflowError e) {
            throw new TemplateException("Chat template: it is nested too deeply");
        }
        return new Rendered(rendering.text(), rendering.answers());
    }

    /**
     * Tells whether the template marks the model's own words by {@code {% generation %}}.
     *
     * @return true if it does
     */
    public boolean marksAnswers() {
        return template.marksAnswers();
    }
}

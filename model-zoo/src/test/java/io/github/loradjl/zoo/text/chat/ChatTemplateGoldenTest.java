package io.github.loradjl.zoo.text.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.ToNumberPolicy;
import com.google.gson.reflect.TypeToken;
import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.zoo.text.TextTokenizer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** Compares with what transformers renders. */
class ChatTemplateGoldenTest {

    private static final Gson GSON =
            new GsonBuilder().setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE).create();

    private static final Map<String, String> TOKENS =
            Map.of("bos_token", "<|im_start|>", "eos_token", "<|im_end|>");

    @Test
    void render_realTemplate_givesTextsAndIdsOfTransformers() throws IOException {
        Path folder = SharedRoot.require("checkpoints/SmolLM2-135M-Instruct");
        ChatTemplate template = ChatTemplate.load(folder);
        try (TextTokenizer tokenizer = TextTokenizer.load(folder)) {
            for (JsonElement element : cases("golden.json", "conversations").toList()) {
                JsonObject conversation = element.getAsJsonObject();
                boolean prompt = conversation.get("add_generation_prompt").getAsBoolean();
                String text = template.render(messages(conversation), prompt);
                assertThat(text).isEqualTo(conversation.get("text").getAsString());
                assertThat(tokenizer.encode(text, false))
                        .containsExactly(GSON.fromJson(conversation.get("ids"), long[].class));
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> render_feature_givesTextOfTransformers() throws IOException {
        return cases("features.json", "cases")
                .map(JsonElement::getAsJsonObject)
                .map(
                        feature ->
                                DynamicTest.dynamicTest(
                                        feature.get("name").getAsString(), () -> check(feature)));
    }

    private static void check(JsonObject feature) {
        String text = feature.get("template").getAsString();
        Map<String, Object> variables =
                GSON.fromJson(feature.get("variables"), new TypeToken<Map<String, Object>>() {});
        if (feature.has("error")) {
            String reason = feature.get("error").getAsString().replaceFirst("^\\w+: ", "");
            assertThatIllegalArgumentException()
                    .isThrownBy(
                            () ->
                                    ChatTemplate.of(text, TOKENS)
                                            .render(messages(feature), false, variables))
                    .withMessageContaining("line 1")
                    .withMessageContaining(reason);
            return;
        }
        ChatTemplate.Rendered rendered =
                ChatTemplate.of(text, TOKENS).render(messages(feature), false, variables);
        assertThat(rendered.text()).isEqualTo(feature.get("text").getAsString());
    }

    private static List<Map<String, Object>> messages(JsonObject json) {
        return GSON.fromJson(json.get("messages"), new TypeToken<List<Map<String, Object>>>() {});
    }

    private static Stream<JsonElement> cases(String file, String key) throws IOException {
        String json = Files.readString(SharedRoot.require("golden/chat/" + file));
        return StreamSupport.stream(
                JsonParser.parseString(json).getAsJsonObject().getAsJsonArray(key).spliterator(),
                false);
    }
}

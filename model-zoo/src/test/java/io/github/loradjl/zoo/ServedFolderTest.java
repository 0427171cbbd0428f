package io.github.loradjl.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.inference.Predictor;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.loradjl.init.LoraInit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** A folder that says by itself how DJL's own loader, and so DJL Serving, is to load it. */
class ServedFolderTest {

    private static final String PROMPT = "Mira the fox had a red kite.";
    private static final String PROPERTIES =
            """
            engine=PyTorch
            blockFactory=io.github.loradjl.zoo.checkpoint.HuggingFaceBlockFactory
            translatorFactory=io.github.loradjl.zoo.checkpoint.HuggingFaceTranslatorFactory
            option.hasParameter=false
            adapter=adapter
            maxNewTokens=12
            maxLength=100
            """;

    @TempDir private static Path folder;
    private static Path adapter;

    @BeforeAll
    static void layOut() throws Exception {
        adapter = TrainedAdapter.train(folder.resolve("ga"), LoraInit.loraGa(), 4).folder();
        Path served = Files.createDirectories(folder.resolve("served"));
        copy(TinyStoryLlama.folder(), served);
        copy(adapter, Files.createDirectories(served.resolve("adapter")));
        Files.writeString(served.resolve("serving.properties"), PROPERTIES);
    }

    private static void copy(Path from, Path to) throws IOException {
        try (var files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    private static String expected(String prompt) throws Exception {
        Criteria<String, String> criteria =
                Criteria.builder()
                        .setTypes(String.class, String.class)
                        .optGroupId(LoraModelZoo.GROUP_ID)
                        .optArtifactId(TinyStoryLlama.NAME)
                        .optArgument("adapter", adapter)
                        .optArgument("maxNewTokens", 12)
                        .build();
        try (ZooModel<String, String> model = criteria.loadModel();
                Predictor<String, String> predictor = model.newPredictor()) {
            return predictor.predict(prompt);
        }
    }

    private static Input request(String type, String body) {
        Input input = new Input();
        input.setProperties(Map.of("Content-Type", type));
        input.add("data", body);
        return input;
    }

    @Test
    void criteria_asDjlServingBuildsIt_answersWithTheAdapter() throws Exception {
        Criteria<Input, Output> criteria =
                Criteria.builder()
                        .setTypes(Input.class, Output.class)
                        .optModelUrls(folder.resolve("served").toUri().toString())
                        .optEngine("PyTorch")
                        .build();
        try (ZooModel<Input, Output> model = criteria.loadModel();
                Predictor<Input, Output> predictor = model.newPredictor()) {
            JsonObject one = new JsonObject();
            one.addProperty("inputs", PROMPT);
            Output answer = predictor.predict(request("application/json", one.toString()));
            assertThat(answer.getProperty("Content-Type", "")).isEqualTo("application/json");
            assertThat(
                            text(
                                    JsonParser.parseString(answer.getData().getAsString())
                                            .getAsJsonObject()))
                    .isNotBlank()
                    .isEqualTo(expected(PROMPT));
            JsonArray several = new JsonArray();
            several.add(PROMPT);
            several.add("Once");
            one.add("inputs", several);
            JsonArray answers =
                    JsonParser.parseString(
                                    predictor
                                            .predict(request("application/json", one.toString()))
                                            .getData()
                                            .getAsString())
                            .getAsJsonArray();
            assertThat(answers)
                    .extracting(element -> text(element.getAsJsonObject()))
                    .containsExactly(expected(PROMPT), expected("Once"));
            assertThat(predictor.predict(request("text/plain", "Once")).getData().getAsString())
                    .contains("generated_text");
            assertThatThrownBy(() -> predictor.predict(new Input()))
                    .hasMessageContaining("the request is empty");
            assertThatThrownBy(() -> predictor.predict(request("text/plain", PROMPT.repeat(20))))
                    .hasMessageContaining("maxLength 100");
        }
    }

    private static String text(JsonObject answer) {
        return answer.get("generated_text").getAsString();
    }
}

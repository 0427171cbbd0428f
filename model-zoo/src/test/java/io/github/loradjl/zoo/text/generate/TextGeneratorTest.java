package io.github.loradjl.zoo.text.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.llama.FormulaCheckpoint;
import io.github.loradjl.zoo.text.TextTokenizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

class TextGeneratorTest {

    private static ZooModel<NDList, NDList> stories() throws Exception {
        Path folder = SharedRoot.require("checkpoints/stories260K");
        return HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
    }

    private static GenerationConfig tokens(int count) {
        return GenerationConfig.builder().optMaxNewTokens(count).build();
    }

    @Test
    void generate_streamed_givesTheTextOfTransformers() throws Exception {
        String json = Files.readString(SharedRoot.require("golden/stories260K/golden.json"));
        String expected =
                new Gson().fromJson(json, JsonObject.class).get("greedy_text").getAsString();
        try (ZooModel<NDList, NDList> model = stories();
                TextTokenizer tokenizer = TextTokenizer.load(model.getModelPath())) {
            List<String> pieces = new ArrayList<>();
            String text = new TextGenerator(model, tokenizer).generate("", tokens(60), pieces::add);
            assertThat(String.join("", pieces)).isEqualTo(text);
            assertThat(pieces).hasSizeGreaterThan(20);
            assertThat("<s> " + text.strip()).isEqualTo(expected);
        }
    }

    @Test
    void criteria_withStrings_predictsTheContinuation() throws Exception {
        Criteria<String, String> criteria =
                Criteria.builder()
                        .setTypes(String.class, String.class)
                        .optModelZoo(
                                HuggingFaceFolder.zoo(
                                        SharedRoot.require("checkpoints/stories260K")))
                        .optDevice(Device.cpu())
                        .optArgument("maxNewTokens", 25)
                        .build();
        try (ZooModel<String, String> model = criteria.loadModel();
                Predictor<String, String> predictor = model.newPredictor();
                TextTokenizer tokenizer = TextTokenizer.load(model.getModelPath())) {
            String prompt = "One day, a cat";
            assertThat(predictor.predict(prompt))
                    .isEqualTo(new TextGenerator(model, tokenizer).generate(prompt, tokens(25)))
                    .isNotBlank();
        }
    }

    @Test
    void stream_charactersOfSeveralTokens_comeWhole() throws Exception {
        Path folder = SharedRoot.require("checkpoints/SmolLM2-135M-Instruct");
        String text = " Grüße, 日本語 🙂 und mehr.";
        try (TextTokenizer tokenizer = TextTokenizer.load(folder)) {
            long[] prompt = tokenizer.encode("Text:");
            List<String> pieces = new ArrayList<>();
            TextStream stream = new TextStream(tokenizer, prompt, pieces::add);
            long[] ids = tokenizer.encode(text);
            for (long id : ids) {
                stream.add(id);
            }
            assertThat(stream.finish()).isEqualTo(text);
            assertThat(pieces).noneMatch(p -> p.contains("\uFFFD"));
            assertThat(pieces).hasSizeBetween(5, ids.length - 1);
        }
    }

    @Test
    void generate_adaptersSwitchedMeanwhile_goesOnWithThoseItBeganWith(@TempDir Path folder)
            throws Exception {
        FormulaCheckpoint.write(folder, config());
        LoraConfig adapter =
                LoraConfig.builder().optRank(4).optInit(LoraInit.bothRandomUnsubtracted()).build();
        long[] prompt = {3, 1, 4};
        try (ZooModel<NDList, NDList> model =
                        HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
                LoraModel lora = LoraModel.attach(model, adapter)) {
            TokenGenerator generator = new TokenGenerator(model);
            long[] expected = generator.generate(prompt, tokens(12));
            long[] actual = generator.generate(prompt, tokens(12), token -> lora.setEnabled(false));
            assertThat(actual).isEqualTo(expected);
            assertThat(generator.generate(prompt, tokens(12)))
                    .as("the base alone continues otherwise")
                    .isNotEqualTo(expected);
        }
    }

    private static JsonObject config() {
        return JsonParser.parseString(
                        "{'model_type':'llama','vocab_size':40,'hidden_size':32,"
                                + "'intermediate_size':48,'num_hidden_layers':2,"
                                + "'num_attention_heads':4,"
                                + "'max_position_embeddings':64}")
                .getAsJsonObject();
    }

    @Test
    void generate_endToken_stops(@TempDir Path folder) throws Exception {
        JsonObject config = config();
        FormulaCheckpoint.write(folder, config);
        long[] prompt = {3, 1, 4};
        long[] all = generate(folder, prompt);
        assertThat(all).hasSize(12);
        config.addProperty("eos_token_id", all[2]);
        FormulaCheckpoint.write(folder, config);
        int first = Arrays.stream(all).boxed().toList().indexOf(all[2]);
        assertThat(generate(folder, prompt)).isEqualTo(Arrays.copyOf(all, first + 1));
    }

    private static long[] generate(Path folder, long[] prompt) throws Exception {
        try (ZooModel<NDList, NDList> model =
                HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32)) {
            return new TokenGenerator(model).generate(prompt, tokens(12));
        }
    }

    @Test
    void generate_sampled_repeatsWithItsSeed() throws Exception {
        try (ZooModel<NDList, NDList> model = stories()) {
            TokenGenerator generator = new TokenGenerator(model);
            GenerationConfig.Builder config =
                    GenerationConfig.builder()
                            .optMaxNewTokens(30)
                            .optTemperature(1.5f)
                            .optTopK(50)
                            .optTopP(0.9f);
            long[] start = {1};
            long[] ids = generator.generate(start, config.optSeed(3).build());
            assertThat(generator.generate(start, config.build())).isEqualTo(ids);
            assertThat(generator.generate(start, config.optSeed(4).build())).isNotEqualTo(ids);
        }
    }

    @Test
    void generate_leavesNothingBehind() throws Exception {
        try (ZooModel<NDList, NDList> model = stories()) {
            TokenGenerator generator = new TokenGenerator(model);
            generator.generate(new long[] {1}, tokens(3));
            int before = model.getNDManager().getManagedArrays().size();
            generator.generate(new long[] {1}, tokens(10));
            assertThat(model.getNDManager().getManagedArrays()).hasSize(before);
        }
    }

    @Test
    void generate_emptyPrompt_isRefused() throws Exception {
        try (ZooModel<NDList, NDList> model = stories()) {
            TokenGenerator generator = new TokenGenerator(model);
            assertThatThrownBy(() -> generator.generate(new long[0], tokens(3)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("empty");
        }
    }
}

package io.github.loradjl.zoo.text.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.text.TextTokenizer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Texts from a small pretrained T5, in which an encoder reads the prompts. */
class EncoderDecoderTextTest {

    private static final Pattern SPECIAL = Pattern.compile("<(pad|/s|extra_id_\\d+)>");

    private final List<String> prompts = new ArrayList<>();
    private final List<String> answers = new ArrayList<>();
    private Path folder;
    private ZooModel<NDList, NDList> model;
    private TextTokenizer tokenizer;

    @BeforeEach
    void open() throws Exception {
        folder = SharedRoot.require("checkpoints/tiny-t5");
        String golden = Files.readString(SharedRoot.require("golden/tiny-t5/golden.json"));
        for (JsonElement element :
                JsonParser.parseString(golden).getAsJsonObject().getAsJsonArray("rows")) {
            JsonObject row = element.getAsJsonObject();
            // The end token is the tokenizer's to add.
            prompts.add(row.get("input_text").getAsString().replace("</s>", ""));
            String text = row.get("generated_text").getAsString();
            answers.add(SPECIAL.matcher(text).replaceAll(""));
        }
        model = HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
        tokenizer = TextTokenizer.load(folder);
    }

    @AfterEach
    void close() {
        if (model != null) {
            tokenizer.close();
            model.close();
        }
    }

    private static GenerationConfig.Builder tokens() {
        return GenerationConfig.builder().optMaxNewTokens(20);
    }

    @Test
    void generate_streamed_givesTheTextsOfTransformers() {
        TextGenerator generator = new TextGenerator(model, tokenizer);
        for (int i = 0; i < prompts.size(); i++) {
            List<String> pieces = new ArrayList<>();
            String text = generator.generate(prompts.get(i), tokens().build(), pieces::add);
            assertThat(text).isEqualTo(answers.get(i));
            assertThat(String.join("", pieces)).isEqualTo(text);
            // A piece for each word or sign, none for a sentinel.
            assertThat(pieces.size() > 5 || text.isEmpty()).isTrue();
            assertThat(pieces).noneMatch(String::isEmpty);
        }
        assertThat(answers).contains("");
    }

    @Test
    void generate_batch_givesTheTextsOfTransformers() {
        assertThat(new TextGenerator(model, tokenizer).generate(prompts, tokens().build()))
                .containsExactlyElementsOf(answers);
    }

    @Test
    void generate_beams_areTheTextOfTheirTokens() {
        GenerationConfig config = tokens().optBeams(4).optLengthPenalty(2).build();
        List<String> pieces = new ArrayList<>();
        TextGenerator generator = new TextGenerator(model, tokenizer);
        String text = generator.generate(prompts.get(0), config, pieces::add);
        long[] ids = new TokenGenerator(model).generate(tokenizer.encode(prompts.get(0)), config);
        assertThat(text).isEqualTo(tokenizer.decode(ids)).isNotEqualTo(answers.get(0));
        assertThat(String.join("", pieces)).isEqualTo(text);
    }

    @Test
    void criteria_withStrings_predictsTheTextsOfTransformers() throws Exception {
        try (ZooModel<String, String> zoo =
                        criteria().optArgument("maxNewTokens", 20).build().loadModel();
                Predictor<String, String> predictor = zoo.newPredictor()) {
            assertThat(predictor.predict(prompts.get(2))).isEqualTo(answers.get(2));
            assertThat(predictor.batchPredict(prompts)).containsExactlyElementsOf(answers);
        }
    }

    @Test
    void criteria_withBeams_searches() throws Exception {
        GenerationConfig config = tokens().optBeams(4).optLengthPenalty(2).build();
        Criteria<String, String> criteria =
                criteria()
                        .optArgument("maxNewTokens", 20)
                        .optArgument("numBeams", 4)
                        .optArgument("lengthPenalty", 2.0)
                        .build();
        try (ZooModel<String, String> zoo = criteria.loadModel();
                Predictor<String, String> predictor = zoo.newPredictor()) {
            assertThat(predictor.predict(prompts.get(0)))
                    .isEqualTo(new TextGenerator(model, tokenizer).generate(prompts.get(0), config))
                    .isNotEqualTo(answers.get(0));
        }
        Criteria<String, String> contradiction =
                criteria().optArgument("numBeams", 4).optArgument("topK", 5).build();
        assertThatThrownBy(contradiction::loadModel)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("4 beams");
    }

    private Criteria.Builder<String, String> criteria() {
        return Criteria.builder()
                .setTypes(String.class, String.class)
                .optModelZoo(HuggingFaceFolder.zoo(folder))
                .optDevice(Device.cpu());
    }
}

package io.github.loradjl.zoo.text.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.ParameterStore;

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

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** Prompts that are continued together come out as they do one by one. */
class BatchedGenerationTest {

    private static final List<long[]> PROMPTS =
            List.of(
                    new long[] {3, 1, 4},
                    new long[] {1, 5, 9, 2, 6, 5, 3},
                    new long[] {7},
                    new long[] {8, 9, 7, 9, 3});

    private static final List<String> TEXTS =
            List.of("One day, a cat", "Once upon a time there was a little girl", "", "The end.");

    @TempDir private Path folder;

    private static JsonObject config() {
        return JsonParser.parseString(
                        "{'model_type':'llama','vocab_size':40,'hidden_size':32,"
                                + "'intermediate_size':48,'num_hidden_layers':2,"
                                + "'num_attention_heads':4,'num_key_value_heads':2,"
                                + "'max_position_embeddings':64}")
                .getAsJsonObject();
    }

    private ZooModel<NDList, NDList> model(JsonObject config) throws Exception {
        FormulaCheckpoint.write(folder, config);
        return HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
    }

    private static List<long[]> oneByOne(TokenGenerator generator, GenerationConfig config) {
        return PROMPTS.stream().map(prompt -> generator.generate(prompt, config)).toList();
    }

    private static GenerationConfig.Builder tokens() {
        return GenerationConfig.builder().optMaxNewTokens(16);
    }

    @Test
    void generate_greedy_givesTheTokensOfEachPromptAlone() throws Exception {
        try (ZooModel<NDList, NDList> model = model(config())) {
            TokenGenerator generator = new TokenGenerator(model);
            List<long[]> alone = oneByOne(generator, tokens().build());
            assertThat(generator.generate(PROMPTS, tokens().build()))
                    .containsExactlyElementsOf(alone);
        }
    }

    @Test
    void generate_sampled_drawsForEachRowAsAlone() throws Exception {
        GenerationConfig config = tokens().optTemperature(1.2f).optTopK(30).optSeed(5).build();
        try (ZooModel<NDList, NDList> model = model(config())) {
            TokenGenerator generator = new TokenGenerator(model);
            assertThat(generator.generate(PROMPTS, config))
                    .containsExactlyElementsOf(oneByOne(generator, config));
        }
    }

    @Test
    void generate_brokenAdapter_isAnError() throws Exception {
        LoraConfig adapter = LoraConfig.builder().optRank(4).optInit(LoraInit.randomB()).build();
        try (ZooModel<NDList, NDList> model = model(config());
                LoraModel lora = LoraModel.attach(model, adapter)) {
            lora.getTrainableParameters().values().iterator().next().getArray().muli(Float.NaN);
            TokenGenerator generator = new TokenGenerator(lora.getModel());
            assertThatThrownBy(() -> generator.generate(PROMPTS, tokens().build()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("the model predicts NaN");
        }
    }

    @Test
    void generate_adapted_givesTheTokensOfEachPromptAlone() throws Exception {
        LoraConfig adapter =
                LoraConfig.builder().optRank(4).optInit(LoraInit.bothRandomUnsubtracted()).build();
        try (ZooModel<NDList, NDList> model = model(config())) {
            List<long[]> base = new TokenGenerator(model).generate(PROMPTS, tokens().build());
            try (LoraModel lora = LoraModel.attach(model, adapter)) {
                TokenGenerator generator = new TokenGenerator(lora.getModel());
                List<long[]> batched = generator.generate(PROMPTS, tokens().build());
                assertThat(batched)
                        .containsExactlyElementsOf(oneByOne(generator, tokens().build()));
                assertThat(batched.get(0)).isNotEqualTo(base.get(0));
            }
        }
    }

    @Test
    void generate_endTokensAtDifferentTimes_endEachRowAlone() throws Exception {
        JsonObject config = config();
        GenerationConfig sampled = tokens().optSample(true).optSeed(2).build();
        List<long[]> whole;
        try (ZooModel<NDList, NDList> model = model(config)) {
            whole = new TokenGenerator(model).generate(PROMPTS, sampled);
        }
        config.addProperty("eos_token_id", whole.get(0)[3]);
        try (ZooModel<NDList, NDList> model = model(config)) {
            TokenGenerator generator = new TokenGenerator(model);
            List<List<Long>> heard = IntStream.range(0, 4).mapToObj(i -> listOfLongs()).toList();
            List<long[]> batched =
                    generator.generate(PROMPTS, sampled, (row, id) -> heard.get(row).add(id));
            assertThat(batched).containsExactlyElementsOf(oneByOne(generator, sampled));
            assertThat(batched.stream().map(ids -> Arrays.stream(ids).boxed().toList()))
                    .containsExactlyElementsOf(heard);
            assertThat(new TreeSet<>(batched.stream().map(ids -> ids.length).toList()))
                    .as("rows leave at different times")
                    .hasSizeGreaterThan(1);
        }
    }

    private static List<Long> listOfLongs() {
        return new ArrayList<>();
    }

    @Test
    void generate_realModel_givesTheTextsOfEachPromptAlone() throws Exception {
        Path stories = SharedRoot.require("checkpoints/stories260K");
        try (ZooModel<NDList, NDList> model =
                        HuggingFaceFolder.load(stories, Device.cpu(), DataType.FLOAT32);
                TextTokenizer tokenizer = TextTokenizer.load(stories)) {
            TextGenerator generator = new TextGenerator(model, tokenizer);
            GenerationConfig config = GenerationConfig.builder().optMaxNewTokens(60).build();
            assertThat(generator.generate(TEXTS, config))
                    .containsExactlyElementsOf(
                            TEXTS.stream().map(text -> generator.generate(text, config)).toList());
        }
    }

    @Test
    void nextLogits_padded_areThoseOfTheRowAlone() throws Exception {
        try (ZooModel<NDList, NDList> model = model(config());
                NDManager manager = model.getNDManager().newSubManager()) {
            AutoregressiveBlock block = (AutoregressiveBlock) model.getBlock();
            ParameterStore store = new ParameterStore(manager, false);
            KeyValueCache both = block.newCache(manager, 2, 8);
            both.setPadding(new int[] {2, 0});
            KeyValueCache alone = block.newCache(manager, 1, 8);
            NDArray rows = manager.create(new long[] {0, 0, 3, 1, 4, 1, 5, 9, 2, 6});
            NDArray row = manager.create(new long[] {3, 1, 4}, new Shape(1, 3));
            NDArray ids = rows.reshape(2, 5);
            for (int step = 0; step < 3; step++) {
                float[] expected = block.nextLogits(store, row, alone).toFloatArray();
                float[] actual = block.nextLogits(store, ids, both).get("0").toFloatArray();
                for (int i = 0; i < expected.length; i++) {
                    // Sums over other shapes of the same numbers, of a magnitude of about 1.
                    assertThat(actual[i]).isCloseTo(expected[i], within(1e-5f));
                }
                // The last step adds two positions at once.
                int count = step + 1;
                row = manager.ones(new Shape(1, count), DataType.INT64).mul(11);
                ids = manager.ones(new Shape(2, count), DataType.INT64).mul(11);
            }
        }
    }

    @Test
    void generate_leavesNothingBehind() throws Exception {
        try (ZooModel<NDList, NDList> model = model(config())) {
            TokenGenerator generator = new TokenGenerator(model);
            generator.generate(PROMPTS, tokens().build());
            int before = model.getNDManager().getManagedArrays().size();
            generator.generate(PROMPTS, tokens().build());
            assertThat(model.getNDManager().getManagedArrays()).hasSize(before);
        }
    }

    @Test
    void generate_noPromptsOrAnEmptyOne() throws Exception {
        try (ZooModel<NDList, NDList> model = model(config())) {
            TokenGenerator generator = new TokenGenerator(model);
            assertThat(generator.generate(List.of(), tokens().build())).isEmpty();
            List<long[]> withEmpty = List.of(new long[] {3}, new long[0]);
            assertThatThrownBy(() -> generator.generate(withEmpty, tokens().build()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("empty");
        }
    }
}

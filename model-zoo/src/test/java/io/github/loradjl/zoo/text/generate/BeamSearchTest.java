package io.github.loradjl.zoo.text.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.reflect.TypeToken;
import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.llama.FormulaCheckpoint;
import io.github.loradjl.zoo.llama.LlamaConfig;
import io.github.loradjl.zoo.t5.RandomT5;
import io.github.loradjl.zoo.t5.T5Config;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Beam search against what transformers finds in the random models of both kinds. */
class BeamSearchTest {

    private static final List<long[]> PROMPTS =
            List.of(
                    new long[] {3, 1, 4, 1, 5},
                    new long[] {9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3},
                    new long[] {23});

    @TempDir private Path folder;

    /** An entry of random_models.json. */
    private static final class Expected {
        JsonObject config;
        List<Search> searches;
    }

    /** The result of one search. */
    private static final class Search {
        int beams;
        double penalty;
        long[] ends;
        long[][] tokens;
    }

    private static Expected expected(Class<?> place, String name) throws Exception {
        try (Reader reader =
                new InputStreamReader(
                        place.getResourceAsStream("random_models.json"), StandardCharsets.UTF_8)) {
            Map<String, Expected> all =
                    new Gson().fromJson(reader, new TypeToken<Map<String, Expected>>() {});
            return all.get(name);
        }
    }

    private ZooModel<NDList, NDList> load() throws Exception {
        return HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
    }

    private ZooModel<NDList, NDList> llama(String name) throws Exception {
        FormulaCheckpoint.write(folder, expected(LlamaConfig.class, name).config);
        return load();
    }

    private ZooModel<NDList, NDList> t5(String name) throws Exception {
        RandomT5.write(folder, expected(T5Config.class, name).config);
        return load();
    }

    private static GenerationConfig.Builder beams(int count) {
        return GenerationConfig.builder().optMaxNewTokens(12).optBeams(count);
    }

    @ParameterizedTest
    @ValueSource(strings = {"v1.0", "v1.1"})
    void generate_encoderDecoder_findsTheTextsOfTransformers(String name) throws Exception {
        Expected expected = expected(T5Config.class, name);
        assertThat(expected.searches).hasSize(18);
        for (Search search : expected.searches) {
            expected.config.add("eos_token_id", new Gson().toJsonTree(search.ends));
            RandomT5.write(folder, expected.config);
            check(search, RandomT5.prompts());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama3", "biases"})
    void generate_causal_findsTheTextsOfTransformers(String name) throws Exception {
        Expected expected = expected(LlamaConfig.class, name);
        assertThat(expected.searches).hasSize(18);
        for (Search search : expected.searches) {
            expected.config.add("eos_token_id", new Gson().toJsonTree(search.ends));
            FormulaCheckpoint.write(folder, expected.config);
            check(search, PROMPTS);
        }
    }

    /** Searches for all prompts as one batch and for each of them alone. */
    private void check(Search search, List<long[]> prompts) throws Exception {
        GenerationConfig config = beams(search.beams).optLengthPenalty(search.penalty).build();
        String what =
                search.beams
                        + " beams, length penalty "
                        + search.penalty
                        + ", ends "
                        + Arrays.toString(search.ends);
        try (ZooModel<NDList, NDList> model = load()) {
            TokenGenerator generator = new TokenGenerator(model);
            assertThat(generator.generate(prompts, config)).as(what).containsExactly(search.tokens);
            for (int i = 0; i < search.tokens.length; i++) {
                assertThat(generator.generate(prompts.get(i), config))
                        .as(what)
                        .isEqualTo(search.tokens[i]);
            }
        }
    }

    @Test
    void generate_moreBeamsThanTokens_triesEveryText() throws Exception {
        // 40 texts of one token: the search is exhaustive, and finds what is the most probable.
        try (ZooModel<NDList, NDList> model = llama("biases")) {
            TokenGenerator generator = new TokenGenerator(model);
            GenerationConfig.Builder one = GenerationConfig.builder().optMaxNewTokens(1);
            List<long[]> greedy = generator.generate(PROMPTS, one.build());
            assertThat(generator.generate(PROMPTS, one.optBeams(60).build()))
                    .containsExactlyElementsOf(greedy);
        }
    }

    @Test
    void generate_endsNotWanted_goesOnToTheLargestNumber() throws Exception {
        Expected expected = expected(LlamaConfig.class, "biases");
        Search withoutEnds = expected.searches.get(1);
        expected.config.addProperty("eos_token_id", withoutEnds.tokens[0][1]);
        FormulaCheckpoint.write(folder, expected.config);
        try (ZooModel<NDList, NDList> model = load()) {
            GenerationConfig config = beams(withoutEnds.beams).optStopAtEnd(false).build();
            assertThat(new TokenGenerator(model).generate(PROMPTS, config))
                    .containsExactly(withoutEnds.tokens);
        }
    }

    @Test
    void generate_listener_hearsTheFoundTokensInTheirOrder() throws Exception {
        try (ZooModel<NDList, NDList> model = t5("v1.1")) {
            List<List<Long>> heard = Stream.<List<Long>>generate(ArrayList::new).limit(2).toList();
            List<long[]> found =
                    new TokenGenerator(model)
                            .generate(
                                    RandomT5.prompts(),
                                    beams(3).build(),
                                    (row, id) -> heard.get(row).add(id));
            assertThat(heard)
                    .containsExactlyElementsOf(
                            found.stream()
                                    .map(ids -> Arrays.stream(ids).boxed().toList())
                                    .toList());
        }
    }

    @Test
    void generate_adapted_searchesTheAdaptedModel() throws Exception {
        LoraConfig adapter =
                LoraConfig.builder().optRank(4).optInit(LoraInit.bothRandomUnsubtracted()).build();
        try (ZooModel<NDList, NDList> model = t5("v1.0")) {
            List<long[]> base =
                    new TokenGenerator(model).generate(RandomT5.prompts(), beams(3).build());
            try (LoraModel lora = LoraModel.attach(model, adapter)) {
                TokenGenerator generator = new TokenGenerator(lora.getModel());
                List<long[]> adapted = generator.generate(RandomT5.prompts(), beams(3).build());
                assertThat(adapted.get(0)).isNotEqualTo(base.get(0));
                lora.setEnabled(false);
                assertThat(generator.generate(RandomT5.prompts(), beams(3).build()))
                        .containsExactlyElementsOf(base);
            }
        }
    }

    @Test
    void generate_leavesNothingBehind() throws Exception {
        try (ZooModel<NDList, NDList> model = t5("v1.0")) {
            TokenGenerator generator = new TokenGenerator(model);
            generator.generate(RandomT5.prompts(), beams(3).build());
            int before = model.getNDManager().getManagedArrays().size();
            generator.generate(RandomT5.prompts(), beams(3).build());
            assertThat(model.getNDManager().getManagedArrays()).hasSize(before);
        }
    }

    @Test
    void build_contradiction_isNamed() {
        assertThatThrownBy(() -> beams(4).optTemperature(0.7f).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("4 beams")
                .hasMessageContaining("temperature");
        assertThatThrownBy(() -> GenerationConfig.builder().optLengthPenalty(2).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("lengthPenalty 2.0");
        assertThatThrownBy(() -> beams(0).build()).hasMessageContaining("beams");
        assertThatThrownBy(() -> beams(2).optLengthPenalty(Double.NaN).build())
                .hasMessageContaining("lengthPenalty");
    }
}

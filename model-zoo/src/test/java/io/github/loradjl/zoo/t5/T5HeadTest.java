package io.github.loradjl.zoo.t5;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;

import com.google.gson.JsonObject;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;

/** Heads of every kind, tied or not and scaled or not, against what transformers reads. */
class T5HeadTest {

    private static final String SHARED = "shared.weight";

    @TempDir private Path folder;

    private float[] loadLogits() throws Exception {
        try (ZooModel<NDList, NDList> model = RandomT5.load(folder)) {
            return RandomT5.logits(model);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "own head of T5 v1.0",
                "own head, said to be tied",
                "own head, scaled",
                "own head, tied, not scaled",
                "tied, said not to be",
                "tied, not scaled",
                "tied, scaled by null",
                "tied mT5",
                "tied mT5, said to be scaled"
            })
    void load_equalsTransformers(String name) throws Exception {
        RandomT5.Expected expected = RandomT5.expected(name);
        RandomT5.write(folder, expected.config, expected.own_head);
        Path again = folder.resolve("again");
        float[] logits;
        try (ZooModel<NDList, NDList> model = RandomT5.load(folder)) {
            T5ForConditionalGeneration block = (T5ForConditionalGeneration) model.getBlock();
            assertThat(block.getConfig().isTied()).isEqualTo(!expected.own_head);
            logits = RandomT5.logits(model);
            HuggingFaceFolder.save(block, again, null, DataType.FLOAT32);
        }
        // Rounding of float32; a wrong head or scale changes the first digits.
        assertThat(logits).containsExactly(expected.logits, within(1e-4f));
        try (ZooModel<NDList, NDList> model = RandomT5.load(again)) {
            assertThat(RandomT5.logits(model)).as("saved and loaded").isEqualTo(logits);
        }
        Files.writeString(folder.resolve("config.json"), expected.saved.toString());
        assertThat(loadLogits()).as("as transformers saves it").isEqualTo(logits);
    }

    @ParameterizedTest
    @ValueSource(strings = {"v1.0", "v1.1", "mt5", "byt5"})
    void load_configurationSavedByTransformers_meansTheSame(String name) throws Exception {
        RandomT5.Expected expected = RandomT5.expected(name);
        RandomT5.write(folder, expected.config);
        float[] logits = loadLogits();
        Files.writeString(folder.resolve("config.json"), expected.saved.toString());
        assertThat(loadLogits()).isEqualTo(logits);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "lm_head.weight",
                "encoder.embed_tokens.weight",
                "decoder.embed_tokens.weight"
            })
    void load_tokenVectorsStoredInAnotherPlace_areFound(String place) throws Exception {
        JsonObject config = RandomT5.expected("v1.0").config;
        RandomT5.write(folder, config);
        float[] logits = loadLogits();
        change(config, weights -> weights.put(place, weights.get(SHARED)));
        assertThat(loadLogits()).as("a copy").isEqualTo(logits);
        change(config, weights -> weights.put(place, weights.remove(SHARED)));
        assertThat(loadLogits()).as("nowhere else").isEqualTo(logits);
    }

    @ParameterizedTest
    @ValueSource(strings = {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight"})
    void load_ownHeadAndTokenVectorsStoredInAnotherPlace_areFound(String place) throws Exception {
        RandomT5.Expected expected = RandomT5.expected("v1.1");
        RandomT5.write(folder, expected.config, true);
        change(expected.config, true, weights -> weights.put(place, weights.get(SHARED)));
        assertThat(loadLogits()).as("a copy").containsExactly(expected.logits, within(1e-4f));
        change(expected.config, true, weights -> weights.put(place, weights.remove(SHARED)));
        assertThat(loadLogits()).as("no other").containsExactly(expected.logits, within(1e-4f));
    }

    @Test
    void load_encoderWithTokenVectorsOfItsOwn_isRefused() throws Exception {
        JsonObject config = RandomT5.expected("v1.0").config;
        RandomT5.write(folder, config);
        String own = "encoder.embed_tokens.weight";
        change(config, weights -> weights.put(own, weights.get(SHARED).add(1)));
        assertThatThrownBy(() -> RandomT5.load(folder))
                .isInstanceOf(MalformedModelException.class)
                .hasMessageContaining("not expected: " + own);
    }

    /** Rewrites the weights of a tied model after a change. */
    private void change(JsonObject config, Consumer<Map<String, NDArray>> change) throws Exception {
        change(config, false, change);
    }

    private void change(JsonObject config, boolean ownHead, Consumer<Map<String, NDArray>> change)
            throws Exception {
        try (NDManager manager = NDManager.newBaseManager()) {
            T5Config parsed = T5Config.parse(config.toString());
            Map<String, NDArray> weights = RandomT5.weights(manager, parsed, ownHead);
            change.accept(weights);
            RandomT5.write(folder, weights);
        }
    }
}

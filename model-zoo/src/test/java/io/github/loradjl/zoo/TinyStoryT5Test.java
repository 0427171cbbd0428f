package io.github.loradjl.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.ParameterStore;

import com.google.gson.Gson;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.t5.T5ForConditionalGeneration;
import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TextGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * What transformers computes with the shipped folder is in {@code tiny_story_t5.json}, made by
 * {@code tiny_story_t5.py} beside it.
 */
class TinyStoryT5Test {

    /** What transformers gives for a text with gaps and what was left out. */
    private record Golden(
            String input,
            String target,
            long[] input_ids,
            long[] labels,
            double loss,
            String written) {}

    private Golden golden;
    private TextTokenizer tokenizer;
    private ZooModel<NDList, NDList> model;

    @BeforeEach
    void load() throws Exception {
        try (Reader reader =
                new InputStreamReader(
                        TinyStoryT5Test.class.getResourceAsStream("tiny_story_t5.json"),
                        StandardCharsets.UTF_8)) {
            golden = new Gson().fromJson(reader, Golden.class);
        }
        Path folder = TinyStoryT5.folder();
        tokenizer = TextTokenizer.load(folder);
        model = HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
    }

    @AfterEach
    void close() {
        model.close();
        tokenizer.close();
    }

    @Test
    void folder_loaded_isASmallT5WithItsTokenizer() {
        T5ForConditionalGeneration t5 = (T5ForConditionalGeneration) model.getBlock();
        assertThat(t5.getConfig().getVocabularySize())
                .isEqualTo((int) tokenizer.getVocabularySize());
        assertThat(t5.getEndTokens()).containsExactly(tokenizer.getEosId().getAsLong());
        assertThat(tokenizer.getId("<extra_id_0>")).hasValue(tokenizer.getVocabularySize() - 1);
        long parameters =
                t5.getParameters().values().stream()
                        .mapToLong(parameter -> parameter.getArray().size())
                        .sum();
        assertThat(parameters).isBetween(1_000_000L, 3_000_000L);
    }

    @Test
    void tokenizer_isThatOfTransformers() {
        assertThat(tokenizer.encode(golden.input())).isEqualTo(golden.input_ids());
        assertThat(tokenizer.encode(golden.target())).isEqualTo(golden.labels());
    }

    @Test
    void loss_isThatOfTransformers() {
        try (NDManager scratch = model.getNDManager().newSubManager()) {
            NDArray ids = scratch.create(new long[][] {golden.input_ids()});
            NDArray labels = scratch.create(new long[][] {golden.labels()});
            float loss =
                    ((T5ForConditionalGeneration) model.getBlock())
                            .evaluateLoss(
                                    new ParameterStore(scratch, false),
                                    new NDList(ids, ids.onesLike()),
                                    new NDList(labels))
                            .getFloat();
            // Some hundreds of float32 operations in a row, each rounding by 6e-8 of its size.
            assertThat((double) loss).isCloseTo(golden.loss(), within(1e-4));
        }
    }

    @Test
    void greedyText_isThatOfTransformers() {
        GenerationConfig greedy = GenerationConfig.builder().optMaxNewTokens(40).build();
        assertThat(new TextGenerator(model, tokenizer).generate(golden.input(), greedy))
                .isEqualTo(golden.written());
    }
}

package io.github.loradjl.examples.pretrain;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.loradjl.zoo.TinyStoryLlama;
import io.github.loradjl.zoo.TinyStoryT5;
import io.github.loradjl.zoo.block.LanguageModel;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.text.TextTokenizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

class ShippedModelIT {

    // What the cards say, of other stories: 256 of them, whose mean is good to some hundredths.
    private static final double LLAMA_CARD = 0.43;
    private static final double T5_CARD = 0.84;

    @TempDir private Path folder;

    @Test
    void shippedLlama_newStories_reachesTheLossOfItsCard() throws Exception {
        assertThat(lossOfNewStories(SmallModel.llama(), TinyStoryLlama.folder()))
                .isLessThan(LLAMA_CARD + 0.05);
    }

    @Test
    void shippedT5_newStories_reachesTheLossOfItsCard() throws Exception {
        assertThat(lossOfNewStories(SmallModel.t5(), TinyStoryT5.folder()))
                .isLessThan(T5_CARD + 0.05);
    }

    private static double lossOfNewStories(SmallModel small, Path shipped) throws Exception {
        try (TextTokenizer tokenizer = TextTokenizer.load(shipped);
                ZooModel<NDList, NDList> model =
                        HuggingFaceFolder.load(shipped, Device.cpu(), DataType.FLOAT32)) {
            return Pretraining.loss(
                    (LanguageModel) model.getBlock(), new StoryBatches(small, tokenizer, 32, 4711));
        }
    }

    static Stream<Arguments> models() throws IOException {
        return Stream.of(
                Arguments.of(SmallModel.llama(), TinyStoryLlama.folder()),
                Arguments.of(SmallModel.t5(), TinyStoryT5.folder()));
    }

    @ParameterizedTest
    @MethodSource("models")
    void pretrain_fewSteps_writesAFolderThatLoadsAndRepeats(SmallModel small, Path shipped)
            throws Exception {
        Pretraining.Settings settings =
                new Pretraining.Settings(small, 3, 2, small.defaultRate() / 3, 5);
        List<Double> losses = new ArrayList<>();
        double heldOut = run("first", settings, losses);
        assertThat(losses).hasSize(3);
        // An untrained model knows nothing: about ln(vocabulary), 6.64 and 6.80 nats, and for a T5,
        // whose logits start with a variance of one, half a nat more. Three steps change little.
        assertThat(losses.get(0)).isBetween(6.4, 7.8);
        assertThat(heldOut).isLessThan(losses.get(0));
        run("second", settings, new ArrayList<>());
        assertThat(bytes("second", "model.safetensors"))
                .isEqualTo(bytes("first", "model.safetensors"));
        try (ZooModel<NDList, NDList> model =
                HuggingFaceFolder.load(folder.resolve("first"), Device.cpu(), DataType.FLOAT32)) {
            assertThat(model.getBlock()).isInstanceOf(small.newBlock().getClass());
        }
        assertThat(config(folder.resolve("first"))).isEqualTo(config(shipped));
    }

    @ParameterizedTest
    @MethodSource("models")
    void pretrain_seedOfTheShippedModel_makesItsTokenizer(SmallModel small, Path shipped)
            throws Exception {
        run("again", new Pretraining.Settings(small, 1, 1, 1e-3, 1), new ArrayList<>());
        for (String file :
                List.of("tokenizer.json", "tokenizer_config.json", "generation_config.json")) {
            assertThat(bytes("again", file)).isEqualTo(Files.readAllBytes(shipped.resolve(file)));
        }
    }

    private double run(String name, Pretraining.Settings settings, List<Double> losses)
            throws IOException {
        return Pretraining.run(
                Files.createDirectory(folder.resolve(name)),
                settings,
                (step, loss, rate, speed) -> losses.add(loss));
    }

    private byte[] bytes(String name, String file) throws IOException {
        return Files.readAllBytes(folder.resolve(name).resolve(file));
    }

    private static JsonObject config(Path model) throws IOException {
        String text = Files.readString(model.resolve("config.json"));
        return JsonParser.parseString(text).getAsJsonObject();
    }
}

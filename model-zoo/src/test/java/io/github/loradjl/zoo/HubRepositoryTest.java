package io.github.loradjl.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.repository.Repository;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.DefaultTrainingConfig;

import io.github.loradjl.LoraModel;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.hub.HubClient;
import io.github.loradjl.zoo.hub.HubId;
import io.github.loradjl.zoo.hub.HubStandIn;
import io.github.loradjl.zoo.llama.LlamaForCausalLM;
import io.github.loradjl.zoo.text.CausalLmLoss;
import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TextGenerator;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** DJL's own Criteria with hf:// URLs. */
class HubRepositoryTest {

    private static final String URL = "hf://someone/small";
    private static final String PROMPT = "Once upon a time";
    private static final List<String> PROPERTIES =
            List.of("HF_ENDPOINT", "HF_HUB_CACHE", "lora.hub.offline");

    @TempDir private static Path trained;
    private static TrainedAdapter adapter;

    @TempDir private Path cache;
    private HubStandIn hub;

    @BeforeAll
    static void train() throws Exception {
        adapter = TrainedAdapter.train(trained.resolve("ga"), LoraInit.loraGa(), 4);
    }

    @BeforeEach
    void pointToTheStandIn() throws IOException {
        hub = new HubStandIn();
        System.setProperty("HF_ENDPOINT", hub.endpoint());
        System.setProperty("HF_HUB_CACHE", cache.toString());
        // The tests keep DJL off the network, which is not meant for the stand-in.
        System.setProperty("lora.hub.offline", "false");
    }

    @AfterEach
    void restore() {
        PROPERTIES.forEach(System::clearProperty);
        hub.close();
    }

    private static <T> Criteria.Builder<T, T> builder(Class<T> type, String url) {
        return Criteria.builder()
                .setTypes(type, type)
                .optModelUrls(url)
                .optArgument("maxNewTokens", 20);
    }

    private static <T> Criteria<T, T> criteria(Class<T> type, String url) {
        return builder(type, url).build();
    }

    private static String expected(Path folder) throws Exception {
        try (TextTokenizer tokenizer = TextTokenizer.load(folder);
                ZooModel<NDList, NDList> model =
                        Criteria.builder()
                                .setTypes(NDList.class, NDList.class)
                                .optModelZoo(HuggingFaceFolder.zoo(folder))
                                .build()
                                .loadModel()) {
            return new TextGenerator(model, tokenizer)
                    .generate(
                            PROMPT,
                            GenerationConfig.builder().optMaxNewTokens(20).build(),
                            s -> {});
        }
    }

    @Test
    void criteria_hubUrl_loadsWhatTheFolderHolds() throws Exception {
        Path folder = TinyStoryLlama.folder();
        hub.repository("someone/small").commit("main", HubStandIn.folder(folder));
        Criteria<NDList, NDList> criteria = criteria(NDList.class, URL);
        assertThat(criteria.isDownloaded()).isFalse();
        try (ZooModel<NDList, NDList> model = criteria.loadModel();
                TextTokenizer tokenizer = TextTokenizer.load(model.getModelPath())) {
            assertThat(model.getModelPath()).startsWith(cache);
            assertThat(model.getName()).isEqualTo("small");
            assertThat(model.getBlock()).isInstanceOf(LlamaForCausalLM.class);
            model.newTrainer(new DefaultTrainingConfig(new CausalLmLoss())).close();
            assertThat(model.getBlock().getParameters().values())
                    .noneMatch(parameter -> parameter.requiresGradient());
            String text =
                    new TextGenerator(model, tokenizer)
                            .generate(
                                    PROMPT,
                                    GenerationConfig.builder().optMaxNewTokens(20).build(),
                                    piece -> {});
            assertThat(text).isNotBlank().isEqualTo(expected(folder));
        }
        assertThat(criteria(NDList.class, URL).isDownloaded()).isTrue();
    }

    @Test
    void criteria_textToText_continuesAsTheFolderDoes() throws Exception {
        Path folder = TinyStoryLlama.folder();
        hub.repository("someone/small").commit("v1", HubStandIn.folder(folder));
        try (ZooModel<String, String> model =
                        criteria(String.class, URL + "@v1?dtype=float32").loadModel();
                var predictor = model.newPredictor()) {
            assertThat(predictor.predict(PROMPT)).isEqualTo(expected(folder));
        }
    }

    @Test
    void criteria_encoderDecoder_answersAsTheFolderDoes() throws Exception {
        Path folder = TinyStoryT5.folder();
        hub.repository("someone/small").commit("main", HubStandIn.folder(folder));
        try (ZooModel<String, String> model = criteria(String.class, URL).loadModel();
                var predictor = model.newPredictor()) {
            assertThat(predictor.predict(PROMPT)).isEqualTo(expected(folder));
        }
    }

    @Test
    void criteria_adapter_isLoadedFromAFolderAndFromTheHub() throws Exception {
        hub.repository("someone/small").commit("main", HubStandIn.folder(TinyStoryLlama.folder()));
        hub.repository("someone/adapter").commit("v1", HubStandIn.folder(adapter.folder()));
        for (Object named : List.of(adapter.folder(), "someone/adapter@v1")) {
            try (ZooModel<NDList, NDList> model =
                    builder(NDList.class, URL).optArgument("adapter", named).build().loadModel()) {
                assertThat(TrainedAdapter.logits(model))
                        .containsExactly(adapter.logits(), Offset.offset(1e-5f));
                assertThat(LoraModel.of(model)).isPresent();
            }
        }
        Criteria<String, String> asked =
                criteria(String.class, URL + "?adapter=" + adapter.folder());
        try (ZooModel<String, String> model = asked.loadModel();
                var predictor = model.newPredictor()) {
            assertThat(predictor.predict(PROMPT)).isNotBlank();
            assertThat(LoraModel.of(model)).isPresent();
        }
    }

    @Test
    void criteria_arguments_areThoseOfTheZoo() throws Exception {
        hub.repository("someone/small").commit("main", HubStandIn.folder(TinyStoryLlama.folder()));
        try (ZooModel<String, String> model =
                        builder(String.class, URL)
                                .optArgument("maxLength", 14)
                                .optArgument("device", Device.cpu())
                                .build()
                                .loadModel();
                var predictor = model.newPredictor()) {
            assertThat(predictor.predict("Once")).isNotBlank();
            assertThatThrownBy(() -> predictor.predict(PROMPT.repeat(5)))
                    .hasMessageContaining("maxLength 14");
        }
        assertThatIllegalArgumentException()
                .isThrownBy(
                        builder(NDList.class, URL).optArgument("device", "gpu7").build()::loadModel)
                .withMessageContaining("Criteria.optDevice");
        assertThatIllegalArgumentException()
                .isThrownBy(
                        builder(NDList.class, URL).optOption("dtype", "bfloat16").build()
                                ::loadModel)
                .withMessageContaining("Criteria.optArgument");
    }

    @Test
    void criteria_snapshotThatNamesClasses_ignoresThem() throws Exception {
        Map<String, byte[]> files = HubStandIn.folder(TinyStoryLlama.folder());
        hub.repository("someone/small").commit("main", files);
        // As another program may have left it in the same cache.
        Path snapshot = HubClient.builder().build().snapshot(HubId.parse("someone/small"), null);
        Files.writeString(
                snapshot.resolve("serving.properties"),
                "blockFactory=evil.Factory\ntranslatorFactory=evil.Factory\nengine=Rust\n");
        Files.createDirectories(snapshot.resolve("libs"));
        Files.write(snapshot.resolve("libs/evil.jar"), new byte[10]);
        try (ZooModel<String, String> model = criteria(String.class, URL).loadModel()) {
            assertThat(model.getBlock()).isInstanceOf(LlamaForCausalLM.class);
        }
    }

    @Test
    void repository_wrongName_saysHowToWriteOne() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Repository.newInstance("x", "hf://only-a-name"))
                .withMessageContaining("owner/name@revision");
    }
}

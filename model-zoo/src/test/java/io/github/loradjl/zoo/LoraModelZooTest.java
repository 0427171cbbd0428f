package io.github.loradjl.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Application;
import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.Artifact;
import ai.djl.repository.MRL;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelNotFoundException;
import ai.djl.repository.zoo.ModelZoo;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.util.Progress;

import io.github.loradjl.LoraModel;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.hub.HubStandIn;
import io.github.loradjl.zoo.text.generate.TextZooModel;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

class LoraModelZooTest {

    private static final String PROMPT = "Mira the fox had a red kite.";

    @TempDir private static Path folder;
    private static TrainedAdapter adapter;

    @BeforeAll
    static void train() throws Exception {
        adapter = TrainedAdapter.train(folder.resolve("ga"), LoraInit.loraGa(), 4);
    }

    private static Criteria.Builder<String, String> text(String artifact) {
        return Criteria.builder()
                .setTypes(String.class, String.class)
                .optGroupId(LoraModelZoo.GROUP_ID)
                .optArtifactId(artifact)
                .optArgument("maxNewTokens", 12);
    }

    private static Criteria.Builder<NDList, NDList> arrays(String artifact) {
        return Criteria.builder()
                .setTypes(NDList.class, NDList.class)
                .optGroupId(LoraModelZoo.GROUP_ID)
                .optArtifactId(artifact);
    }

    @Test
    void listModels_shippedAndKnown_areListedWithWhatIsKnownOfThem() throws IOException {
        List<MRL> listed = ModelZoo.listModels().get(Application.NLP.TEXT_GENERATION);
        Map<String, Artifact> artifacts = new TreeMap<>();
        for (MRL mrl : listed) {
            if (mrl.getGroupId().equals(LoraModelZoo.GROUP_ID)) {
                artifacts.put(mrl.getArtifactId(), mrl.listArtifacts().get(0));
            }
        }
        assertThat(artifacts)
                .containsKeys("tiny-story-llama", "tiny-story-t5", "SmolLM2-135M-Instruct")
                .containsKeys("Llama-2-7b-hf", "Mistral-7B-v0.1", "flan-t5-large");
        assertThat(artifacts.get("tiny-story-llama").getProperties())
                .containsEntry("verified", "true");
        assertThat(artifacts.get("Qwen2.5-0.5B").getProperties())
                .containsEntry("verified", "false")
                .containsEntry("hub", "Qwen/Qwen2.5-0.5B")
                .containsEntry("license", "apache-2.0")
                .doesNotContainKey("revision");
        assertThat(BaseEntry.ALL.stream().filter(BaseEntry::isVerified)).hasSize(3);
    }

    @Test
    void criteria_shippedModel_continuesTextAndBatchesAndStreams() throws Exception {
        try (ZooModel<String, String> model = text("tiny-story-llama").build().loadModel();
                Predictor<String, String> predictor = model.newPredictor()) {
            String one = predictor.predict(PROMPT);
            String other = predictor.predict("Once");
            assertThat(one).isNotBlank();
            assertThat(predictor.batchPredict(List.of(PROMPT, "Once"))).containsExactly(one, other);
            List<String> pieces = new ArrayList<>();
            assertThat(((TextZooModel) model).generate(PROMPT, pieces::add)).isEqualTo(one);
            assertThat(pieces).hasSizeGreaterThan(1);
            assertThat(String.join("", pieces)).isEqualTo(one);
        }
    }

    @Test
    void criteria_filters_selectTheModel() throws Exception {
        Criteria<String, String> criteria =
                Criteria.builder()
                        .setTypes(String.class, String.class)
                        .optGroupId(LoraModelZoo.GROUP_ID)
                        .optFilter("base", "tiny-story-t5")
                        .optFilter("task", "SEQ_2_SEQ_LM")
                        .build();
        try (ZooModel<String, String> model = criteria.loadModel()) {
            assertThat(model.getName()).isEqualTo("tiny-story-t5");
        }
        assertThatThrownBy(text("tiny-story-t5").optFilter("task", "CAUSAL_LM").build()::loadModel)
                .isInstanceOf(ModelNotFoundException.class);
    }

    @Test
    void criteria_thatNamesNothing_isLeftToOthers() {
        Criteria<String, String> anything =
                Criteria.builder()
                        .setTypes(String.class, String.class)
                        .optGroupId(LoraModelZoo.GROUP_ID)
                        .build();
        assertThatThrownBy(anything::loadModel)
                .isInstanceOf(ModelNotFoundException.class)
                .rootCause()
                .hasMessageContaining("names the artifact");
    }

    @Test
    void criteria_typeDeviceAndLength_areTaken() throws Exception {
        Criteria<NDList, NDList> criteria =
                arrays("tiny-story-llama")
                        .optArgument("dtype", DataType.BFLOAT16)
                        .optArgument("device", "cpu")
                        .build();
        try (ZooModel<NDList, NDList> model = criteria.loadModel()) {
            assertThat(model.getNDManager().getDevice()).isEqualTo(Device.cpu());
            assertThat(model.getBlock().getParameters().get(0).getValue().getArray().getDataType())
                    .isNotEqualTo(DataType.FLOAT32);
        }
        Criteria<String, String> bounded =
                text("tiny-story-llama").optArgument("maxLength", 14).build();
        assertThat(bounded.isDownloaded()).isTrue();
        assertThat(text("Llama-3.2-1B").build().isDownloaded()).isFalse();
        Criteria<String, String> apart = text("tiny-story-t5").optArgument("maxLength", 30).build();
        try (ZooModel<String, String> model = apart.loadModel();
                Predictor<String, String> predictor = model.newPredictor()) {
            // What an encoder reads is not counted with what a decoder writes.
            assertThat(predictor.predict(PROMPT)).isNotNull();
            assertThatThrownBy(() -> predictor.predict(PROMPT.repeat(9)))
                    .hasMessageContaining("maxLength 30");
        }
        try (ZooModel<String, String> model = bounded.loadModel();
                Predictor<String, String> predictor = model.newPredictor()) {
            int prompt = ((TextZooModel) model).getTokenizer().encode("Once").length;
            String answer = predictor.predict("Once");
            int tokens = ((TextZooModel) model).getTokenizer().encode(answer, false).length;
            assertThat(tokens).isLessThanOrEqualTo(14 - prompt);
            assertThatThrownBy(() -> predictor.predict(PROMPT.repeat(3)))
                    .hasMessageContaining("maxLength 14");
        }
        assertThatThrownBy(
                        arrays("tiny-story-llama").optArgument("dtype", "int4").build()::loadModel)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("float32 or bfloat16");
    }

    @Test
    void criteria_adapterFolder_computesWhatTrainingLeft() throws Exception {
        Criteria<NDList, NDList> criteria =
                arrays("tiny-story-llama").optArgument("adapter", adapter.folder()).build();
        try (ZooModel<NDList, NDList> model = criteria.loadModel()) {
            assertThat(TrainedAdapter.logits(model)).containsExactly(adapter.logits(), close());
            assertThat(LoraModel.of(model).orElseThrow().getActive()).containsExactly("default");
        }
        Criteria<NDList, NDList> folderZoo =
                Criteria.builder()
                        .setTypes(NDList.class, NDList.class)
                        .optModelZoo(HuggingFaceFolder.zoo(TinyStoryLlama.folder()))
                        .optArgument("adapter", adapter.folder().toString())
                        .build();
        try (ZooModel<NDList, NDList> model = folderZoo.loadModel()) {
            assertThat(TrainedAdapter.logits(model)).containsExactly(adapter.logits(), close());
        }
    }

    @Test
    void criteria_severalAdapters_areWeighted() throws Exception {
        Path other = TrainedAdapter.train(folder.resolve("b"), LoraInit.randomB(), 2).folder();
        float[] base = logits(Map.of());
        float[] both = logits(Map.of(adapter.folder(), 1, other, 0));
        // Products of another shape round in other ways.
        assertThat(both).containsExactly(adapter.logits(), Offset.offset(1e-4f));
        assertThat(logits(Map.of(adapter.folder(), 0.0))).containsExactly(base, close());
        assertThat(logits(Map.of(adapter.folder(), 0.5, other.toString(), 0.5)))
                .isNotEqualTo(base)
                .isNotEqualTo(adapter.logits());
        assertThat(logits(List.of(adapter.folder(), other))).isNotEqualTo(both);
    }

    private static Offset<Float> close() {
        return Offset.offset(1e-5f);
    }

    private static float[] logits(Object argument) throws Exception {
        Criteria<NDList, NDList> criteria =
                arrays("tiny-story-llama").optArgument("adapter", argument).build();
        try (ZooModel<NDList, NDList> model = criteria.loadModel()) {
            return TrainedAdapter.logits(model);
        }
    }

    @Test
    void criteria_wrongAdapters_areErrorsThatSayWhatToDo() {
        assertThatThrownBy(() -> logits("no/such/folder"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no/such/folder")
                .hasMessageContaining("addRepository");
        assertThatThrownBy(() -> logits(3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("argument adapter");
        assertThatThrownBy(() -> logits(Map.of(adapter.folder(), "much")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("much");
        assertThatThrownBy(
                        arrays("tiny-story-t5").optArgument("adapter", adapter.folder()).build()
                                ::loadModel)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("another model");
    }

    @Test
    void criteria_modelOnTheHub_isFetchedOnceWithProgress() throws Exception {
        String id = "HuggingFaceTB/SmolLM2-135M-Instruct";
        Map<String, String> properties =
                Map.of(
                        "HF_HUB_CACHE",
                        folder.resolve("hub").toString(),
                        "lora.hub.offline",
                        "false");
        properties.forEach(System::setProperty);
        try (HubStandIn hub = new HubStandIn()) {
            System.setProperty("HF_ENDPOINT", hub.endpoint());
            assertThatThrownBy(arrays("Llama-3.2-1B").build()::loadModel)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("meta-llama/Llama-3.2-1B");
            hub.repository(id).commit("main", HubStandIn.folder(TinyStoryLlama.folder()));
            hub.repository("someone/adapter").commit("main", HubStandIn.folder(adapter.folder()));
            List<String> told = new ArrayList<>();
            Criteria<NDList, NDList> criteria =
                    arrays("SmolLM2-135M-Instruct")
                            .optArgument("adapter", "someone/adapter")
                            .optProgress(new Told(told))
                            .build();
            assertThat(criteria.isDownloaded()).isFalse();
            try (ZooModel<NDList, NDList> model = criteria.loadModel()) {
                assertThat(TrainedAdapter.logits(model)).containsExactly(adapter.logits(), close());
            }
            assertThat(told).contains("Downloading " + id, "Downloading someone/adapter");
            assertThat(criteria.isDownloaded()).isTrue();
        } finally {
            System.clearProperty("HF_ENDPOINT");
            properties.keySet().forEach(System::clearProperty);
        }
    }

    /** Keeps what a progress is told of. */
    private record Told(List<String> messages) implements Progress {

        @Override
        public void reset(String message, long max, String trailingMessage) {
            messages.add(message);
        }

        @Override
        public void start(long initialProgress) {}

        @Override
        public void end() {}

        @Override
        public void increment(long increment) {}

        @Override
        public void update(long progress, String message) {}
    }
}

package io.github.loradjl.zoo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.ParameterStore;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.safetensors.SafetensorsFile;
import io.github.loradjl.safetensors.SafetensorsWriter;
import io.github.loradjl.safetensors.TensorInfo;
import io.github.loradjl.zoo.llama.LlamaConfig;
import io.github.loradjl.zoo.llama.LlamaForCausalLM;
import io.github.loradjl.zoo.t5.RandomT5;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

class MergedCheckpointTest {

    @TempDir private Path root;

    @Test
    void write_float32_computesWhatTheAdaptedModelDoes() throws Exception {
        Path base = base(DataType.FLOAT32);
        Path merged = Files.createDirectory(root.resolve("merged"));
        float[] expected;
        try (ZooModel<NDList, NDList> model = load(base);
                LoraModel lora = LoraModel.attach(model, config())) {
            disturb(lora, 0.1f);
            expected = logits(model);
            MergedCheckpoint.write(base, lora, LoraModel.DEFAULT_ADAPTER, merged);
        }
        try (ZooModel<NDList, NDList> model = load(merged)) {
            float[] actual = logits(model);
            for (int i = 0; i < expected.length; i++) {
                // Two products against one, in float32, on logits of size 1.
                assertThat(actual[i]).isCloseTo(expected[i], within(1e-5f));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"v1.0", "v1.1"})
    void write_encoderDecoder_computesWhatTheAdaptedModelDoes(String name) throws Exception {
        Path base = root.resolve("base");
        RandomT5.write(base, RandomT5.expected(name).config);
        Path merged = Files.createDirectory(root.resolve("merged"));
        LoraConfig config = LoraConfig.builder().optRank(2).optInit(LoraInit.bothRandom()).build();
        float[] before;
        float[] expected;
        try (ZooModel<NDList, NDList> model = load(base)) {
            before = RandomT5.logits(model);
            try (LoraModel lora = LoraModel.attach(model, config)) {
                // Attention of both kinds and feed-forward, in both stacks.
                assertThat(lora.getTargets(LoraModel.DEFAULT_ADAPTER))
                        .containsKeys(
                                "encoder.block.1.layer.0.SelfAttention.q",
                                "decoder.block.1.layer.1.EncDecAttention.k",
                                "decoder.block.1.layer.2.DenseReluDense.wo");
                disturb(lora, 0.02f);
                expected = RandomT5.logits(model);
                MergedCheckpoint.write(base, lora, LoraModel.DEFAULT_ADAPTER, merged);
            }
        }
        float largest = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i] - before[i]));
        }
        assertThat(largest).as("the adapter's change").isGreaterThan(0.1f);
        try (ZooModel<NDList, NDList> model = load(merged)) {
            // Two products against one; scores that are not scaled enlarge the rounding.
            assertThat(RandomT5.logits(model)).containsExactly(expected, within(1e-4f));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "lm_head.weight, false",
        "lm_head.weight, true",
        "encoder.embed_tokens.weight, false",
        "decoder.embed_tokens.weight, false",
        "decoder.embed_tokens.weight, true"
    })
    void write_trainedTokenVectorsOfT5_areWrittenToEachOfTheirPlaces(String place, boolean moved)
            throws Exception {
        Path base = root.resolve("base");
        RandomT5.write(base, RandomT5.expected("v1.0").config);
        storeIn(base, "shared.weight", place, moved);
        compareWithTrainedVectors(base, "shared.weight", "q", RandomT5::logits);
    }

    @Test
    void write_trainedTokenVectorsOfT5WithItsOwnHead_leaveTheHead() throws Exception {
        Path base = root.resolve("base");
        RandomT5.write(base, RandomT5.expected("v1.1").config);
        compareWithTrainedVectors(base, "shared.weight", "q", RandomT5::logits);
        Path merged = root.resolve("merged").resolve("model.safetensors");
        try (NDManager manager = NDManager.newBaseManager();
                SafetensorsFile before = SafetensorsFile.open(base.resolve("model.safetensors"));
                SafetensorsFile after = SafetensorsFile.open(merged)) {
            assertThat(after.read(manager, "lm_head.weight"))
                    .isEqualTo(before.read(manager, "lm_head.weight"));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void write_trainedTokenVectorsOfTiedLlama_areWrittenToEachOfTheirPlaces(boolean moved)
            throws Exception {
        Path base = base(DataType.FLOAT32);
        storeIn(base, "model.embed_tokens.weight", "lm_head.weight", moved);
        compareWithTrainedVectors(
                base, "model.embed_tokens.weight", "q_proj", MergedCheckpointTest::logits);
    }

    /** Stores a tied weight once more, or only there. */
    private static void storeIn(Path folder, String name, String place, boolean moved)
            throws IOException {
        Path path = folder.resolve("model.safetensors");
        try (NDManager manager = NDManager.newBaseManager()) {
            Map<String, NDArray> weights = new TreeMap<>();
            try (SafetensorsFile file = SafetensorsFile.open(path)) {
                for (String each : file.names()) {
                    weights.put(each, file.read(manager, each).duplicate());
                }
            }
            weights.put(place, moved ? weights.remove(name) : weights.get(name));
            Files.delete(path);
            SafetensorsWriter.write(path, weights, SafetensorsWriter.PYTORCH);
        }
    }

    /** Trains token vectors beside an adapter, merges both, and compares logits. */
    private void compareWithTrainedVectors(
            Path base, String vectors, String target, Function<ZooModel<NDList, NDList>, float[]> f)
            throws Exception {
        Path merged = Files.createDirectory(root.resolve("merged"));
        String module = vectors.substring(0, vectors.length() - ".weight".length());
        LoraConfig config =
                config().toBuilder().optTargetModules(target).optModulesToSave(module).build();
        float[] expected;
        try (ZooModel<NDList, NDList> model = load(base)) {
            float[] before = f.apply(model);
            try (LoraModel lora = LoraModel.attach(model, config)) {
                disturb(lora, 0.02f);
                float[] adapted = f.apply(model);
                assertThat(adapted).isNotEqualTo(before);
                NDArray copy =
                        lora.getPrivateCopies(LoraModel.DEFAULT_ADAPTER).getCopies().get(vectors);
                copy.muli(1.5f).addi(0.1f);
                expected = f.apply(model);
                float largest = 0;
                for (int i = 0; i < expected.length; i++) {
                    largest = Math.max(largest, Math.abs(expected[i] - adapted[i]));
                }
                assertThat(largest).as("the change of the vectors").isGreaterThan(0.1f);
                MergedCheckpoint.write(base, lora, LoraModel.DEFAULT_ADAPTER, merged);
            }
        }
        try (ZooModel<NDList, NDList> model = load(merged)) {
            assertThat(f.apply(model)).containsExactly(expected, within(1e-4f));
        }
    }

    @Test
    void write_privateCopies_leaveNoArraysBehind() throws Exception {
        Path base = base(DataType.FLOAT32);
        LoraConfig config = config().toBuilder().optModulesToSave("model.norm").build();
        try (ZooModel<NDList, NDList> model = load(base);
                LoraModel lora = LoraModel.attach(model, config)) {
            NDManager owner =
                    lora.getPrivateCopies(LoraModel.DEFAULT_ADAPTER)
                            .getCopies()
                            .get("model.norm.weight")
                            .getManager();
            int before = owner.getManagedArrays().size();
            Path merged = Files.createDirectory(root.resolve("merged"));
            MergedCheckpoint.write(base, lora, LoraModel.DEFAULT_ADAPTER, merged);
            assertThat(owner.getManagedArrays()).hasSize(before);
        }
    }

    @Test
    void write_bfloat16_changesOnlyTheTargetsAndKeepsTheirType() throws Exception {
        Path base = base(DataType.BFLOAT16);
        Path merged = Files.createDirectory(root.resolve("merged"));
        Files.writeString(base.resolve("tokenizer.json"), "{}");
        Files.writeString(base.resolve("pytorch_model.bin"), "stale");
        try (ZooModel<NDList, NDList> model = load(base);
                LoraModel lora = LoraModel.attach(model, config())) {
            disturb(lora, 0.1f);
            MergedCheckpoint.write(base, lora, LoraModel.DEFAULT_ADAPTER, merged);
        }
        assertThat(merged.resolve("tokenizer.json")).exists();
        assertThat(merged.resolve("pytorch_model.bin")).doesNotExist();
        Path before = base.resolve("model.safetensors");
        Path after = merged.resolve("model.safetensors");
        byte[] old = Files.readAllBytes(before);
        byte[] fresh = Files.readAllBytes(after);
        assertThat(fresh).hasSameSizeAs(old);
        try (SafetensorsFile file = SafetensorsFile.open(after)) {
            for (String name : file.names()) {
                TensorInfo info = file.info(name);
                assertThat(info.dtype()).isEqualTo("BF16");
                int from = (int) info.position();
                int to = from + (int) info.length();
                boolean same = Arrays.equals(old, from, to, fresh, from, to);
                assertThat(same).as(name).isEqualTo(!name.endsWith("q_proj.weight"));
            }
        }
    }

    @Test
    void write_notANumber_isRefused() throws Exception {
        Path base = base(DataType.FLOAT32);
        Path merged = Files.createDirectory(root.resolve("merged"));
        try (ZooModel<NDList, NDList> model = load(base);
                LoraModel lora = LoraModel.attach(model, config())) {
            LoraLinear layer =
                    lora.getTargets(LoraModel.DEFAULT_ADAPTER).values().iterator().next();
            NDArray b = layer.get(LoraModel.DEFAULT_ADAPTER).getB();
            layer.get(LoraModel.DEFAULT_ADAPTER)
                    .set(
                            layer.get(LoraModel.DEFAULT_ADAPTER).getA().duplicate(),
                            b.zerosLike().add(Float.NaN));
            assertThatThrownBy(
                            () ->
                                    MergedCheckpoint.write(
                                            base, lora, LoraModel.DEFAULT_ADAPTER, merged))
                    .isInstanceOf(ArithmeticException.class)
                    .hasMessageContaining(layer.getPath());
        }
        assertThat(merged).isEmptyDirectory();
    }

    @Test
    void write_pendingStartOrAnotherFolder_isRefusedBeforeAnythingIsWritten() throws Exception {
        Path base = base(DataType.FLOAT32);
        Path merged = Files.createDirectory(root.resolve("merged"));
        Path other = Files.createDirectory(root.resolve("other"));
        try (NDManager manager = NDManager.newBaseManager()) {
            SafetensorsWriter.write(
                    other.resolve("model.safetensors"),
                    Map.of("lm_head.weight", manager.ones(new Shape(2, 2))),
                    SafetensorsWriter.PYTORCH);
        }
        try (ZooModel<NDList, NDList> model = load(base);
                LoraModel lora = LoraModel.attach(model, config())) {
            assertThatThrownBy(
                            () ->
                                    MergedCheckpoint.write(
                                            other, lora, LoraModel.DEFAULT_ADAPTER, merged))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("model.layers.0.self_attn.q_proj.weight");
            LoraConfig pending = config().toBuilder().optInit(LoraInit.loraGa()).build();
            lora.addAdapter("pending", pending);
            assertThatThrownBy(() -> MergedCheckpoint.write(base, lora, "pending", merged))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("waits for its start");
        }
        assertThat(merged).isEmptyDirectory();
    }

    private static LoraConfig config() {
        return LoraConfig.builder()
                .optRank(2)
                .optTargetModules("q_proj")
                .optInit(LoraInit.bothRandom())
                .build();
    }

    /** Moves the factors away from their start, whose product is subtracted. */
    private static void disturb(LoraModel lora, float shift) {
        for (LoraLinear layer : lora.getTargets(LoraModel.DEFAULT_ADAPTER).values()) {
            var update = layer.get(LoraModel.DEFAULT_ADAPTER);
            update.set(update.getA().mul(2f), update.getB().add(shift));
        }
    }

    private static ZooModel<NDList, NDList> load(Path folder) throws Exception {
        return HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
    }

    private static float[] logits(ZooModel<NDList, NDList> model) {
        try (NDManager manager = model.getNDManager().newSubManager()) {
            NDArray ids = manager.create(new long[] {1, 2, 3, 4, 5}, new Shape(1, 5));
            return model.getBlock()
                    .forward(new ParameterStore(manager, false), new NDList(ids), false)
                    .singletonOrThrow()
                    .toFloatArray();
        }
    }

    private Path base(DataType stored) throws IOException {
        LlamaConfig config =
                LlamaConfig.parse(
                        "{\"model_type\":\"llama\",\"vocab_size\":16,\"hidden_size\":16,"
                                + "\"intermediate_size\":24,\"num_hidden_layers\":2,"
                                + "\"num_attention_heads\":2,\"num_key_value_heads\":1,"
                                + "\"max_position_embeddings\":32,\"rms_norm_eps\":1e-5,"
                                + "\"initializer_range\":0.2,\"tie_word_embeddings\":true}");
        Path folder = root.resolve("base");
        try (Model model = Model.newInstance("base", Device.cpu(), "PyTorch")) {
            model.getNDManager().getEngine().setRandomSeed(3);
            LlamaForCausalLM block = new LlamaForCausalLM(config);
            block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 1));
            model.setBlock(block);
            HuggingFaceFolder.save(block, folder, null, stored);
        }
        return folder;
    }
}

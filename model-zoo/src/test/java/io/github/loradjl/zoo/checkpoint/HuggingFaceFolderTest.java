package io.github.loradjl.zoo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelNotFoundException;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.ParameterStore;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.loradjl.safetensors.Safetensors;
import io.github.loradjl.safetensors.SafetensorsWriter;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.llama.FormulaCheckpoint;
import io.github.loradjl.zoo.llama.LlamaConfig;
import io.github.loradjl.zoo.llama.LlamaForCausalLM;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

class HuggingFaceFolderTest {

    private static final String Q_PROJ = "model.layers.1.self_attn.q_proj.weight";

    @TempDir private Path folder;

    private final JsonObject config =
            JsonParser.parseString(
                            "{'model_type':'llama','vocab_size':40,'hidden_size':32,"
                                    + "'intermediate_size':48,'num_hidden_layers':2,"
                                    + "'num_attention_heads':4,'max_position_embeddings':64,"
                                    + "'tie_word_embeddings':true,'eos_token_id':2}")
                    .getAsJsonObject();

    @BeforeEach
    void write() throws IOException {
        FormulaCheckpoint.write(folder, config);
    }

    private ZooModel<NDList, NDList> load(DataType type) throws Exception {
        return HuggingFaceFolder.load(folder, Device.cpu(), type);
    }

    private static float[] logits(ZooModel<NDList, NDList> model) {
        try (NDManager manager = model.getNDManager().newSubManager()) {
            NDList ids = new NDList(manager.create(new long[][] {{3, 1, 4, 1, 5}}));
            ParameterStore store = new ParameterStore(manager, false);
            NDArray logits = model.getBlock().forward(store, ids, false).singletonOrThrow();
            return TorchOps.toFloat32(logits).toFloatArray();
        }
    }

    /** Rewrites the weights after a change. */
    private void change(ThrowingChange change) throws IOException {
        try (NDManager manager = NDManager.newBaseManager()) {
            Map<String, NDArray> weights =
                    FormulaCheckpoint.weights(manager, LlamaConfig.parse(config.toString()));
            change.apply(weights, manager);
            SafetensorsWriter.write(
                    folder.resolve("model.safetensors"), weights, SafetensorsWriter.PYTORCH);
        }
    }

    /** A change of a checkpoint's tensors. */
    private interface ThrowingChange {
        void apply(Map<String, NDArray> weights, NDManager manager) throws IOException;
    }

    @Test
    void zoo_withCriteria_predicts() throws Exception {
        Criteria<NDList, NDList> criteria =
                Criteria.builder()
                        .setTypes(NDList.class, NDList.class)
                        .optModelZoo(HuggingFaceFolder.zoo(folder))
                        .optDevice(Device.cpu())
                        .build();
        try (ZooModel<NDList, NDList> model = criteria.loadModel();
                Predictor<NDList, NDList> predictor = model.newPredictor();
                NDManager manager = model.getNDManager().newSubManager()) {
            NDArray ids = manager.create(new long[][] {{3, 1, 4, 1, 5}});
            NDList output = predictor.predict(new NDList(ids));
            assertThat(output.singletonOrThrow().toFloatArray()).isEqualTo(logits(model));
            assertThat(model.getModelPath()).isEqualTo(folder);
            assertThat(model.getName()).isEqualTo(folder.getFileName().toString());
        }
    }

    @Test
    void zoo_dtypeOption_choosesTheType() throws Exception {
        Criteria.Builder<NDList, NDList> criteria =
                Criteria.builder()
                        .setTypes(NDList.class, NDList.class)
                        .optModelZoo(HuggingFaceFolder.zoo(folder))
                        .optDevice(Device.cpu());
        try (ZooModel<NDList, NDList> model =
                criteria.optOption("dtype", "bfloat16").build().loadModel()) {
            NDArray weight = model.getBlock().getParameters().valueAt(0).getArray();
            assertThat(TorchOps.elementSize(weight)).isEqualTo(2);
        }
        Criteria<NDList, NDList> wrong = criteria.optOption("dtype", "int4").build();
        assertThatThrownBy(wrong::loadModel)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("int4");
    }

    @Test
    void zoo_typesWithoutTranslator_areRefused() {
        Criteria<Integer, Integer> criteria =
                Criteria.builder()
                        .setTypes(Integer.class, Integer.class)
                        .optModelZoo(HuggingFaceFolder.zoo(folder))
                        .build();
        assertThatThrownBy(criteria::loadModel)
                .isInstanceOf(ModelNotFoundException.class)
                .cause()
                .hasMessageContaining("Integer");
    }

    @Test
    void load_isFrozen_unlessTrainParam() throws Exception {
        try (ZooModel<NDList, NDList> model = load(DataType.FLOAT32)) {
            assertThat(model.getBlock().getParameters().values())
                    .noneMatch(Parameter::requiresGradient);
        }
        Criteria<NDList, NDList> criteria =
                Criteria.builder()
                        .setTypes(NDList.class, NDList.class)
                        .optModelZoo(HuggingFaceFolder.zoo(folder))
                        .optDevice(Device.cpu())
                        .optOption("trainParam", "true")
                        .build();
        try (ZooModel<NDList, NDList> model = criteria.loadModel()) {
            Parameter parameter = model.getBlock().getParameters().valueAt(0);
            assertThat(parameter.requiresGradient()).isTrue();
            // Writing to a map of the file would end the process.
            parameter.getArray().stopGradient().addi(1);
        }
    }

    @Test
    void load_missingTensor_isNamed() throws Exception {
        change((weights, manager) -> weights.remove(Q_PROJ));
        assertThatThrownBy(() -> load(DataType.FLOAT32))
                .isInstanceOf(MalformedModelException.class)
                .hasMessageContaining("missing: " + Q_PROJ);
    }

    @Test
    void load_unexpectedTensor_isNamed() throws Exception {
        change((weights, manager) -> weights.put("score.weight", manager.create(1f)));
        assertThatThrownBy(() -> load(DataType.FLOAT32))
                .isInstanceOf(MalformedModelException.class)
                .hasMessageContaining("not expected: score.weight");
    }

    @Test
    void load_otherShape_isNamed() throws Exception {
        change((weights, manager) -> weights.put(Q_PROJ, manager.zeros(new Shape(32, 31))));
        assertThatThrownBy(() -> load(DataType.FLOAT32))
                .isInstanceOf(MalformedModelException.class)
                .hasMessageContaining(Q_PROJ + " is (32, 31), not (32, 32)");
    }

    @Test
    void load_storedTiedHead_isAcceptedIfItIsACopy() throws Exception {
        change((weights, m) -> weights.put("lm_head.weight", m.zeros(new Shape(40, 32))));
        assertThatThrownBy(() -> load(DataType.FLOAT32))
                .isInstanceOf(MalformedModelException.class)
                .hasMessageContaining("not expected: lm_head.weight");
        change(
                (weights, m) ->
                        weights.put("lm_head.weight", weights.get("model.embed_tokens.weight")));
        load(DataType.FLOAT32).close();
    }

    @Test
    void sha256_isTheDigestOfTheStoredBytes() throws Exception {
        try (ZooModel<NDList, NDList> model = load(DataType.BFLOAT16);
                Safetensors tensors = Safetensors.open(folder)) {
            LlamaForCausalLM block = (LlamaForCausalLM) model.getBlock();
            assertThat(block.sha256(Q_PROJ)).isEqualTo(tensors.sha256(Q_PROJ));
            assertThat(block.sha256("model.layers.9.mlp.up_proj.weight")).isNull();
        }
    }

    @Test
    void sha256_afterOtherWeightsWereLoaded_isUnknown() throws Exception {
        try (ZooModel<NDList, NDList> model = load(DataType.FLOAT32)) {
            LlamaForCausalLM block = (LlamaForCausalLM) model.getBlock();
            ByteArrayOutputStream stored = new ByteArrayOutputStream();
            block.saveParameters(new DataOutputStream(stored));
            assertThat(block.sha256(Q_PROJ)).isNotNull();
            block.loadParameters(
                    model.getNDManager(),
                    new DataInputStream(new ByteArrayInputStream(stored.toByteArray())));
            assertThat(block.sha256(Q_PROJ)).isNull();
        }
    }

    @Test
    void save_thenLoad_givesTheSameModel(@TempDir Path target) throws Exception {
        Files.writeString(folder.resolve("tokenizer.json"), "{}");
        Path saved = target.resolve("saved");
        try (ZooModel<NDList, NDList> model = load(DataType.FLOAT32)) {
            LlamaForCausalLM block = (LlamaForCausalLM) model.getBlock();
            HuggingFaceFolder.save(block, saved, folder, DataType.FLOAT32);
            try (ZooModel<NDList, NDList> copy =
                    HuggingFaceFolder.load(saved, Device.cpu(), DataType.FLOAT32)) {
                assertThat(logits(copy)).isEqualTo(logits(model));
            }
        }
        assertThat(saved.resolve("tokenizer.json")).exists();
        JsonObject json =
                JsonParser.parseString(Files.readString(saved.resolve("config.json")))
                        .getAsJsonObject();
        assertThat(json.get("architectures").toString()).isEqualTo("[\"LlamaForCausalLM\"]");
        assertThat(json.get("torch_dtype").getAsString()).isEqualTo("float32");
    }

    @Test
    void save_bfloat16_keepsWhatWasLoadedInBfloat16(@TempDir Path target) throws Exception {
        try (ZooModel<NDList, NDList> model = load(DataType.BFLOAT16)) {
            LlamaForCausalLM block = (LlamaForCausalLM) model.getBlock();
            HuggingFaceFolder.save(block, target, null, DataType.BFLOAT16);
            try (Safetensors tensors = Safetensors.open(target);
                    ZooModel<NDList, NDList> copy =
                            HuggingFaceFolder.load(target, Device.cpu(), DataType.BFLOAT16)) {
                assertThat(tensors.info(Q_PROJ).dtype()).isEqualTo("BF16");
                assertThat(logits(copy)).isEqualTo(logits(model));
            }
        }
    }
}

package io.github.loradjl.zoo.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.tracker.Tracker;
import ai.djl.translate.Batchifier;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraGa;
import io.github.loradjl.LoraModel;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.peft.SaveOptions;
import io.github.loradjl.safetensors.SafetensorsFile;
import io.github.loradjl.safetensors.SafetensorsWriter;
import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.training.AdamW;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.text.CausalLmLoss;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Adapters of a real checkpoint, from PEFT and for PEFT.
 *
 * <p>Every saved adapter stays in {@code target/peft-roundtrip} with the logits computed here, for
 * {@code examples/benchmarks/peft_roundtrip.py} to load in PEFT.
 */
class PeftAdapterIT {

    private static final Path OUTPUT = Path.of("target", "peft-roundtrip");

    private ZooModel<NDList, NDList> model;
    private NDManager manager;
    private NDArray ids;

    @BeforeEach
    void open() throws Exception {
        model =
                HuggingFaceFolder.load(
                        SharedRoot.require("checkpoints/stories260K"),
                        Device.cpu(),
                        DataType.FLOAT32);
        manager = model.getNDManager().newSubManager();
        ids = golden("input_ids");
    }

    @AfterEach
    void close() {
        if (model != null) {
            model.close();
        }
    }

    @Test
    void load_adapterOfPeft_givesItsLogits() throws Exception {
        try (LoraModel lora = PeftAdapter.load(model, SharedRoot.require("golden/peft-adapter"))) {
            assertThat(lora.getTargets("default")).hasSize(10);
            NDArray difference = logits().sub(golden("logits")).abs().max();
            // The tolerance that the golden values come with.
            assertThat(difference.getFloat()).isLessThan(1e-4f);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ordinary",
                "patterns",
                "norm-too",
                "pissa",
                "olora",
                "lora-ga",
                "lora-ga-portable"
            })
    void load_trainedAdapter_givesTheLogitsOfTraining(String kind) throws Exception {
        float[] base = logits().toFloatArray();
        Path folder = OUTPUT.resolve(kind);
        NDArray expected;
        try (LoraModel lora = LoraModel.attach(model, config(kind))) {
            train(lora);
            expected = logits();
            SaveOptions.Builder options = SaveOptions.builder().optTaskType("CAUSAL_LM");
            if (kind.endsWith("portable")) {
                options.optForm(SaveOptions.Form.PORTABLE);
            }
            PeftAdapter.save(lora, folder, options.build());
        }
        SafetensorsWriter.write(
                OUTPUT.resolve(kind + ".safetensors"),
                Map.of("input_ids", ids, "logits", expected),
                SafetensorsWriter.PYTORCH);
        // Training must have moved the model, or the comparison would say nothing.
        NDArray moved = manager.create(base, expected.getShape()).sub(expected).abs().max();
        assertThat(moved.getFloat()).isGreaterThan(.1f);
        try (LoraModel lora = PeftAdapter.load(model, folder)) {
            // The portable form multiplies eta into B, which rounds once more.
            float tolerance = kind.endsWith("portable") ? 1e-4f : 0;
            assertThat(logits().toFloatArray())
                    .containsExactly(expected.toFloatArray(), within(tolerance));
        }
        assertThat(logits().toFloatArray()).isEqualTo(base);
    }

    @Test
    void load_adapterOfMergedBase_isRefusedByTheCheckpoint(@TempDir Path folder) throws Exception {
        LoraConfig config = LoraConfig.builder().optInit(LoraInit.bothRandomUnsubtracted()).build();
        LoraModel.attach(model, config).mergeAndDetach();
        try (LoraModel lora = LoraModel.attach(model, LoraConfig.builder().build())) {
            PeftAdapter.save(lora, folder);
            PeftAdapter.load(lora, folder, "again");
        }
        Path base = SharedRoot.require("checkpoints/stories260K");
        try (Model fresh = HuggingFaceFolder.load(base, Device.cpu(), DataType.FLOAT32)) {
            assertThatThrownBy(() -> PeftAdapter.load(fresh, folder))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("another base");
        }
    }

    @Test
    void load_inBfloat16_knowsTheBaseByItsFile(@TempDir Path folder) throws Exception {
        Path base = SharedRoot.require("checkpoints/stories260K");
        try (LoraModel lora = LoraModel.attach(model, LoraConfig.builder().build())) {
            PeftAdapter.save(lora, folder);
        }
        try (Model narrow = HuggingFaceFolder.load(base, Device.cpu(), DataType.BFLOAT16)) {
            PeftAdapter.load(narrow, folder).close();
        }
    }

    private static LoraConfig config(String kind) {
        LoraConfig.Builder builder =
                LoraConfig.builder().optRank(4).optAlpha(8).optRankStabilized(true);
        switch (kind) {
            case "ordinary":
                return LoraConfig.builder().optRank(4).optAlpha(8).build();
            case "patterns":
                builder.optRankPattern(Map.of("q_proj", 2, "layers.1.mlp.up_proj", 6));
                return builder.optAlphaPattern(Map.of("v_proj", 3.0)).build();
            case "norm-too":
                return builder.optModulesToSave("model.norm").build();
            case "pissa":
                return builder.optInit(LoraInit.pissa()).build();
            case "olora":
                builder.optTargetModules("q_proj", "down_proj");
                builder.optRankPattern(Map.of("layers.0.self_attn.q_proj", 2));
                return builder.optInit(LoraInit.olora()).build();
            default:
                return builder.optInit(LoraInit.loraGa()).build();
        }
    }

    private void train(LoraModel lora) throws Exception {
        CausalLmLoss loss = new CausalLmLoss();
        Batch batch = batch();
        LoraGa.start(lora, loss, List.of(batch));
        DefaultTrainingConfig training =
                new DefaultTrainingConfig(loss)
                        .optDevices(new Device[] {Device.cpu()})
                        .optOptimizer(
                                AdamW.builder()
                                        .optLearningRateTracker(Tracker.fixed(5e-3f))
                                        .build());
        try (Trainer trainer = model.newTrainer(training)) {
            for (int i = 0; i < 4; i++) {
                EasyTrain.trainBatch(trainer, batch);
                trainer.step();
            }
        }
    }

    private Batch batch() {
        return new Batch(
                manager.newSubManager(),
                new NDList(ids),
                new NDList(ids),
                (int) ids.getShape().get(0),
                Batchifier.STACK,
                Batchifier.STACK,
                0,
                1);
    }

    private NDArray logits() {
        ParameterStore store = new ParameterStore(manager, false);
        NDArray result = model.getBlock().forward(store, new NDList(ids), false).head();
        result.attach(manager);
        return result;
    }

    private NDArray golden(String name) throws Exception {
        Path path = SharedRoot.require("golden/peft-adapter/golden.safetensors");
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            return file.read(manager, name);
        }
    }
}

package io.github.loradjl.zoo.t5;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
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
import io.github.loradjl.safetensors.SafetensorsWriter;
import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.training.AdamW;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.checkpoint.MergedCheckpoint;
import io.github.loradjl.zoo.text.Seq2SeqLoss;
import io.github.loradjl.zoo.text.TextTokenizer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Adapters of a pretrained T5 for PEFT, and a checkpoint with one of them merged.
 *
 * <p>All of them stay in {@code target/peft-roundtrip-t5} with the logits computed here, for {@code
 * examples/benchmarks/peft_roundtrip.py} to load in PEFT and transformers.
 */
class PeftAdapterIT {

    private static final Path OUTPUT = Path.of("target", "peft-roundtrip-t5");
    private static final String[] INPUTS = {"input_ids", "attention_mask", "decoder_input_ids"};

    private ZooModel<NDList, NDList> model;
    private NDManager manager;
    private NDList data;
    private NDList labels;
    private NDList inputs;

    @BeforeEach
    void open() throws Exception {
        Path folder = SharedRoot.require("checkpoints/tiny-t5");
        model = HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
        manager = model.getNDManager().newSubManager();
        try (TextTokenizer tokenizer = TextTokenizer.load(folder)) {
            NDArray ids =
                    rows(
                            0,
                            tokenizer.encode("Once upon a time, there was<extra_id_0> cat."),
                            tokenizer.encode(
                                    "Lily went to her mom<extra_id_0> and smiled<extra_id_1>"));
            data = new NDList(ids, ids.neq(0).toType(DataType.INT64, false));
            labels =
                    new NDList(
                            rows(
                                    Seq2SeqLoss.IGNORE_INDEX,
                                    tokenizer.encode("<extra_id_0> a little<extra_id_1>"),
                                    tokenizer.encode("<extra_id_0>.<extra_id_1> at the sun.")));
        }
        inputs = ((T5ForConditionalGeneration) model.getBlock()).withLabels(data, labels);
    }

    @AfterEach
    void close() {
        if (model != null) {
            model.close();
        }
    }

    private NDArray rows(long padding, long[]... rows) {
        int width = Arrays.stream(rows).mapToInt(row -> row.length).max().orElseThrow();
        long[] all = new long[rows.length * width];
        Arrays.fill(all, padding);
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(rows[i], 0, all, i * width, rows[i].length);
        }
        return manager.create(all, new Shape(rows.length, width));
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
            SaveOptions.Builder options = SaveOptions.builder().optTaskType("SEQ_2_SEQ_LM");
            if (kind.endsWith("portable")) {
                options.optForm(SaveOptions.Form.PORTABLE);
            }
            PeftAdapter.save(lora, folder, options.build());
        }
        write(kind, expected);
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
    void merge_givesACheckpointThatComputesTheSame() throws Exception {
        Path folder = OUTPUT.resolve("merged");
        Files.createDirectories(folder);
        NDArray expected;
        try (LoraModel lora = LoraModel.attach(model, config("lora-ga"))) {
            train(lora);
            expected = logits();
            Path base = SharedRoot.require("checkpoints/tiny-t5");
            MergedCheckpoint.write(base, lora, LoraModel.DEFAULT_ADAPTER, folder);
        }
        write("merged", expected);
        float[] wanted = expected.toFloatArray();
        try (ZooModel<NDList, NDList> merged =
                HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32)) {
            ParameterStore store = new ParameterStore(manager, false);
            float[] actual = merged.getBlock().forward(store, inputs, false).head().toFloatArray();
            // Three products against one, in float32, on logits of size 10.
            assertThat(actual).containsExactly(wanted, within(1e-4f));
        }
    }

    private static LoraConfig config(String kind) {
        LoraConfig.Builder builder =
                LoraConfig.builder().optRank(4).optAlpha(8).optRankStabilized(true);
        switch (kind) {
            case "ordinary":
                return LoraConfig.builder().optRank(4).optAlpha(8).build();
            case "patterns":
                builder.optRankPattern(
                        Map.of("q", 2, "decoder.block.1.layer.2.DenseReluDense.wi", 6));
                return builder.optAlphaPattern(Map.of("EncDecAttention.v", 3.0)).build();
            case "norm-too":
                return builder.optModulesToSave("decoder.final_layer_norm").build();
            case "pissa":
                return builder.optInit(LoraInit.pissa()).build();
            case "olora":
                builder.optTargetModules("q", "wo");
                builder.optRankPattern(Map.of("encoder.block.0.layer.0.SelfAttention.q", 2));
                return builder.optInit(LoraInit.olora()).build();
            default:
                return builder.optInit(LoraInit.loraGa()).build();
        }
    }

    private void train(LoraModel lora) throws Exception {
        Seq2SeqLoss loss = new Seq2SeqLoss();
        Batch batch =
                new Batch(
                        manager.newSubManager(),
                        data,
                        labels,
                        2,
                        Batchifier.STACK,
                        Batchifier.STACK,
                        0,
                        1);
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

    private NDArray logits() {
        ParameterStore store = new ParameterStore(manager, false);
        NDArray result = model.getBlock().forward(store, inputs, false).head();
        result.attach(manager);
        return result;
    }

    private void write(String kind, NDArray logits) throws Exception {
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        for (int i = 0; i < INPUTS.length; i++) {
            arrays.put(INPUTS[i], inputs.get(i));
        }
        arrays.put("logits", logits);
        SafetensorsWriter.write(
                OUTPUT.resolve(kind + ".safetensors"), arrays, SafetensorsWriter.PYTORCH);
    }
}

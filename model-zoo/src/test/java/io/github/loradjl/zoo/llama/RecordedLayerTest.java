package io.github.loradjl.zoo.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Parameter;
import ai.djl.repository.zoo.ZooModel;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.staged.Stage;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Training on recorded layers computes what a recorded graph of everything does. */
class RecordedLayerTest {

    @TempDir private Path folder;

    private ZooModel<NDList, NDList> small(boolean withBiases) throws Exception {
        JsonObject config =
                JsonParser.parseString(
                                """
                                {"model_type": "llama", "vocab_size": 40, "hidden_size": 32,
                                 "intermediate_size": 48, "num_hidden_layers": 3,
                                 "num_attention_heads": 4, "num_key_value_heads": 2,
                                 "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
                                 "hidden_act": "silu", "tie_word_embeddings": true,
                                 "bos_token_id": 1, "eos_token_id": 2}
                                """)
                        .getAsJsonObject();
        config.addProperty("attention_bias", withBiases);
        config.addProperty("mlp_bias", withBiases);
        FormulaCheckpoint.write(folder, config);
        return HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
    }

    private static NDList[] batch(NDManager manager, boolean padded) {
        long[][] ids = new long[3][9];
        long[][] mask = new long[3][9];
        long[][] labels = new long[3][9];
        for (int row = 0; row < 3; row++) {
            for (int t = 0; t < 9; t++) {
                // Padding on the right, on the left, and a hole.
                boolean isToken = !padded || (row == 0 ? t < 5 : row == 1 ? t >= 3 : t != 4);
                ids[row][t] = (7L * t * t + 3L * t + 11L * row) % 40;
                mask[row][t] = isToken ? 1 : 0;
                labels[row][t] = isToken && t != 3 ? ids[row][t] : TorchOps.IGNORE_INDEX;
            }
        }
        return new NDList[] {
            new NDList(manager.create(ids), manager.create(mask)),
            new NDList(manager.create(labels))
        };
    }

    private static LoraConfig config(LoraInit init, double dropout) {
        return LoraConfig.builder().optRank(4).optInit(init).optDropout(dropout).build();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"plain", "difference", "two", "biases", "merged", "frozen_A", "frozen_B"})
    void lossAndGradients_areThoseOfTheGraph(String kind) throws Exception {
        LoraInit init = "difference".equals(kind) ? LoraInit.bothRandom() : LoraInit.randomB();
        try (ZooModel<NDList, NDList> model = small("biases".equals(kind));
                LoraModel lora = LoraModel.attach(model, config(init, 0));
                NDManager manager = model.getNDManager().newSubManager()) {
            if ("two".equals(kind) || "merged".equals(kind)) {
                lora.addAdapter("second", config(LoraInit.bothRandom(), 0));
                lora.setActive("default", "second");
            }
            disturb(lora);
            if ("merged".equals(kind)) {
                lora.setActive("second");
                lora.merge();
                lora.setActive("default");
            }
            if (kind.startsWith("frozen")) {
                String factor = kind.replace("frozen", "lora");
                lora.getTrainableParameters().forEach((path, p) -> p.freeze(path.contains(factor)));
            }
            for (boolean padded : new boolean[] {false, true}) {
                NDList[] batch = batch(manager, padded);
                PackedRowsTest.Result recorded = PackedRowsTest.run(lora, batch, manager);
                lora.getBlock().setTraining(null);
                PackedRowsTest.Result plain = PackedRowsTest.run(lora, batch, manager);
                PackedRowsTest.assertEqual(recorded, plain);
            }
        }
    }

    /** Moves all factors away from their start, where many gradients are zero. */
    private static void disturb(LoraModel lora) {
        SplittableRandom random = new SplittableRandom(5);
        for (Parameter parameter : lora.getTrainableParameters().values()) {
            NDArray array = parameter.getArray();
            long size = array.getShape().size();
            try (NDManager scope = array.getManager().newSubManager();
                    NDArray noise = RandomMatrix.normal(scope, 1, size, 0.1, random)) {
                NDArray moved = array.stopGradient().add(noise.reshape(array.getShape()));
                TorchOps.copyInto(array, moved);
                moved.close();
            }
        }
    }

    @Test
    void dropout_gradientIsThatOfTheLossWithTheSameDraws() throws Exception {
        try (ZooModel<NDList, NDList> model = small(false);
                LoraModel lora = LoraModel.attach(model, config(LoraInit.bothRandom(), 0.3));
                NDManager manager = model.getNDManager().newSubManager()) {
            disturb(lora);
            NDList[] batch = batch(manager, true);
            TorchOps.seed(3);
            PackedRowsTest.Result result = PackedRowsTest.run(lora, batch, manager);
            double slope = 0;
            for (NDArray gradient : result.gradients().values()) {
                slope += TorchOps.squareSum(gradient);
            }
            // A step along the gradient: the loss changes by its squared norm.
            double step = 1e-2 / slope;
            float above = lossAlong(lora, batch, manager, result.gradients(), step);
            float below = lossAlong(lora, batch, manager, result.gradients(), -2 * step);
            // Central differences of float32 losses: 1e-2 of a loss near 4, with 7 digits.
            assertThat((above - below) / (2 * step)).isCloseTo(slope, within(1e-3 * slope));
            TorchOps.seed(4);
            assertThat(PackedRowsTest.run(lora, batch, manager).loss())
                    .isNotCloseTo(below, within(1e-5f));
        }
    }

    private static float lossAlong(
            LoraModel lora,
            NDList[] batch,
            NDManager manager,
            Map<String, NDArray> direction,
            double step) {
        lora.getTrainableParameters()
                .forEach(
                        (path, parameter) -> {
                            NDArray array = parameter.getArray();
                            try (NDArray change = direction.get(path).mul(step);
                                    NDArray plain = array.stopGradient();
                                    NDArray moved = plain.add(change)) {
                                TorchOps.copyInto(array, moved);
                            }
                        });
        TorchOps.seed(3);
        return PackedRowsTest.run(lora, batch, manager).loss();
    }

    @Test
    void layers_areRecordedUnlessTheirOwnWeightsAreTrained() throws Exception {
        try (ZooModel<NDList, NDList> model = small(false)) {
            try (LoraModel lora = LoraModel.attach(model, config(LoraInit.randomB(), 0))) {
                assertThat(layers(lora)).allMatch(Stage::isRecordable);
            }
            LoraConfig saving =
                    LoraConfig.builder()
                            .optRank(4)
                            .optInit(LoraInit.randomB())
                            .optModulesToSave("input_layernorm")
                            .build();
            try (LoraModel lora = LoraModel.attach(model, saving);
                    NDManager manager = model.getNDManager().newSubManager()) {
                assertThat(layers(lora)).noneMatch(Stage::isRecordable);
                NDList[] batch = batch(manager, true);
                assertThat(PackedRowsTest.run(lora, batch, manager).gradients().keySet())
                        .anyMatch(path -> path.contains("input_layernorm"));
            }
        }
    }

    private static List<Stage> layers(LoraModel lora) {
        List<Stage> stages = ((LlamaForCausalLM) lora.getBase()).getStages();
        return stages.subList(1, stages.size() - 1);
    }
}

package io.github.loradjl.zoo.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.gradient.GradientSvd;
import io.github.loradjl.gradient.GradientTask;
import io.github.loradjl.init.GradientFactors;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.linalg.SingularFactors;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.testing.Distance;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.text.CausalLmLoss;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Rows that share a sequence train a model as they do alone. */
class PackedRowsTest {

    /** What the project promises; float32 sums in another order. */
    private static final double TOLERANCE = 1e-5;

    private static final CausalLmLoss LOSS = new CausalLmLoss();

    static final LoraConfig CONFIG =
            LoraConfig.builder().optRank(4).optInit(LoraInit.bothRandom()).build();

    @TempDir private Path folder;

    /** A loss and the gradients of all adapters. */
    record Result(float loss, Map<String, NDArray> gradients) {}

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void forwardAndBackward_smallModel_areThoseOfTheRowsAlone(boolean checkpointed)
            throws Exception {
        try (ZooModel<NDList, NDList> model = small();
                LoraModel lora = LoraModel.attach(model, CONFIG);
                NDManager manager = model.getNDManager().newSubManager()) {
            NDList[] alone = rowsAlone(manager);
            NDList[] packed = rowsPacked(manager);
            Result expected = run(lora, alone, manager);
            if (checkpointed) {
                lora.checkpointActivations(LOSS);
            }
            assertEqual(run(lora, packed, manager), expected);
            // Without the numbers of the rows they see each other, which the test would notice.
            NDList blind = new NDList(packed[0]);
            blind.set(1, packed[0].get(1).minimum(1));
            Result mixed = run(lora, new NDList[] {blind, packed[1]}, manager);
            assertThat(Math.abs(mixed.loss() / expected.loss() - 1)).isGreaterThan(1e-3f);
        }
    }

    @Test
    void embedding_smallModel_leavesPaddingBehind() throws Exception {
        try (ZooModel<NDList, NDList> model = small();
                NDManager manager = model.getNDManager().newSubManager()) {
            LlamaForCausalLM block = (LlamaForCausalLM) model.getBlock();
            ParameterStore store = new ParameterStore(manager, false);
            for (long number : new long[] {1, 3}) {
                NDArray ids = manager.create(new long[] {5, 6, 7, 0}, new Shape(1, 4));
                NDArray mask =
                        manager.create(new long[] {number, number, number, 0}, new Shape(1, 4));
                NDList states =
                        block.getStages().get(0).forward(store, new NDList(ids, mask), false);
                assertThat(states.get(0).getShape()).isEqualTo(new Shape(1, 3, 32));
                assertThat(states.get(3).toLongArray()).containsExactly(3);
                assertThat(states.get(4).toLongArray()).containsExactly(0, 1, 2, -1);
            }
            NDList packed = rowsPacked(manager)[0];
            NDList states = block.getStages().get(0).forward(store, packed, false);
            assertThat(states.get(3).toLongArray()).containsExactly(7, 9, 5, 12, 3);
            assertThat(states.get(0).getShape()).isEqualTo(new Shape(1, 36, 32));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"layers", "whole", "probe"})
    void gradientPass_smallModel_findsTheGradientsOfTheRowsAlone(String strategy) throws Exception {
        LoraConfig config =
                LoraConfig.builder()
                        .optRank(4)
                        .optRankStabilized(true)
                        .optInit(LoraInit.loraGa())
                        .build();
        GradientSvd svd =
                switch (strategy) {
                    case "layers" -> GradientSvd.layerByLayer();
                    case "whole" -> GradientSvd.wholeModel();
                    default -> GradientSvd.probe();
                };
        try (ZooModel<NDList, NDList> model = small();
                LoraModel lora = LoraModel.attach(model, config);
                NDManager manager = model.getNDManager().newSubManager()) {
            // The probe knows no exact decomposition, but with as many probes as there are rows it
            // leaves nothing out.
            SvdOptions options = SvdOptions.builder().optExact(!"probe".equals(strategy)).build();
            Map<String, GradientFactors> expected =
                    svd.compute(task(lora, rowsAlone(manager), options, manager));
            Map<String, GradientFactors> actual =
                    svd.compute(task(lora, rowsPacked(manager), options, manager));
            expected.forEach(
                    (path, factors) ->
                            assertThat(
                                            Distance.relative(
                                                    product(actual.get(path)), product(factors)))
                                    .as(path)
                                    .isLessThan(TOLERANCE));
            assertThat(expected).hasSize(14);
        }
    }

    private static NDArray product(GradientFactors gradient) {
        SingularFactors factors = gradient.leading();
        return factors.u().mul(factors.s()).matMul(factors.vt());
    }

    private static GradientTask task(
            LoraModel lora, NDList[] batch, SvdOptions svd, NDManager manager) {
        Map<String, LoraLinear> targets = lora.getTargets(LoraModel.DEFAULT_ADAPTER);
        Map<String, Integer> counts = new LinkedHashMap<>();
        targets.forEach(
                (path, layer) -> counts.put(path, (int) Math.min(layer.getOut(), layer.getIn())));
        Batch one =
                new Batch(
                        manager.newSubManager(),
                        batch[0],
                        batch[1],
                        (int) batch[0].head().getShape().get(0),
                        null,
                        null,
                        0,
                        1);
        return new GradientTask(
                lora.getBase(),
                targets,
                counts,
                LOSS,
                List.of(one),
                LoraGaInit.builder().optSvdOptions(svd).build(),
                0,
                0,
                manager,
                null);
    }

    static void assertEqual(Result actual, Result expected) {
        assertThat(actual.loss() / expected.loss()).isCloseTo(1, within((float) TOLERANCE));
        double difference = 0;
        double norm = 0;
        for (Map.Entry<String, NDArray> e : expected.gradients().entrySet()) {
            double apart = Distance.absolute(actual.gradients().get(e.getKey()), e.getValue());
            difference += apart * apart;
            norm += TorchOps.squareSum(e.getValue());
        }
        assertThat(norm).isPositive();
        assertThat(Math.sqrt(difference / norm)).isLessThan(TOLERANCE);
    }

    static Result run(LoraModel lora, NDList[] batch, NDManager owner) {
        Map<String, NDArray> gradients = new LinkedHashMap<>();
        try (NDManager scope = owner.newSubManager();
                GradientMode mode = GradientMode.on()) {
            ParameterStore store = new ParameterStore(scope, false);
            NDList data = batch[0];
            NDList output = lora.getBlock().forward(store, data, batch[1], null);
            NDArray loss = LOSS.evaluate(batch[1], output);
            TorchOps.backward(loss);
            for (Map.Entry<String, Parameter> e : lora.getTrainableParameters().entrySet()) {
                if (!e.getValue().requiresGradient()) {
                    continue;
                }
                try (NDArray gradient = TorchOps.gradientOf(e.getValue().getArray())) {
                    NDArray copy = gradient.duplicate();
                    copy.attach(owner);
                    gradients.put(e.getKey(), copy);
                    gradient.subi(gradient);
                }
            }
            return new Result(loss.getFloat(), gradients);
        }
    }

    private ZooModel<NDList, NDList> small() throws Exception {
        JsonObject config =
                JsonParser.parseString(
                                "{\"model_type\": \"llama\", \"vocab_size\": 40,"
                                        + " \"hidden_size\": 32, \"intermediate_size\": 48,"
                                        + " \"num_hidden_layers\": 2,"
                                        + " \"num_attention_heads\": 4,"
                                        + " \"num_key_value_heads\": 2,"
                                        + " \"max_position_embeddings\": 64,"
                                        + " \"rms_norm_eps\": 1e-5, \"hidden_act\": \"silu\","
                                        + " \"tie_word_embeddings\": false,"
                                        + " \"bos_token_id\": 1, \"eos_token_id\": 2}")
                        .getAsJsonObject();
        FormulaCheckpoint.write(folder, config);
        return HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
    }

    private static final int[] LENGTHS = {9, 5, 7, 12, 3};

    private static long token(int row, int t) {
        return (7L * t * t + 3L * t + 11L * row) % 40;
    }

    /** Five rows, padded; the first two tokens of each are a prompt. */
    private static NDList[] rowsAlone(NDManager manager) {
        long[][] ids = new long[LENGTHS.length][12];
        long[][] mask = new long[LENGTHS.length][12];
        long[][] labels = new long[LENGTHS.length][12];
        for (int row = 0; row < LENGTHS.length; row++) {
            Arrays.fill(labels[row], TorchOps.IGNORE_INDEX);
            for (int t = 0; t < LENGTHS[row]; t++) {
                ids[row][t] = token(row, t);
                mask[row][t] = 1;
                labels[row][t] = t < 2 ? TorchOps.IGNORE_INDEX : token(row, t);
            }
        }
        return new NDList[] {
            new NDList(manager.create(ids), manager.create(mask)),
            new NDList(manager.create(labels))
        };
    }

    /**
     * The same rows in two sequences of 24: the first three and a bit of padding, then the others.
     */
    private static NDList[] rowsPacked(NDManager manager) {
        int[][] sequences = {{2, 0, 1}, {3, 4}};
        long[][][] arrays = new long[4][2][24];
        for (int i = 0; i < 2; i++) {
            Arrays.fill(arrays[3][i], TorchOps.IGNORE_INDEX);
            int at = 0;
            int segment = 1;
            for (int row : sequences[i]) {
                for (int t = 0; t < LENGTHS[row]; t++, at++) {
                    arrays[0][i][at] = token(row, t);
                    arrays[1][i][at] = segment;
                    arrays[2][i][at] = t;
                    arrays[3][i][at] = t < 2 ? TorchOps.IGNORE_INDEX : token(row, t);
                }
                segment++;
            }
        }
        return new NDList[] {
            new NDList(
                    manager.create(arrays[0]),
                    manager.create(arrays[1]),
                    manager.create(arrays[2])),
            new NDList(manager.create(arrays[3]))
        };
    }
}

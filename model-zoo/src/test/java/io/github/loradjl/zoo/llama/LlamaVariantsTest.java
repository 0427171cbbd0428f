package io.github.loradjl.zoo.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.reflect.TypeToken;
import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Small models of every supported kind against random_models.json, made by make_golden.py. */
class LlamaVariantsTest {

    @TempDir private Path folder;

    /** One entry of random_models.json. */
    private static final class Expected {
        JsonObject config;
        int parameters;
        float loss;
        float[] logits;
        Map<String, Double> gradient_norms;
    }

    private static Expected expected(String name) throws IOException {
        try (Reader reader =
                new InputStreamReader(
                        LlamaVariantsTest.class.getResourceAsStream("random_models.json"),
                        StandardCharsets.UTF_8)) {
            Map<String, Expected> all =
                    new Gson().fromJson(reader, new TypeToken<Map<String, Expected>>() {});
            return all.get(name);
        }
    }

    private static NDArray ids(NDManager manager, int length) {
        long[] ids = new long[2 * length];
        for (int row = 0; row < 2; row++) {
            for (int i = 0; i < length; i++) {
                ids[row * length + i] = (7L * i * i + 3L * i + 11L * row) % 40;
            }
        }
        return manager.create(ids, new Shape(2, length));
    }

    private ZooModel<NDList, NDList> load() throws Exception {
        return HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
    }

    private static float loss(ZooModel<NDList, NDList> model, int length) {
        try (NDManager manager = model.getNDManager().newSubManager()) {
            NDList ids = new NDList(ids(manager, length));
            LlamaForCausalLM block = (LlamaForCausalLM) model.getBlock();
            return block.evaluateLoss(new ParameterStore(manager, false), ids, ids).getFloat();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"linear", "llama3", "biases", "mistral", "qwen2"})
    void forwardAndBackward_equalTransformers(String name) throws Exception {
        Expected expected = expected(name);
        FormulaCheckpoint.write(folder, expected.config);
        try (ZooModel<NDList, NDList> model = load();
                NDManager manager = model.getNDManager().newSubManager()) {
            model.getBlock().freezeParameters(false);
            NDArray ids = ids(manager, 48);
            ParameterStore store = new ParameterStore(manager, false);
            NDArray loss;
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                loss =
                        model.getBlock()
                                .forward(store, new NDList(ids), new NDList(ids), null)
                                .head();
                collector.backward(loss);
            }
            // Rounding of float32; a wrong rotation or a missing bias changes the first digits.
            assertThat(loss.getFloat() / expected.loss).isCloseTo(1, within(1e-5f));
            NDArray logits =
                    model.getBlock().forward(store, new NDList(ids), false).singletonOrThrow();
            float[] last = logits.get("1, -1").toFloatArray();
            assertThat(last).containsExactly(expected.logits, within(1e-4f));
            int compared = 0;
            int parameters = 0;
            for (BlockTree.Node node : BlockTree.walk(model.getBlock())) {
                for (Parameter parameter : node.block().getDirectParameters().values()) {
                    parameters++;
                    Double norm = expected.gradient_norms.get(node.path(parameter.getName()));
                    if (norm != null) {
                        NDArray gradient = parameter.getArray().getGradient();
                        double actual = Math.sqrt(TorchOps.squareSum(gradient));
                        // The bias of the keys has no gradient but rounding.
                        assertThat(actual)
                                .as(parameter.getName())
                                .isCloseTo(norm, within(1e-4 * norm + 1e-6));
                        compared++;
                    }
                }
            }
            assertThat(compared).isEqualTo(expected.gradient_norms.size());
            assertThat(parameters).isEqualTo(expected.parameters);
        }
    }

    @Test
    void ropeParameters_otherSpelling_givesTheSameModel() throws Exception {
        Expected expected = expected("llama3");
        JsonObject scaling = expected.config.remove("rope_parameters").getAsJsonObject();
        expected.config.add("rope_theta", scaling.remove("rope_theta"));
        expected.config.add("rope_scaling", scaling);
        FormulaCheckpoint.write(folder, expected.config);
        try (ZooModel<NDList, NDList> model = load()) {
            assertThat(loss(model, 48) / expected.loss).isCloseTo(1, within(1e-5f));
        }
    }

    @Test
    void shards_loadAsOneFile() throws Exception {
        Expected expected = expected("qwen2");
        FormulaCheckpoint.writeShards(folder, expected.config);
        try (ZooModel<NDList, NDList> model = load()) {
            assertThat(loss(model, 48) / expected.loss).isCloseTo(1, within(1e-5f));
        }
    }

    @Test
    void slidingWindow_inputBeyondIt_isRefused() throws Exception {
        FormulaCheckpoint.write(folder, expected("mistral").config);
        try (ZooModel<NDList, NDList> model = load()) {
            assertThat(loss(model, 64)).isFinite();
            assertThatThrownBy(() -> loss(model, 65))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("65")
                    .hasMessageContaining("sliding window of 64");
        }
    }

    @Test
    void tokenOutsideVocabulary_isNamed() throws Exception {
        FormulaCheckpoint.write(folder, expected("linear").config);
        try (ZooModel<NDList, NDList> model = load();
                NDManager manager = model.getNDManager().newSubManager()) {
            NDList ids = new NDList(manager.create(new long[][] {{1, 40}}));
            ParameterStore store = new ParameterStore(manager, false);
            assertThatThrownBy(() -> model.getBlock().forward(store, ids, false))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("token id 40")
                    .hasMessageContaining("vocabulary of 40");
        }
    }

    @Test
    void forward_leavesOnlyItsResult() throws Exception {
        FormulaCheckpoint.write(folder, expected("biases").config);
        try (ZooModel<NDList, NDList> model = load();
                NDManager manager = model.getNDManager().newSubManager()) {
            model.getBlock().freezeParameters(false);
            ParameterStore store = new ParameterStore(manager, false);
            NDList ids = new NDList(ids(manager, 48));
            NDList mask = new NDList(ids.get(0), manager.create(leftPadding(), new Shape(2, 48)));
            model.getBlock().forward(store, ids, false).close();
            int own = model.getNDManager().getManagedArrays().size();
            model.getBlock().forward(store, ids, false).close();
            model.getBlock().forward(store, mask, true).close();
            try (GradientMode mode = GradientMode.on()) {
                model.getBlock().forward(store, ids, ids, null).close();
            }
            assertThat(manager.getManagedArrays()).hasSize(2);
            assertThat(model.getNDManager().getManagedArrays()).hasSize(own);
        }
    }

    private static long[] leftPadding() {
        long[] mask = new long[2 * 48];
        Arrays.fill(mask, 5, mask.length, 1);
        return mask;
    }

    @Test
    void forward_manyThreads_agree() throws Exception {
        FormulaCheckpoint.write(folder, expected("llama3").config);
        try (ZooModel<NDList, NDList> model = load()) {
            model.getBlock().freezeParameters(false);
            List<Integer> lengths = new ArrayList<>();
            for (int i = 0; i < 32; i++) {
                // Some lengths make the tables of angles grow.
                lengths.add(20 + 40 * (i % 8));
            }
            Map<Integer, Float> alone = new HashMap<>();
            try (ZooModel<NDList, NDList> other = load()) {
                lengths.forEach(n -> alone.computeIfAbsent(n, length -> loss(other, length)));
            }
            ExecutorService threads = Executors.newFixedThreadPool(8);
            try {
                List<Future<Float>> losses = new ArrayList<>();
                lengths.forEach(n -> losses.add(threads.submit(() -> loss(model, n))));
                for (int i = 0; i < lengths.size(); i++) {
                    assertThat(losses.get(i).get()).isEqualTo(alone.get(lengths.get(i)));
                }
            } finally {
                threads.shutdown();
            }
        }
    }

    @Test
    void forward_leftPadding_changesNothingForTokens() throws Exception {
        FormulaCheckpoint.write(folder, expected("llama3").config);
        try (ZooModel<NDList, NDList> model = load();
                NDManager manager = model.getNDManager().newSubManager()) {
            ParameterStore store = new ParameterStore(manager, false);
            NDArray ids = manager.create(new long[][] {{5, 6, 7, 8}});
            NDArray plain = model.getBlock().forward(store, new NDList(ids), false).get(0);
            NDList padded =
                    new NDList(
                            manager.create(new long[][] {{0, 0, 5, 6, 7, 8}}),
                            manager.create(new long[][] {{0, 0, 1, 1, 1, 1}}),
                            manager.create(new long[][] {{0, 0, 0, 1, 2, 3}}));
            NDArray shifted = model.getBlock().forward(store, padded, false).get(0);
            NDArray difference = shifted.get(":, 2:").sub(plain).abs().max();
            // The same sums in another order.
            assertThat(difference.getFloat()).isLessThan(1e-5f);
        }
    }
}

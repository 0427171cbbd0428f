package io.github.loradjl.zoo.t5;

import static org.assertj.core.api.Assertions.assertThat;
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
import io.github.loradjl.safetensors.SafetensorsWriter;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TokenGenerator;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Small models of every supported kind against random_models.json, made by make_golden.py. */
class T5VariantsTest {

    @TempDir private Path folder;

    /** One entry of random_models.json. */
    private static final class Expected {
        JsonObject config;
        int parameters;
        float loss;
        float[] logits;
        Map<String, Double> gradient_norms;
        int[] encoder_buckets;
        int[] decoder_buckets;
        long[][] greedy;
    }

    private static Expected expected(String name) throws Exception {
        try (Reader reader =
                new InputStreamReader(
                        T5VariantsTest.class.getResourceAsStream("random_models.json"),
                        StandardCharsets.UTF_8)) {
            Map<String, Expected> all =
                    new Gson().fromJson(reader, new TypeToken<Map<String, Expected>>() {});
            return all.get(name);
        }
    }

    private ZooModel<NDList, NDList> load(JsonObject config) throws Exception {
        Files.writeString(folder.resolve("config.json"), config.toString());
        Map<String, Shape> shapes = new TreeMap<>();
        T5Config parsed = T5Config.parse(config.toString());
        for (BlockTree.Node node : BlockTree.walk(new T5ForConditionalGeneration(parsed))) {
            node.block()
                    .getDirectParameters()
                    .forEach(p -> shapes.put(node.path(p.getKey()), p.getValue().getShape()));
        }
        try (NDManager manager = NDManager.newBaseManager()) {
            Map<String, NDArray> weights = new LinkedHashMap<>();
            shapes.forEach((n, s) -> weights.put(n, weight(manager, n, s, weights.size())));
            SafetensorsWriter.write(
                    folder.resolve("model.safetensors"), weights, SafetensorsWriter.PYTORCH);
        }
        return HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
    }

    private static NDArray weight(NDManager manager, String name, Shape shape, int k) {
        float[] values = new float[(int) shape.size()];
        for (int i = 0; i < values.length; i++) {
            double wave = Math.sin(k + 0.37 * i + 0.011 * i * i);
            if (shape.dimension() == 2) {
                wave *= 1.5 / Math.sqrt(shape.get(1)) / (name.endsWith(".q.weight") ? 4 : 1);
            } else {
                wave = 1 + 0.2 * wave;
            }
            values[i] = (float) wave;
        }
        return manager.create(values, shape);
    }

    private static long[][] ids() {
        long[][] ids = new long[2][48];
        for (int row = 0; row < 2; row++) {
            for (int i = 0; i < (row == 0 ? 48 : 40); i++) {
                ids[row][i] = (7L * i * i + 3L * i + 11L * row) % 38 + 2;
            }
        }
        return ids;
    }

    private static NDList data(NDManager manager) {
        long[][] mask = new long[2][48];
        Arrays.fill(mask[0], 1);
        Arrays.fill(mask[1], 0, 40, 1);
        return new NDList(manager.create(ids()), manager.create(mask));
    }

    private static NDList labels(NDManager manager) {
        long[][] labels = new long[2][30];
        for (int row = 0; row < 2; row++) {
            for (int i = 0; i < 30; i++) {
                labels[row][i] =
                        row == 0 && i >= 25 ? -100 : (5L * i * i + 2L * i + 3L * row) % 38 + 2;
            }
        }
        return new NDList(manager.create(labels));
    }

    @ParameterizedTest
    @ValueSource(strings = {"v1.0", "v1.1", "mt5", "byt5"})
    void model_equalsTransformers(String name) throws Exception {
        Expected expected = expected(name);
        try (ZooModel<NDList, NDList> model = load(expected.config);
                NDManager manager = model.getNDManager().newSubManager()) {
            T5ForConditionalGeneration block = (T5ForConditionalGeneration) model.getBlock();
            block.freezeParameters(false);
            ParameterStore store = new ParameterStore(manager, false);
            NDArray loss;
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                loss = block.forward(store, data(manager), labels(manager), null).head();
                collector.backward(loss);
            }
            // Rounding of float32; a wrong bucket or scale changes the first digits.
            assertThat(loss.getFloat() / expected.loss).isCloseTo(1, within(1e-5f));
            NDList inputs = block.withLabels(data(manager), labels(manager));
            float[] last = block.forward(store, inputs, false).head().get("1, -1").toFloatArray();
            assertThat(last).containsExactly(expected.logits, within(1e-4f));
            int parameters = 0;
            for (BlockTree.Node node : BlockTree.walk(block)) {
                for (Parameter parameter : node.block().getDirectParameters().values()) {
                    parameters++;
                    String path = node.path(parameter.getName());
                    double norm = expected.gradient_norms.get(path);
                    NDArray gradient = parameter.getArray().getGradient();
                    assertThat(Math.sqrt(TorchOps.squareSum(gradient)))
                            .as(path)
                            .isCloseTo(norm, within(1e-4 * norm));
                }
            }
            assertThat(parameters).isEqualTo(expected.parameters);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"v1.0", "v1.1"})
    void buckets_areThoseOfTransformers(String name) throws Exception {
        Expected expected = expected(name);
        T5Config config = T5Config.parse(expected.config.toString());
        for (int i = 0; i < expected.encoder_buckets.length; i++) {
            assertThat(new RelativePositions(config, true).bucket(i - 300))
                    .isEqualTo(expected.encoder_buckets[i]);
            assertThat(new RelativePositions(config, false).bucket(i - 300))
                    .isEqualTo(expected.decoder_buckets[i]);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"v1.0", "v1.1", "mt5", "byt5"})
    void generate_batchOfUnequalPrompts_givesTokensOfTransformers(String name) throws Exception {
        Expected expected = expected(name);
        try (ZooModel<NDList, NDList> model = load(expected.config)) {
            List<long[]> prompts = List.of(ids()[0], Arrays.copyOf(ids()[1], 40));
            GenerationConfig config =
                    GenerationConfig.builder().optMaxNewTokens(12).optStopAtEnd(false).build();
            List<long[]> tokens = new TokenGenerator(model).generate(prompts, config);
            assertThat(tokens.get(0)).isEqualTo(expected.greedy[0]);
            assertThat(tokens.get(1)).isEqualTo(expected.greedy[1]);
        }
    }
}

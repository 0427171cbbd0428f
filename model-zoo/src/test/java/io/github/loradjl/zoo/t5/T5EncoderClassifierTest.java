package io.github.loradjl.zoo.t5;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.loss.Loss;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.reflect.TypeToken;
import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.staged.Stage;
import io.github.loradjl.testing.Distance;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Small classifiers against encoder_classifier.json, made by make_classifier.py. */
class T5EncoderClassifierTest {

    private static final int CLASSES = 3;

    @TempDir private Path folder;

    private ZooModel<NDList, NDList> model;
    private T5EncoderClassifier block;
    private NDManager manager;
    private ParameterStore store;

    /** One entry of encoder_classifier.json. */
    private static final class Expected {
        JsonObject config;
        float loss;
        float[][] logits;
        int correct;
        Map<String, float[]> gradients;
    }

    private static Expected expected(String name) throws IOException {
        try (Reader reader =
                new InputStreamReader(
                        T5EncoderClassifierTest.class.getResourceAsStream(
                                "encoder_classifier.json"),
                        StandardCharsets.UTF_8)) {
            Map<String, Expected> all =
                    new Gson().fromJson(reader, new TypeToken<Map<String, Expected>>() {});
            return all.get(name);
        }
    }

    private Expected load(String name) throws Exception {
        Expected expected = expected(name);
        T5Config config = T5Config.parse(expected.config.toString());
        Files.writeString(folder.resolve("config.json"), expected.config.toString());
        try (NDManager scope = NDManager.newBaseManager()) {
            T5EncoderClassifier empty = new T5EncoderClassifier(config, CLASSES, 0);
            RandomT5.write(folder, RandomT5.weights(scope, empty));
        }
        open(7, DataType.FLOAT32);
        return expected;
    }

    private void open(long seed, DataType type) throws IOException, MalformedModelException {
        close();
        model = HuggingFaceFolder.loadClassifier(folder, CLASSES, seed, Device.cpu(), type);
        block = (T5EncoderClassifier) model.getBlock();
        manager = model.getNDManager().newSubManager();
        store = new ParameterStore(manager, false);
    }

    @AfterEach
    void close() {
        if (model != null) {
            model.close();
        }
    }

    private NDList data() {
        long[][] ids = new long[3][14];
        long[][] mask = new long[3][14];
        int[] lengths = {14, 9, 1};
        for (int row = 0; row < 3; row++) {
            for (int i = 0; i < lengths[row]; i++) {
                ids[row][i] = (7L * i * i + 3L * i + 11L * row) % 22 + 2;
                mask[row][i] = 1;
            }
        }
        return new NDList(manager.create(ids), manager.create(mask));
    }

    private NDList labels(long... classes) {
        return new NDList(manager.create(classes));
    }

    @ParameterizedTest
    @ValueSource(strings = {"relu", "gated"})
    void model_equalsTorch(String name) throws Exception {
        Expected expected = load(name);
        NDArray logits = block.forward(store, data(), false).singletonOrThrow();
        NDArray wanted = manager.create(expected.logits);
        // Rounding of float32 in another order of sums, here and below.
        assertThat(Distance.largest(logits, wanted)).isLessThan(1e-5);
        Loss loss = block.newLoss();
        assertThat(loss.evaluate(labels(2, 0, 1), new NDList(logits)).getFloat())
                .isCloseTo(expected.loss, within(1e-5f));
        assertThat(block.newTokenCounter().countCorrect(labels(2, 0, 1), new NDList(logits)))
                .isEqualTo(expected.correct);

        block.freezeParameters(false);
        NDList computed;
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            computed = block.forward(store, data(), labels(2, 0, 1), null);
            collector.backward(computed.head());
        }
        assertThat(computed.head().getFloat()).isCloseTo(expected.loss, within(1e-5f));
        assertThat(computed.get(1).getFloat()).isEqualTo(expected.correct);
        int compared = 0;
        for (BlockTree.Node node : BlockTree.walk(block)) {
            for (Parameter parameter : node.block().getDirectParameters().values()) {
                String path = node.path(parameter.getName());
                NDArray gradient = parameter.getArray().getGradient();
                NDArray right = manager.create(expected.gradients.get(path), gradient.getShape());
                assertThat(Distance.relative(gradient, right)).as(path).isLessThan(1e-4);
                compared++;
            }
        }
        assertThat(compared).isEqualTo(expected.gradients.size());
    }

    @Test
    void stages_equalForwardToTheLastBit() throws Exception {
        load("gated");
        NDList list = data();
        List<Stage> stages = block.getStages();
        for (Stage stage : stages.subList(0, stages.size() - 1)) {
            list = stage.forward(store, list, true);
        }
        Stage head = stages.get(stages.size() - 1);
        float[] logits = head.forward(store, list, true).get(0).toFloatArray();
        assertThat(block.forward(store, data(), true).get(0).toFloatArray()).isEqualTo(logits);
        float loss = head.forward(store, list, labels(2, 0, 1)).get(0).getFloat();
        assertThat(block.forward(store, data(), labels(2, 0, 1), null).get(0).getFloat())
                .isEqualTo(loss);
        assertThat(block.evaluateLoss(store, data(), labels(2, 0, 1)).getFloat()).isEqualTo(loss);
    }

    @Test
    void forward_paddingAndNeighbours_changeNothing() throws Exception {
        load("relu");
        NDList data = data();
        float[] together = block.forward(store, data, false).head().toFloatArray();
        NDList alone = new NDList(data.get(0).get("1:2, :9"), data.get(1).get("1:2, :9"));
        float[] one = block.forward(store, alone, false).head().toFloatArray();
        assertThat(Arrays.copyOfRange(together, 3, 6)).containsExactly(one, within(1e-5f));
    }

    @Test
    void forward_leavesOnlyItsResult() throws Exception {
        load("gated");
        block.freezeParameters(false);
        NDList data = data();
        NDList labels = labels(2, 0, 1);
        int before = manager.getManagedArrays().size();
        int own = model.getNDManager().getManagedArrays().size();
        block.forward(store, data, false).close();
        block.forward(store, data, true).close();
        block.forward(store, data, labels, null).close();
        block.evaluateLoss(store, data, labels).close();
        assertThat(manager.getManagedArrays().size()).isEqualTo(before);
        assertThat(model.getNDManager().getManagedArrays().size()).isEqualTo(own);
    }

    @Test
    void forward_whatCannotBeJudged_isNamed() throws Exception {
        load("gated");
        assertThatThrownBy(() -> block.forward(store, data(), labels(0, 3, 1), null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("label 3 of row 1", "3 classes");
        NDList blank = new NDList(data().get(0), manager.zeros(new Shape(3, 14), DataType.INT64));
        assertThatThrownBy(() -> block.forward(store, blank, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("row 0 of the batch is all padding");
        NDList tokens = new NDList(manager.create(new long[][] {{1}, {0}, {2}}));
        assertThatThrownBy(() -> block.forward(store, data(), tokens, null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("(3, 1)");
        NDArray logits = block.forward(store, data(), false).head();
        assertThatThrownBy(() -> block.newLoss().evaluate(tokens, new NDList(logits)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("(3, 3)", "(3, 1)");
        T5Config config = block.getConfig();
        assertThatThrownBy(() -> new T5EncoderClassifier(config, 1, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not 1");
    }

    @Test
    void load_wholeModel_drawsAClassifierBySeed() throws Exception {
        JsonObject config = expected("relu").config;
        // Wide enough for statistics.
        config.addProperty("d_model", 400);
        RandomT5.write(folder, config);
        open(1, DataType.FLOAT32);
        float[] drawn = classifier("weight").toFloatArray();
        assertThat(classifier("bias").toFloatArray()).containsOnly(0);
        double squares = 0;
        for (float value : drawn) {
            squares += value * (double) value;
        }
        // 1200 draws of a variance of 1 / 400; its own deviation is 4 percent of it.
        assertThat(400 * squares / drawn.length).isCloseTo(1, within(0.2));
        float[] logits = block.forward(store, data(), false).head().toFloatArray();
        for (BlockTree.Node node : BlockTree.walk(block)) {
            assertThat(node.path()).doesNotStartWith("decoder");
            node.block()
                    .getDirectParameters()
                    .values()
                    .forEach(p -> assertThat(p.requiresGradient()).isFalse());
        }
        open(1, DataType.FLOAT32);
        assertThat(classifier("weight").toFloatArray()).isEqualTo(drawn);
        assertThat(block.forward(store, data(), false).head().toFloatArray()).isEqualTo(logits);
        open(2, DataType.FLOAT32);
        assertThat(classifier("weight").toFloatArray()).isNotEqualTo(drawn);
    }

    @Test
    void load_tiedVectorsUnderAnotherName_areFound() throws Exception {
        JsonObject config = expected("relu").config;
        RandomT5.write(folder, config);
        open(1, DataType.FLOAT32);
        float[] logits = block.forward(store, data(), false).head().toFloatArray();
        close();
        T5Config parsed = T5Config.parse(config.toString());
        for (String name : List.of("lm_head.weight", "decoder.embed_tokens.weight")) {
            try (NDManager scope = NDManager.newBaseManager()) {
                Map<String, NDArray> weights = RandomT5.weights(scope, parsed, false);
                weights.put(name, weights.remove("shared.weight"));
                RandomT5.write(folder, weights);
            }
            open(1, DataType.FLOAT32);
            assertThat(block.forward(store, data(), false).head().toFloatArray()).isEqualTo(logits);
        }
    }

    @Test
    void load_bfloat16_classifiesInFloat32() throws Exception {
        Expected expected = load("gated");
        open(7, DataType.BFLOAT16);
        assertThat(classifier("weight").getDataType()).isEqualTo(DataType.FLOAT32);
        NDArray logits = block.forward(store, data(), false).head();
        assertThat(logits.getDataType()).isEqualTo(DataType.FLOAT32);
        // Eight bits of precision in each of some layers.
        assertThat(Distance.largest(logits, manager.create(expected.logits))).isLessThan(0.1);
        classifier().freezeParameters(false);
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            collector.backward(block.forward(store, data(), labels(2, 0, 1), null).head());
        }
        NDArray gradient = classifier("bias").getGradient();
        NDArray right =
                manager.create(expected.gradients.get("classifier.bias"), gradient.getShape());
        assertThat(Distance.largest(gradient, right)).isLessThan(0.05);
    }

    private Block classifier() {
        return BlockTree.walk(block).stream()
                .filter(node -> "classifier".equals(node.path()))
                .findFirst()
                .orElseThrow()
                .block();
    }

    private NDArray classifier(String parameter) {
        return classifier().getDirectParameters().get(parameter).getArray();
    }
}

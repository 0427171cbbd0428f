package io.github.loradjl.zoo.t5;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.ParameterStore;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.reflect.TypeToken;
import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.safetensors.SafetensorsWriter;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;

import java.io.IOException;
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

/**
 * The models of {@code random_models.json}, whose weights follow the formula of {@code
 * make_golden.py}, so that no weights need to be kept.
 */
public final class RandomT5 {

    private static final String HEAD = "lm_head.weight";

    private RandomT5() {}

    /** One entry of random_models.json. */
    public static final class Expected {
        public JsonObject config;
        JsonObject saved;
        boolean own_head;
        int parameters;
        float loss;
        float[] logits;
        public float[] first_logits;
        Map<String, Double> gradient_norms;
        int[] encoder_buckets;
        int[] decoder_buckets;
        long[][] greedy;
    }

    /** Reads what transformers computes for a model. */
    public static Expected expected(String name) throws IOException {
        try (Reader reader =
                new InputStreamReader(
                        RandomT5.class.getResourceAsStream("random_models.json"),
                        StandardCharsets.UTF_8)) {
            Map<String, Expected> all =
                    new Gson().fromJson(reader, new TypeToken<Map<String, Expected>>() {});
            return all.get(name);
        }
    }

    /** Writes a folder whose head is tied unless the configuration says otherwise. */
    public static void write(Path folder, JsonObject config) throws IOException {
        write(folder, config, !T5Config.parse(config.toString()).isTied());
    }

    static void write(Path folder, JsonObject config, boolean ownHead) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("config.json"), config.toString());
        try (NDManager manager = NDManager.newBaseManager()) {
            write(folder, weights(manager, T5Config.parse(config.toString()), ownHead));
        }
    }

    static void write(Path folder, Map<String, NDArray> weights) throws IOException {
        SafetensorsWriter.write(
                folder.resolve("model.safetensors"), weights, SafetensorsWriter.PYTORCH);
    }

    /** Makes all weights, in the order of their names. */
    static Map<String, NDArray> weights(NDManager manager, T5Config config, boolean ownHead) {
        Map<String, Shape> shapes = shapes(new T5ForConditionalGeneration(config));
        shapes.remove(HEAD);
        if (ownHead) {
            shapes.put(HEAD, shapes.get("shared.weight"));
        }
        return weights(manager, shapes);
    }

    /** Makes all weights of a block, in the order of their names. */
    static Map<String, NDArray> weights(NDManager manager, Block block) {
        return weights(manager, shapes(block));
    }

    private static Map<String, Shape> shapes(Block block) {
        Map<String, Shape> shapes = new TreeMap<>();
        for (BlockTree.Node node : BlockTree.walk(block)) {
            node.block()
                    .getDirectParameters()
                    .forEach(p -> shapes.put(node.path(p.getKey()), p.getValue().getShape()));
        }
        return shapes;
    }

    private static Map<String, NDArray> weights(NDManager manager, Map<String, Shape> shapes) {
        Map<String, NDArray> weights = new LinkedHashMap<>();
        shapes.forEach((n, s) -> weights.put(n, weight(manager, n, s, weights.size())));
        return weights;
    }

    private static NDArray weight(NDManager manager, String name, Shape shape, int k) {
        float[] values = new float[(int) shape.size()];
        for (int i = 0; i < values.length; i++) {
            double wave = Math.sin(k + 0.37 * i + 0.011 * i * i);
            if (shape.dimension() == 2) {
                wave *= 1.5 / Math.sqrt(shape.get(1)) / (name.endsWith(".q.weight") ? 4 : 1);
            } else {
                wave = name.endsWith("bias") ? 0.3 * wave : 1 + 0.2 * wave;
            }
            values[i] = (float) wave;
        }
        return manager.create(values, shape);
    }

    static ZooModel<NDList, NDList> load(Path folder) throws Exception {
        return HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
    }

    /** Computes the logits of the last position of the second row. */
    public static float[] logits(ZooModel<NDList, NDList> model) {
        try (NDManager manager = model.getNDManager().newSubManager()) {
            NDList inputs = data(manager);
            inputs.add(decoderIds(manager));
            ParameterStore store = new ParameterStore(manager, false);
            NDArray logits = model.getBlock().forward(store, inputs, false).head();
            return logits.get("1, -1").toFloatArray();
        }
    }

    /** The two inputs, the second one padded on the right from its 40th token. */
    private static long[][] ids() {
        long[][] ids = new long[2][48];
        for (int row = 0; row < 2; row++) {
            for (int i = 0; i < (row == 0 ? 48 : 40); i++) {
                ids[row][i] = (7L * i * i + 3L * i + 11L * row) % 38 + 2;
            }
        }
        return ids;
    }

    /** The two inputs without their padding. */
    public static List<long[]> prompts() {
        return List.of(ids()[0], Arrays.copyOf(ids()[1], 40));
    }

    static NDList data(NDManager manager) {
        long[][] mask = new long[2][48];
        Arrays.fill(mask[0], 1);
        Arrays.fill(mask[1], 0, 40, 1);
        return new NDList(manager.create(ids()), manager.create(mask));
    }

    /** What the decoder reads for the labels: they stand behind the token that begins a text. */
    private static NDArray decoderIds(NDManager manager) {
        NDArray labels = labels(manager).head();
        NDArray start = manager.zeros(new Shape(2, 1), DataType.INT64);
        NDArray ids = start.concat(labels.get(":, :-1"), 1);
        return ids.maximum(0).toType(DataType.INT64, false);
    }

    static NDList labels(NDManager manager) {
        long[][] labels = new long[2][30];
        for (int row = 0; row < 2; row++) {
            for (int i = 0; i < 30; i++) {
                labels[row][i] =
                        row == 0 && i >= 25 ? -100 : (5L * i * i + 2L * i + 3L * row) % 38 + 2;
            }
        }
        return new NDList(manager.create(labels));
    }
}

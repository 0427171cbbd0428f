package io.github.loradjl.zoo.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;

import com.google.gson.JsonObject;
import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.safetensors.SafetensorsWriter;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Writes Hugging Face folders whose weights follow the formula of {@code make_golden.py}, so that
 * no weights need to be kept.
 */
public final class FormulaCheckpoint {

    private FormulaCheckpoint() {}

    /** Lists the shapes of all parameters of a configuration by their path. */
    static SortedMap<String, Shape> shapes(LlamaConfig config) {
        SortedMap<String, Shape> shapes = new TreeMap<>();
        for (BlockTree.Node node : BlockTree.walk(new LlamaForCausalLM(config))) {
            for (Parameter parameter : node.block().getDirectParameters().values()) {
                shapes.put(node.path(parameter.getName()), parameter.getShape());
            }
        }
        return shapes;
    }

    /** Makes all weights, in the order of their names. */
    public static Map<String, NDArray> weights(NDManager manager, LlamaConfig config) {
        Map<String, NDArray> weights = new LinkedHashMap<>();
        int k = 0;
        for (Map.Entry<String, Shape> entry : shapes(config).entrySet()) {
            Shape shape = entry.getValue();
            float[] values = new float[(int) shape.size()];
            for (int i = 0; i < values.length; i++) {
                double wave = Math.sin(k + 0.37 * i + 0.011 * i * i);
                if (shape.dimension() == 2) {
                    wave = wave * 1.5 / Math.sqrt(shape.get(1));
                } else {
                    wave = entry.getKey().endsWith("bias") ? wave * 0.3 : 1 + 0.2 * wave;
                }
                values[i] = (float) wave;
            }
            weights.put(entry.getKey(), manager.create(values, shape));
            k++;
        }
        return weights;
    }

    /** Writes a folder with one file of weights. */
    public static void write(Path folder, JsonObject config) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("config.json"), config.toString());
        try (NDManager manager = NDManager.newBaseManager()) {
            SafetensorsWriter.write(
                    folder.resolve("model.safetensors"),
                    weights(manager, LlamaConfig.parse(config.toString())),
                    SafetensorsWriter.PYTORCH);
        }
    }

    /** Writes a folder with the weights in two shards. */
    static void writeShards(Path folder, JsonObject config) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("config.json"), config.toString());
        JsonObject homes = new JsonObject();
        try (NDManager manager = NDManager.newBaseManager()) {
            Map<String, Map<String, NDArray>> shards = new TreeMap<>();
            weights(manager, LlamaConfig.parse(config.toString()))
                    .forEach(
                            (name, array) -> {
                                int shard = 1 + homes.size() % 2;
                                String file = "model-0000" + shard + "-of-00002.safetensors";
                                homes.addProperty(name, file);
                                shards.computeIfAbsent(file, f -> new LinkedHashMap<>())
                                        .put(name, array);
                            });
            for (Map.Entry<String, Map<String, NDArray>> shard : shards.entrySet()) {
                SafetensorsWriter.write(
                        folder.resolve(shard.getKey()),
                        shard.getValue(),
                        SafetensorsWriter.PYTORCH);
            }
        }
        JsonObject index = new JsonObject();
        index.add("metadata", new JsonObject());
        index.add("weight_map", homes);
        Files.writeString(folder.resolve("model.safetensors.index.json"), index.toString());
    }
}

package io.github.loradjl.zoo.t5;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;

import com.google.gson.JsonObject;
import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.safetensors.SafetensorsWriter;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes Hugging Face folders of T5 models whose weights follow the formula of {@code
 * make_golden.py}, so that no weights need to be kept.
 */
public final class FormulaT5 {

    private FormulaT5() {}

    /** Writes a folder with one file of weights. */
    public static void write(Path folder, JsonObject config) throws IOException {
        T5Config parsed = T5Config.parse(config.toString());
        write(folder, config, new T5ForConditionalGeneration(parsed));
    }

    /** Writes a folder with the weights of a block. */
    static void write(Path folder, JsonObject config, Block block) throws IOException {
        Files.writeString(folder.resolve("config.json"), config.toString());
        try (NDManager manager = NDManager.newBaseManager()) {
            SafetensorsWriter.write(
                    folder.resolve("model.safetensors"),
                    weights(manager, block),
                    SafetensorsWriter.PYTORCH);
        }
    }

    /** Makes all weights of a block, in the order of their names. */
    private static Map<String, NDArray> weights(NDManager manager, Block block) {
        Map<String, Shape> shapes = new TreeMap<>();
        for (BlockTree.Node node : BlockTree.walk(block)) {
            node.block()
                    .getDirectParameters()
                    .forEach(p -> shapes.put(node.path(p.getKey()), p.getValue().getShape()));
        }
        Map<String, NDArray> weights = new LinkedHashMap<>();
        shapes.forEach((name, shape) -> weights.put(name, weight(manager, name, shape, weights)));
        return weights;
    }

    private static NDArray weight(
            NDManager manager, String name, Shape shape, Map<String, NDArray> before) {
        float[] values = new float[(int) shape.size()];
        for (int i = 0; i < values.length; i++) {
            double wave = Math.sin(before.size() + 0.37 * i + 0.011 * i * i);
            if (shape.dimension() == 2) {
                wave *= 1.5 / Math.sqrt(shape.get(1)) / (name.endsWith(".q.weight") ? 4 : 1);
            } else {
                wave = name.endsWith("bias") ? 0.3 * wave : 1 + 0.2 * wave;
            }
            values[i] = (float) wave;
        }
        return manager.create(values, shape);
    }
}

package io.github.loradjl.examples.compare.diagnose;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;

import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;

/**
 * An array for each adapted layer, of the shape of its weight: weights, changes of them, gradients.
 *
 * @param byPath the arrays by the layers' paths
 */
record LayerArrays(Map<String, NDArray> byPath) implements AutoCloseable {

    /** Returns the weights themselves of a model without adapters. */
    static LayerArrays weights(Model model, Set<String> paths) {
        Map<String, NDArray> found = new LinkedHashMap<>();
        paths.forEach(path -> found.put(path, null));
        for (BlockTree.Node node : BlockTree.walk(model.getBlock())) {
            if (paths.contains(node.path())) {
                found.put(node.path(), weight(node.block()));
            }
        }
        return new LayerArrays(found);
    }

    private static NDArray weight(Block block) {
        return block.getDirectParameters().get("weight").getArray();
    }

    /** Returns what the adapters change now. */
    static LayerArrays deltas(Map<String, LoraLinear> layers, NDManager owner) {
        Map<String, NDArray> deltas = new LinkedHashMap<>();
        layers.forEach(
                (path, layer) ->
                        deltas.put(path, layer.get(LoraModel.DEFAULT_ADAPTER).delta(owner)));
        return new LayerArrays(deltas);
    }

    /** Returns copies that are no part of any graph. */
    LayerArrays copy(NDManager owner) {
        return map(owner, (path, array) -> array.duplicate());
    }

    /** Returns copies of the gradients that a backward pass has left. */
    LayerArrays gradients(NDManager owner) {
        return map(
                owner,
                (path, array) -> {
                    try (NDArray gradient = TorchOps.gradientOf(array)) {
                        return gradient.duplicate();
                    }
                });
    }

    /** Returns the differences to other arrays. */
    LayerArrays minus(LayerArrays other, NDManager owner) {
        return map(owner, (path, array) -> array.sub(other.byPath().get(path)));
    }

    private LayerArrays map(NDManager owner, BiFunction<String, NDArray, NDArray> function) {
        Map<String, NDArray> result = new LinkedHashMap<>();
        try (GradientMode mode = GradientMode.off()) {
            byPath.forEach(
                    (path, array) -> {
                        NDArray made = function.apply(path, array);
                        made.attach(owner);
                        result.put(path, made);
                    });
        }
        return new LayerArrays(result);
    }

    /** Overwrites the arrays by the sums of two others. */
    void setToSum(LayerArrays x, LayerArrays y) {
        try (GradientMode mode = GradientMode.off()) {
            byPath.forEach(
                    (path, array) -> {
                        try (NDArray sum = x.byPath().get(path).add(y.byPath().get(path))) {
                            TorchOps.copyInto(array, sum);
                        }
                    });
        }
    }

    /** Returns the cosine of all arrays, seen as one long vector, with others. */
    double cosine(LayerArrays other) {
        double inner = 0;
        for (Map.Entry<String, NDArray> entry : byPath.entrySet()) {
            NDArray x = entry.getValue();
            NDArray y = other.byPath().get(entry.getKey());
            try (NDArray product = TorchOps.inner(x, y)) {
                inner += product.toFloatArray()[0];
            }
        }
        double squares = square() * other.square();
        return squares == 0 ? 0 : inner / Math.sqrt(squares);
    }

    /** Returns the sum of all squares. */
    double square() {
        return byPath.values().stream().mapToDouble(TorchOps::squareSum).sum();
    }

    /** Releases the arrays. */
    @Override
    public void close() {
        byPath.values().forEach(NDArray::close);
    }
}

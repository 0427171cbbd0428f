package io.github.loradjl.examples.benchmark.speed;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.repository.zoo.ZooModel;

import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The floor of a step: nothing but the products of matrices that it cannot do without, each on
 * arrays that are there already.
 *
 * <p>Those are, for each adapted layer, x W<sup>T</sup>, x A<sup>T</sup>, (x A<sup>T</sup>) B
 * <sup>T</sup>; in the backward pass dy W, dy B, and the gradients of A and B with (dy B) A; and
 * for the head, on the rows that have labels, h W<sup>T</sup> and dlogits W. The products within
 * attention are not counted.
 */
final class Products implements Work {

    private static final int RANK = 8;
    private static final Set<String> HEADS = Set.of("model.embed_tokens", "lm_head");

    private final ZooModel<NDList, NDList> model;
    private final NDManager manager;
    private final Batches batches;
    private final List<NDArray> weights = new ArrayList<>();
    private final Map<Shape, NDArray> arrays = new HashMap<>();
    private final NDArray head;

    Products(ZooModel<NDList, NDList> model, Batches batches) {
        this.model = model;
        this.batches = batches;
        manager = model.getNDManager().newSubManager();
        NDArray last = null;
        for (BlockTree.Node node : BlockTree.walk(model.getBlock())) {
            Parameter weight = node.block().getDirectParameters().get("weight");
            if (node.block() instanceof Linear) {
                weights.add(weight.getArray());
            }
            if (HEADS.contains(node.path())) {
                last = weight.getArray();
            }
        }
        head = last;
    }

    /** {@inheritDoc} */
    @Override
    public double run(int turn) {
        List<Batches.Row> rows = batches.batches().get(turn % batches.batches().size());
        long tokens = rows.stream().mapToLong(row -> row.ids().length).sum();
        long labels =
                rows.stream()
                        .flatMapToLong(r -> Arrays.stream(r.labels()).skip(1))
                        .filter(label -> label >= 0)
                        .count();
        try (GradientMode mode = GradientMode.off()) {
            for (NDArray weight : weights) {
                layer(weight, tokens);
            }
            pair(head, labels);
        }
        return Double.NaN;
    }

    private void layer(NDArray weight, long tokens) {
        long out = weight.getShape().get(0);
        long in = weight.getShape().get(1);
        NDArray x = array(tokens, in);
        NDArray dy = array(tokens, out);
        NDArray a = array(RANK, in);
        NDArray b = array(out, RANK);
        pair(weight, tokens);
        try (NDArray xa = TorchOps.linear(x, a);
                NDArray y = TorchOps.linear(xa, b);
                NDArray h = dy.matMul(b);
                NDArray dx = h.matMul(a);
                NDArray ht = h.transpose();
                NDArray da = ht.matMul(x);
                NDArray dyt = dy.transpose();
                NDArray db = dyt.matMul(xa)) {
            // Only their time counts.
        }
    }

    private void pair(NDArray weight, long rows) {
        NDArray x = array(rows, weight.getShape().get(1));
        NDArray dy = array(rows, weight.getShape().get(0));
        TorchOps.linear(x, weight).close();
        dy.matMul(weight).close();
    }

    private NDArray array(long rows, long columns) {
        return arrays.computeIfAbsent(
                new Shape(rows, columns),
                shape -> {
                    try (NDArray numbers = manager.randomNormal(shape)) {
                        return TorchOps.toTypeOf(numbers, head).duplicate();
                    }
                });
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        manager.close();
        model.close();
    }
}

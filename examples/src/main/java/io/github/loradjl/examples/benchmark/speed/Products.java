package io.github.loradjl.examples.benchmark.speed;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;

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
import io.github.loradjl.zoo.llama.LlamaConfig;
import io.github.loradjl.zoo.llama.LlamaForCausalLM;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The floor of a step: nothing but the products of matrices that it cannot do without, each on
 * arrays that are there already.
 *
 * <p>Those are, for each adapted layer, x W<sup>T</sup>, x A<sup>T</sup>, (x A<sup>T</sup>) B
 * <sup>T</sup>; in the backward pass dy W, dy B, and the gradients of A and B with (dy B) A, where
 * layers of one input have their A one below the other as one matrix; for the head, on the rows
 * that have labels, h W<sup>T</sup> and dlogits W; and for each layer's attention Q K<sup>T</sup>
 * and P V, in the backward pass Q K<sup>T</sup> again, dO V<sup>T</sup>, dS K, dS<sup>T</sup> Q and
 * P<sup>T</sup> dO. Those of attention are of all keys, as if none were hidden, in the model's
 * type.
 */
final class Products implements Work {

    private static final int RANK = 8;
    private static final Set<String> HEADS = Set.of("model.embed_tokens", "lm_head");

    /** Layers that share the input of the first. */
    private static final Map<String, String> INPUTS =
            Map.of("k_proj", "q_proj", "v_proj", "q_proj", "up_proj", "gate_proj");

    private final ZooModel<NDList, NDList> model;
    private final NDManager manager;
    private final Batches batches;
    private final boolean attentionOnly;
    private final LlamaConfig config;

    /** The weights of the layers of each input. */
    private final Map<String, List<NDArray>> weights = new LinkedHashMap<>();

    private final Map<Shape, NDArray> arrays = new HashMap<>();
    private final NDArray head;

    /**
     * Creates the work.
     *
     * @param model a LLaMA without adapters
     * @param batches the batches
     * @param attentionOnly true for the products within attention alone
     */
    Products(ZooModel<NDList, NDList> model, Batches batches, boolean attentionOnly) {
        this.model = model;
        this.batches = batches;
        this.attentionOnly = attentionOnly;
        config = ((LlamaForCausalLM) model.getBlock()).getConfig();
        manager = model.getNDManager().newSubManager();
        NDArray last = null;
        for (BlockTree.Node node : BlockTree.walk(model.getBlock())) {
            Parameter weight = node.block().getDirectParameters().get("weight");
            if (node.block() instanceof Linear) {
                int end = node.path().lastIndexOf('.') + 1;
                String name = node.path().substring(end);
                String input = node.path().substring(0, end) + INPUTS.getOrDefault(name, name);
                weights.computeIfAbsent(input, i -> new ArrayList<>()).add(weight.getArray());
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
        try (GradientMode mode = GradientMode.off()) {
            if (!attentionOnly) {
                linear(rows);
            }
            Map<Integer, Long> lengths =
                    rows.stream().collect(groupingBy(row -> row.ids().length, counting()));
            for (int layer = 0; layer < config.getLayers(); layer++) {
                lengths.forEach((length, texts) -> attention(texts, length));
            }
        }
        return Double.NaN;
    }

    private void linear(List<Batches.Row> rows) {
        long tokens = rows.stream().mapToLong(row -> row.ids().length).sum();
        long labels =
                rows.stream()
                        .flatMapToLong(r -> Arrays.stream(r.labels()).skip(1))
                        .filter(label -> label >= 0)
                        .count();
        for (List<NDArray> together : weights.values()) {
            layers(together, tokens);
        }
        pair(head, labels);
    }

    private void attention(long texts, long length) {
        long heads = texts * config.getKeyValueHeads();
        long queries = length * config.getHeads() / config.getKeyValueHeads();
        // Q and dO, K and V, P and dS are of one shape each.
        NDArray q = array(heads, queries, config.getHeadSize());
        NDArray k = array(heads, length, config.getHeadSize());
        NDArray p = array(heads, queries, length);
        try (NDArray kt = k.transpose(0, 2, 1);
                NDArray pt = p.transpose(0, 2, 1)) {
            q.batchMatMul(kt).close();
            p.batchMatMul(k).close();
            q.batchMatMul(kt).close();
            q.batchMatMul(kt).close();
            p.batchMatMul(k).close();
            pt.batchMatMul(q).close();
            pt.batchMatMul(q).close();
        }
    }

    private void layers(List<NDArray> together, long tokens) {
        long in = together.get(0).getShape().get(1);
        long ranks = (long) RANK * together.size();
        NDArray x = array(tokens, in);
        NDArray a = array(ranks, in);
        NDArray h = array(tokens, ranks);
        try (NDArray xa = TorchOps.linear(x, a);
                NDArray dx = h.matMul(a);
                NDArray ht = h.transpose();
                NDArray da = ht.matMul(x)) {
            // Only their time counts.
        }
        for (NDArray weight : together) {
            long out = weight.getShape().get(0);
            NDArray dy = array(tokens, out);
            NDArray b = array(out, RANK);
            NDArray xa = array(tokens, RANK);
            pair(weight, tokens);
            try (NDArray y = TorchOps.linear(xa, b);
                    NDArray own = dy.matMul(b);
                    NDArray dyt = dy.transpose();
                    NDArray db = dyt.matMul(xa)) {
                // Likewise.
            }
        }
    }

    private void pair(NDArray weight, long rows) {
        NDArray x = array(rows, weight.getShape().get(1));
        NDArray dy = array(rows, weight.getShape().get(0));
        TorchOps.linear(x, weight).close();
        dy.matMul(weight).close();
    }

    private NDArray array(long... sizes) {
        return arrays.computeIfAbsent(
                new Shape(sizes),
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

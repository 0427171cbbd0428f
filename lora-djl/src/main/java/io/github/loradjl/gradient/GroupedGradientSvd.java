package io.github.loradjl.gradient;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;

import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.init.GradientFactors;
import io.github.loradjl.staged.LeafStore;
import io.github.loradjl.staged.StagedTraining;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Ordinary backward passes through the whole block, for a group of targets at a time. One group of
 * all targets is the whole-model strategy; small groups are the serial one.
 */
final class GroupedGradientSvd implements GradientSvd {

    private final int groupSize;

    GroupedGradientSvd(int groupSize) {
        if (groupSize < 1) {
            throw new IllegalArgumentException("a group needs at least one target");
        }
        this.groupSize = groupSize;
    }

    @Override
    public Map<String, GradientFactors> compute(GradientTask task) {
        List<LoraLinear> layers = new ArrayList<>(task.targets().values());
        Map<String, GradientFactors> factors = new LinkedHashMap<>();
        int groups = (layers.size() - 1) / Math.min(groupSize, layers.size()) + 1;
        task.begin("Gradients", (long) groups * task.batches().size());
        for (int from = 0; from < layers.size(); from += Math.min(groupSize, layers.size())) {
            int to = (int) Math.min((long) from + groupSize, layers.size());
            List<LoraLinear> group = layers.subList(from, to);
            try (GradientSum sum = new GradientSum(task)) {
                List<Parameter> weights =
                        group.stream().map(LoraLinear::getWeightParameter).toList();
                for (int b = 0; b < task.batches().size(); b++) {
                    try (NDManager scope = task.manager().newSubManager();
                            LeafStore store = new LeafStore(task.newStore(scope), scope)) {
                        store.track(weights);
                        backward(task, b, store, Optional.empty());
                        sum.add(store, group);
                    }
                    task.advance();
                }
                group.forEach(layer -> factors.put(layer.getPath(), sum.reduce(layer)));
            }
        }
        task.end();
        return factors;
    }

    /**
     * Runs one batch through the block and back.
     *
     * @param training how the loss is computed, or empty for the block's own way
     */
    static void backward(
            GradientTask task, int index, ParameterStore store, Optional<StagedTraining> training) {
        Batch batch = task.batches().get(index);
        TorchOps.seed(task.seedOf(index));
        try (GradientMode mode = GradientMode.on();
                NDManager scope = task.manager().newSubManager()) {
            // Intermediates belong to the manager of the data or the labels.
            NDList data = TorchOps.aliases(batch.getData(), scope);
            NDList labels = TorchOps.aliases(batch.getLabels(), scope);
            NDList output =
                    training.isPresent()
                            ? training.get().forward(store, data, labels)
                            : task.base().forward(store, data, labels, null);
            NDArray loss = task.loss().evaluate(labels, output);
            // Where the loss depends on no target of the group, the missing gradients are an error
            // later.
            if (TorchOps.requiresGradient(loss)) {
                TorchOps.backward(loss);
            }
            loss.close();
        }
    }
}

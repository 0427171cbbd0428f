package io.github.loradjl.gradient;

import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;

import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.init.GradientFactors;
import io.github.loradjl.staged.ActivationStore;
import io.github.loradjl.staged.LeafStore;
import io.github.loradjl.staged.Stage;
import io.github.loradjl.staged.StagedBlock;
import io.github.loradjl.staged.StagedBlocks;
import io.github.loradjl.staged.StagedPass;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The gradient pass that never holds more than one stage's gradients.
 *
 * <p>All batches run forward once, keeping the input of each stage. Then, from the last stage to
 * the first that has a target: each batch's stage is run again and backward, the gradients of the
 * stage's targets are summed over the batches, reduced to their factors and freed. The cost is
 * about one checkpointed training step per batch; the memory that of one stage, beside the kept
 * inputs.
 *
 * <p>A target that several stages use is reduced after the lowest of them.
 */
final class LayerByLayerGradientSvd implements GradientSvd {

    private static final Logger logger = LoggerFactory.getLogger(LayerByLayerGradientSvd.class);

    private final long memoryLimit;

    LayerByLayerGradientSvd(long memoryLimit) {
        this.memoryLimit = memoryLimit;
    }

    @Override
    public Map<String, GradientFactors> compute(GradientTask task) {
        StagedBlock block =
                task.stages()
                        .orElseThrow(
                                () ->
                                        new IllegalArgumentException(
                                                task.base().getClass().getSimpleName()
                                                        + " is not a chain of stages: use the"
                                                        + " whole-model, serial or probe strategy,"
                                                        + " or implement StagedBlock"));
        List<Stage> stages = block.getStages();
        List<Parameter> weights =
                task.targets().values().stream().map(LoraLinear::getWeightParameter).toList();
        int lowest = StagedBlocks.lowestStage(block, weights);
        Map<String, GradientFactors> factors = new LinkedHashMap<>();
        task.begin("Gradients", (long) task.batches().size() * (stages.size() - lowest + 1));
        try (NDManager scope = task.manager().newSubManager();
                ActivationStore activations = new ActivationStore(scope, memoryLimit);
                GradientSum sum = new GradientSum(task)) {
            ParameterStore store = task.newStore(scope);
            List<StagedPass> passes = forward(task, block, store, activations, scope);
            for (int s = stages.size() - 1; s >= lowest; s--) {
                List<LoraLinear> layers = targetsOf(stages.get(s), task);
                for (StagedPass pass : passes) {
                    backward(pass, s, lowest, store, layers, task, sum, scope);
                    task.advance();
                }
                for (LoraLinear layer : layers) {
                    if (lowestStageOf(layer, block) == s) {
                        factors.put(layer.getPath(), sum.reduce(layer));
                    }
                }
            }
            passes.forEach(StagedPass::close);
            logger.info(
                    "Stage inputs of {} batches: {} bytes, {} of them in a file.",
                    passes.size(),
                    activations.getPeakBytes(),
                    activations.getSpilledBytes());
        }
        task.end();
        Map<String, GradientFactors> ordered = new LinkedHashMap<>();
        task.targets().keySet().forEach(path -> ordered.put(path, factors.get(path)));
        return ordered;
    }

    private static List<StagedPass> forward(
            GradientTask task,
            StagedBlock block,
            ParameterStore store,
            ActivationStore activations,
            NDManager scope) {
        List<StagedPass> passes = new ArrayList<>();
        for (int b = 0; b < task.batches().size(); b++) {
            Batch batch = task.batches().get(b);
            StagedPass pass =
                    new StagedPass(
                            block,
                            batch.getData(),
                            batch.getLabels(),
                            task.seedOf(b),
                            activations,
                            scope);
            pass.forward(store);
            passes.add(pass);
            task.advance();
        }
        return passes;
    }

    private static void backward(
            StagedPass pass,
            int s,
            int lowest,
            ParameterStore store,
            List<LoraLinear> layers,
            GradientTask task,
            GradientSum sum,
            NDManager scope) {
        try (LeafStore leaves = new LeafStore(store, scope)) {
            leaves.track(layers.stream().map(LoraLinear::getWeightParameter).toList());
            pass.backward(s, leaves, task.loss(), s > lowest);
            sum.add(leaves, layers);
        }
    }

    private static List<LoraLinear> targetsOf(Stage stage, GradientTask task) {
        List<LoraLinear> layers = new ArrayList<>();
        for (Block part : stage.getBlocks()) {
            for (BlockTree.Node node : BlockTree.walk(part)) {
                if (node.block() instanceof LoraLinear layer
                        && task.targets().get(layer.getPath()) == layer
                        && !layers.contains(layer)) {
                    layers.add(layer);
                }
            }
        }
        return layers;
    }

    private static int lowestStageOf(LoraLinear layer, StagedBlock block) {
        return StagedBlocks.lowestStage(block, List.of(layer.getWeightParameter()));
    }
}

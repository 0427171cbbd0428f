package io.github.loradjl.gradient;

import io.github.loradjl.init.GradientFactors;
import io.github.loradjl.init.GradientKind;

import java.util.Map;

/**
 * A way to find the leading singular vectors of the gradient of each target weight, averaged over
 * calibration batches: one result, different costs.
 *
 * <table>
 * <caption>The strategies</caption>
 * <tr><th>strategy</th><th>passes over the data</th><th>memory beside the model</th></tr>
 * <tr><td>{@link #wholeModel}</td><td>1</td><td>all targets' gradients, all activations</td></tr>
 * <tr><td>{@link #serial}</td><td>one per group</td><td>a group's gradients, all activations</td></tr>
 * <tr><td>{@link #layerByLayer}</td><td>1, recomputed once</td>
 *     <td>one stage's gradients and activations, all stages' inputs</td></tr>
 * <tr><td>{@link #probe}</td><td>2 + 2 x power iterations</td><td>that of a LoRA step</td></tr>
 * </table>
 *
 * @see <a href="https://arxiv.org/abs/2407.05000">LoRA-GA</a>
 */
public interface GradientSvd {

    /**
     * Computes the leading singular vectors, and what else the task's start keeps of the gradients.
     *
     * @param task what to decompose
     * @return factors by target path, owned by the task's manager
     * @throws IllegalArgumentException if the strategy cannot serve the task
     * @throws IllegalStateException if a target receives no gradient
     */
    Map<String, GradientFactors> compute(GradientTask task);

    /**
     * Returns the default: layer by layer where the model is a chain of stages, else the whole
     * model at once.
     *
     * @return the strategy
     */
    static GradientSvd automatic() {
        return task -> (task.stages().isPresent() ? layerByLayer() : wholeModel()).compute(task);
    }

    /**
     * Returns the strategy of one backward pass with all targets.
     *
     * @return the strategy
     */
    static GradientSvd wholeModel() {
        return new GroupedGradientSvd(Integer.MAX_VALUE);
    }

    /**
     * Returns the strategy of one pass for each group of targets.
     *
     * @param targets the number of targets in a group
     * @return the strategy
     */
    static GradientSvd serial(int targets) {
        return new GroupedGradientSvd(targets);
    }

    /**
     * Returns the strategy that goes down the stages of a chain, recomputing each; the inputs of
     * the stages are kept in memory.
     *
     * @return the strategy
     */
    static GradientSvd layerByLayer() {
        return layerByLayer(Long.MAX_VALUE);
    }

    /**
     * Returns the strategy that goes down the stages of a chain, recomputing each.
     *
     * @param memoryLimit the bytes of stage inputs to keep in memory; the rest goes to a temporary
     *     file
     * @return the strategy
     */
    static GradientSvd layerByLayer(long memoryLimit) {
        return new LayerByLayerGradientSvd(memoryLimit);
    }

    /**
     * Returns the strategy that never forms a gradient, with the power iterations of the task's
     * decomposition. It serves {@link GradientKind#SGD} alone: the others take signs of the
     * gradient's entries.
     *
     * @return the strategy
     */
    static GradientSvd probe() {
        return new ProbeGradientSvd();
    }
}

package io.github.loradjl;

import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;
import ai.djl.training.loss.Loss;

import io.github.loradjl.adapter.AdapterSelection;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.LowRankUpdate;
import io.github.loradjl.adapter.RunningStatistics;
import io.github.loradjl.gradient.GradientTask;
import io.github.loradjl.init.GradientFactors;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.init.LoraStart;
import io.github.loradjl.torch.TorchOps;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Starts LoRA-GA adapters: one pass over a few batches finds the gradient of each target weight of
 * the base model, and its leading singular vectors, or a pair fitted to its signs, become A and B.
 *
 * <p>The pass runs the base model in training mode without any adapter. It touches neither the base
 * weights nor their gradients, keeps running statistics fixed, draws dropout from a seed of its own
 * and seeds LibTorch's generator from the engine's seed afterwards. Let predictions in other
 * threads end first: a strategy may put temporary adapters in the place of all others.
 *
 * @see <a href="https://arxiv.org/abs/2407.05000">LoRA-GA: Low-Rank Adaptation with Gradient
 *     Approximation</a>
 */
public final class LoraGa {

    private LoraGa() {}

    /**
     * Starts all active adapters that wait for it, with the default strategy.
     *
     * @param lora the adapted model
     * @param loss the loss of the training to come
     * @param batches calibration batches, on the model's device; left open. Those of DJL's data
     *     sets are closed when an iteration ends: {@code LoraGaListener} copes with that
     * @return what the starts hold; empty if no adapter waits
     * @throws IllegalArgumentException if there are no batches
     * @throws IllegalStateException if a target receives no gradient, adapters are merged or the
     *     model is detached; no adapter is started then
     */
    public static LoraGaReport start(LoraModel lora, Loss loss, Iterable<? extends Batch> batches) {
        return start(lora, loss, batches, LoraGaOptions.defaults());
    }

    /**
     * Starts all active adapters that wait for it.
     *
     * @param lora the adapted model
     * @param loss the loss of the training to come
     * @param batches calibration batches, on the model's device; left open. Those of DJL's data
     *     sets are closed when an iteration ends: {@code LoraGaListener} copes with that
     * @param options the strategy and the rest
     * @return what the starts hold; empty if no adapter waits
     * @throws IllegalArgumentException if there are no batches
     * @throws IllegalStateException if a target receives no gradient, adapters are merged or the
     *     model is detached; no adapter is started then
     */
    public static LoraGaReport start(
            LoraModel lora, Loss loss, Iterable<? extends Batch> batches, LoraGaOptions options) {
        lora.checkOpen();
        List<String> waiting = lora.getActive().stream().filter(lora::isStartPending).toList();
        if (waiting.isEmpty()) {
            return new LoraGaReport(Map.of());
        }
        if (!lora.getMerged().isEmpty()) {
            throw new IllegalStateException(
                    "adapters "
                            + lora.getMerged()
                            + " are merged: unmerge before the gradient pass");
        }
        List<Batch> calibration = new ArrayList<>();
        batches.forEach(calibration::add);
        if (calibration.isEmpty()) {
            throw new IllegalArgumentException(
                    "there are no calibration batches: the gradient needs at least one");
        }
        Map<String, LoraGaReport.Target> report = new LinkedHashMap<>();
        try (AdapterSelection.Scope baseAlone = lora.baseAlone();
                RunningStatistics fixed = RunningStatistics.freeze(lora.getBase());
                NDManager scope = lora.getManager().newSubManager()) {
            Map<String, Map<String, GradientFactors>> gradients = new LinkedHashMap<>();
            for (String name : waiting) {
                GradientTask task = task(lora, name, loss, calibration, options, scope);
                gradients.put(name, options.getStrategy().compute(task));
            }
            // Only now, so that a failure above leaves all adapters waiting.
            gradients.forEach((name, factors) -> start(lora, name, factors, report));
        } finally {
            Integer seed = lora.getModel().getNDManager().getEngine().getSeed();
            TorchOps.seed(seed == null ? System.nanoTime() : seed);
        }
        return new LoraGaReport(report);
    }

    private static GradientTask task(
            LoraModel lora,
            String name,
            Loss loss,
            List<Batch> calibration,
            LoraGaOptions options,
            NDManager scope) {
        LoraConfig config = lora.getConfig(name);
        // Another start that asks for the gradient gets it as LoraGaInit does by default.
        LoraGaInit init = config.getInit() instanceof LoraGaInit own ? own : LoraInit.loraGa();
        Map<String, LoraLinear> targets = lora.getTargets(name);
        Map<String, Integer> counts = new LinkedHashMap<>();
        targets.forEach(
                (path, layer) -> {
                    long available = Math.min(layer.getOut(), layer.getIn());
                    counts.put(path, (int) Math.min(2L * config.rankOf(path), available));
                });
        return new GradientTask(
                lora.getBase(),
                targets,
                counts,
                loss,
                calibration,
                init,
                config.getSeed(),
                options.getSeed(),
                scope,
                options.getProgress());
    }

    private static void start(
            LoraModel lora,
            String name,
            Map<String, GradientFactors> gradients,
            Map<String, LoraGaReport.Target> report) {
        Map<String, LoraLinear> targets = lora.getTargets(name);
        gradients.forEach(
                (path, factors) -> {
                    lora.start(name, targets.get(path), factors);
                    report.put(path, describe(targets.get(path), name, factors));
                    factors.close();
                });
        lora.started(name);
    }

    private static LoraGaReport.Target describe(
            LoraLinear layer, String name, GradientFactors gradient) {
        LowRankUpdate update = layer.get(name);
        double weight = Math.sqrt(TorchOps.squareSum(layer.getWeight()));
        double start = new LoraStart(update.getA(), update.getB()).productNorm(update.getScaling());
        return new LoraGaReport.Target(
                update.getRank(),
                Math.sqrt(gradient.leading().energy()),
                gradient.captured(),
                start / weight);
    }
}

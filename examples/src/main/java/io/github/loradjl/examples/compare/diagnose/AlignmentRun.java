package io.github.loradjl.examples.compare.diagnose;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.ParameterTracker;
import ai.djl.training.tracker.Tracker;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraGa;
import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.LowRankUpdate;
import io.github.loradjl.examples.compare.Method;
import io.github.loradjl.examples.compare.MethodSetup;
import io.github.loradjl.examples.compare.Setup;
import io.github.loradjl.init.LoraStart;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.training.AdamW;
import io.github.loradjl.zoo.block.LanguageModel;
import io.github.loradjl.zoo.text.TextDataset;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.Function;

/**
 * Trains an adapter and, beside it, the whole model from the weights that the adapted one begins
 * with on the same batches, and compares their steps.
 *
 * <p>A third copy of the model takes the weights that the adapted one computes with, and so tells
 * the gradient that full fine-tuning would follow at the adapter's own point.
 */
final class AlignmentRun {

    /** Singular values below this share of the largest are rounding. */
    private static final double SMALLEST = 1e-5;

    private static final int SEED = 0;

    private final Setup setup;
    private final Method method;
    private final Function<ParameterTracker, Optimizer> optimizers;
    private final Tracker rate;
    private final Alignment.Curve curve;
    private int rank;
    private int bound;

    /**
     * Creates a run.
     *
     * @param optimizers makes an optimizer of the learning rates
     * @param rate the learning rate before the method makes more of it
     * @param curve takes a value of each kind after each step
     */
    AlignmentRun(
            Setup setup,
            Method method,
            Function<ParameterTracker, Optimizer> optimizers,
            Tracker rate,
            Alignment.Curve curve) {
        this.setup = setup;
        this.method = method;
        this.optimizers = optimizers;
        this.rate = rate;
        this.curve = curve;
    }

    /**
     * Trains.
     *
     * @throws IllegalArgumentException if the model cannot take the adapter
     * @throws IllegalStateException if the adapter cannot be trained, or does not stay finite
     * @throws CancellationException if the setup asks to stop
     */
    void run(int steps) throws IOException, MalformedModelException {
        LoraConfig common = setup.recipe().adapter();
        try (ZooModel<NDList, NDList> base = setup.models().frozen();
                LoraModel lora = MethodSetup.attach(base, method, common, SEED);
                ZooModel<NDList, NDList> full = setup.models().trainable();
                ZooModel<NDList, NDList> shadow = setup.models().trainable();
                NDManager scope = base.getNDManager().newSubManager()) {
            bound = 2 * method.config(common, SEED).getRank();
            TextDataset data = MethodSetup.rows(setup.data(), method, SEED);
            start(lora, data);
            Map<String, LoraLinear> layers = lora.getTargets(LoraModel.DEFAULT_ADAPTER);
            LayerArrays ofFull = LayerArrays.weights(full, layers.keySet());
            LayerArrays ofShadow = LayerArrays.weights(shadow, layers.keySet());
            LayerArrays origin = ofShadow.copy(scope);
            // Some starts change the function; full fine-tuning begins there too.
            LayerArrays start = LayerArrays.deltas(layers, scope);
            ofFull.setToSum(origin, start);
            Iterator<Batch> batches = batches(data, steps, scope).iterator();
            Optimizer ofAdapter = optimizers.apply(MethodSetup.rate(lora, method, rate));
            Optimizer ofWhole = optimizers.apply(rate);
            try (Trainer adapting = trainer(base, (LanguageModel) lora.getBase(), ofAdapter);
                    Trainer training = trainer(full, (LanguageModel) full.getBlock(), ofWhole)) {
                while (batches.hasNext()) {
                    if (setup.stop().getAsBoolean()) {
                        throw new CancellationException("interrupted");
                    }
                    try (Batch batch = batches.next();
                            NDManager step = scope.newSubManager()) {
                        LayerArrays before = LayerArrays.deltas(layers, step);
                        ofShadow.setToSum(origin, before);
                        LayerArrays gradient = gradient(shadow, ofShadow, batch, step);
                        requireFinite(gradient.square());
                        rank = Math.max(rank, effectiveRank(layers, gradient));
                        backward(adapting, batch);
                        adapting.step();
                        LayerArrays after = LayerArrays.deltas(layers, step);
                        LayerArrays moved = after.minus(before, step);
                        before.close();
                        LayerArrays change = after.minus(start, step);
                        after.close();
                        LayerArrays fullBefore = ofFull.copy(step);
                        backward(training, batch);
                        LayerArrays fullGradient = ofFull.gradients(step);
                        training.step();
                        LayerArrays fullMoved = ofFull.minus(fullBefore, step);
                        fullBefore.close();
                        add(moved, gradient, fullMoved, fullGradient);
                        fullGradient.close();
                        LayerArrays fullShift = ofFull.minus(origin, step);
                        LayerArrays fullChange = fullShift.minus(start, step);
                        curve.withFullChange().add(requireFinite(change.cosine(fullChange)));
                    }
                }
            } finally {
                close(ofAdapter);
                close(ofWhole);
            }
        }
    }

    private void add(
            LayerArrays moved,
            LayerArrays gradient,
            LayerArrays fullMoved,
            LayerArrays fullGradient) {
        double withFullStep = requireFinite(moved.cosine(fullMoved));
        double withGradient = requireFinite(-moved.cosine(gradient));
        double ofFull = requireFinite(-fullMoved.cosine(fullGradient));
        curve.withFullStep().add(withFullStep);
        curve.withGradient().add(withGradient);
        curve.ofFullWithGradient().add(ofFull);
    }

    private double requireFinite(double value) {
        if (!Double.isFinite(value)) {
            throw new IllegalStateException(
                    "the training is finite for "
                            + curve.withFullStep().size()
                            + " steps and no longer");
        }
        return value;
    }

    private static void close(Optimizer optimizer) {
        if (optimizer instanceof AdamW adamW) {
            adamW.close();
        }
    }

    /** Returns the largest effective rank of any layer and step. */
    int rank() {
        return rank;
    }

    /** Returns the largest rank that it could have: 2r, or 0 if the run could not begin. */
    int bound() {
        return bound;
    }

    private void start(LoraModel lora, TextDataset data) throws IOException {
        if (!lora.isStartPending(LoraModel.DEFAULT_ADAPTER)) {
            return;
        }
        int wanted = method.calibrationBatches(setup.recipe().calibrationBatches());
        int count = Math.min(wanted, data.getCalibrationLimit());
        try (NDManager own = lora.getManager().newSubManager()) {
            LoraGa.start(
                    lora,
                    ((LanguageModel) lora.getBase()).newLoss(),
                    data.calibration(count).getData(own));
        }
    }

    private static List<Batch> batches(TextDataset data, int steps, NDManager scope)
            throws IOException {
        List<Batch> batches = new ArrayList<>();
        for (int epoch = 0; batches.size() < steps; epoch++) {
            Iterator<Batch> more = data.getEpoch(scope, epoch, 0).iterator();
            while (batches.size() < steps && more.hasNext()) {
                batches.add(more.next());
            }
        }
        return batches;
    }

    private static Trainer trainer(Model model, LanguageModel block, Optimizer optimizer) {
        Device device = model.getNDManager().getDevice();
        return model.newTrainer(
                new DefaultTrainingConfig(block.newLoss())
                        .optDevices(new Device[] {device})
                        .optOptimizer(optimizer));
    }

    private static void backward(Trainer trainer, Batch batch) {
        TorchOps.seed(0);
        try (GradientCollector collector = trainer.newGradientCollector();
                NDList outputs = trainer.forward(batch.getData(), batch.getLabels())) {
            collector.backward(outputs.head());
        }
    }

    private static LayerArrays gradient(
            Model model, LayerArrays weights, Batch batch, NDManager owner) {
        TorchOps.seed(0);
        ParameterStore store = new ParameterStore(owner, false);
        try (GradientCollector collector = Engine.getInstance().newGradientCollector();
                NDList outputs =
                        model.getBlock().forward(store, batch.getData(), batch.getLabels(), null)) {
            collector.backward(outputs.head());
        }
        LayerArrays gradients = weights.gradients(owner);
        for (Parameter parameter : model.getBlock().getParameters().values()) {
            TorchOps.zeroGradient(parameter.getArray());
        }
        return gradients;
    }

    /**
     * Returns the largest rank, over the layers, of the change of the weight that a small step of
     * gradient descent on A and B makes.
     */
    private static int effectiveRank(Map<String, LoraLinear> layers, LayerArrays gradients) {
        int most = 0;
        for (Map.Entry<String, LoraLinear> entry : layers.entrySet()) {
            LowRankUpdate update = entry.getValue().get(LoraModel.DEFAULT_ADAPTER);
            LoraStart point = new LoraStart(update.getA(), update.getB());
            NDArray gradient = gradients.byPath().get(entry.getKey());
            try (NDArray step = point.firstStep(gradient, update.getScaling());
                    NDList usv = TorchOps.svd(step)) {
                float[] values = usv.get(1).toFloatArray();
                int count = 0;
                while (count < values.length && values[count] > SMALLEST * values[0]) {
                    count++;
                }
                most = Math.max(most, count);
            }
        }
        return most;
    }
}

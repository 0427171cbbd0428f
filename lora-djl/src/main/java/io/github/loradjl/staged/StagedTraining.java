package io.github.loradjl.staged;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.loss.Loss;

import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.torch.BackwardOps;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;

/**
 * The forward pass of training with the backward pass inside it, stage by stage.
 *
 * <p>Two kinds: stages that know their backward pass by formulas are recorded, which keeps less and
 * takes less time than a graph of everything; or, with activation checkpointing, the input of each
 * stage alone is kept and the stage run again, at the price of one more forward pass.
 *
 * <p>DJL has no operation with a backward of one's own. So the whole pass, backward included, runs
 * inside the forward call, on second handles of the trainable parameters, and what is returned is
 *
 * <pre>
 *   loss + sum over parameters p of (&lt;p, g_p&gt; - its value)
 * </pre>
 *
 * <p>with the gradients g_p as constants: a scalar that has the value of the loss and, whatever it
 * is scaled by, exactly its gradients.
 *
 * @see <a href="https://arxiv.org/abs/1604.06174">Training Deep Nets with Sublinear Memory Cost</a>
 */
public final class StagedTraining {

    private final StagedBlock block;
    private final Loss loss;
    private final boolean checkpointing;
    private final Supplier<Collection<Parameter>> trainable;

    private StagedTraining(
            StagedBlock block,
            Loss loss,
            boolean checkpointing,
            Supplier<Collection<Parameter>> trainable) {
        this.block = block;
        this.loss = new ComputedLoss(loss);
        this.checkpointing = checkpointing;
        this.trainable = trainable;
    }

    /**
     * Trains on recorded stages.
     *
     * @param block the chain of stages, whose last computes the loss by itself
     * @param trainable the parameters that get gradients
     * @return the pass; to be used while {@link #isPossible}
     */
    public static StagedTraining recorded(
            StagedBlock block, Supplier<Collection<Parameter>> trainable) {
        return new StagedTraining(block, null, false, trainable);
    }

    /**
     * Trains with activation checkpointing.
     *
     * @param block the chain of stages
     * @param loss the loss function
     * @param trainable the parameters that get gradients
     * @return the pass
     */
    public static StagedTraining checkpointed(
            StagedBlock block, Loss loss, Supplier<Collection<Parameter>> trainable) {
        return new StagedTraining(block, loss, true, trainable);
    }

    /**
     * Returns the loss to train with: what the forward pass has computed already passes through.
     *
     * @return the loss
     */
    public Loss getLoss() {
        return loss;
    }

    /**
     * Tells whether all stages but the first and the last can be recorded as they are now; always
     * true with checkpointing.
     *
     * @return true if this pass can be used
     */
    public boolean isPossible() {
        List<Stage> stages = block.getStages();
        return checkpointing
                || stages.size() > 2
                        && stages.subList(1, stages.size() - 1).stream()
                                .allMatch(Stage::isRecordable);
    }

    /** The loss of predictions, or the scalar that stands in their place. */
    private static final class ComputedLoss extends Loss {

        private final Loss ofPredictions;

        ComputedLoss(Loss ofPredictions) {
            super(ofPredictions == null ? "Loss" : ofPredictions.getName());
            this.ofPredictions = ofPredictions;
        }

        /** {@inheritDoc} */
        @Override
        public NDArray evaluate(NDList labels, NDList predictions) {
            boolean computed = predictions.head().getShape().dimension() == 0;
            return computed ? predictions.head() : ofPredictions.evaluate(labels, predictions);
        }
    }

    /**
     * Computes the loss of a batch, ready for a backward pass. The dropout of all stages follows
     * from the state that LibTorch's generator is in.
     *
     * @param store the parameter store
     * @param data the batch's data
     * @param labels the batch's labels
     * @return the scalar loss, owned by the data's manager, and what the last stage gave beside it
     */
    public NDList forward(ParameterStore store, NDList data, NDList labels) {
        NDManager owner = data.head().getManager();
        Collection<Parameter> parameters = trainable.get();
        int last = block.getStages().size() - 1;
        int lowest = StagedBlocks.lowestStage(block, parameters);
        long seed = draw(owner);
        try (NDManager scope = owner.newSubManager();
                ActivationStore activations = new ActivationStore(scope, Long.MAX_VALUE);
                LeafStore leaves = new LeafStore(store, scope);
                StagedPass pass = new StagedPass(block, data, labels, seed, activations, scope)) {
            leaves.track(parameters);
            if (checkpointing) {
                pass.forward(leaves);
            } else {
                pass.record(leaves);
            }
            for (int s = last; s >= lowest; s--) {
                pass.backwardAgain(s, leaves, loss, s > lowest);
            }
            NDArray result = withGradients(owner.create(pass.getLoss()), parameters, store, leaves);
            NDList all = new NDList(result);
            pass.getExtras().forEach(extra -> all.add(owner.create(extra)));
            return all;
        } finally {
            // The stages have seeded the generator: another batch must not repeat their numbers.
            TorchOps.seed(RandomMatrix.seedFor(seed, "after the pass"));
        }
    }

    private static long draw(NDManager manager) {
        try (NDArray number =
                manager.randomInteger(0, Long.MAX_VALUE, new Shape(1), DataType.INT64)) {
            return number.getLong();
        }
    }

    private static NDArray withGradients(
            NDArray value,
            Collection<Parameter> parameters,
            ParameterStore store,
            LeafStore leaves) {
        List<NDArray> arrays = new ArrayList<>();
        List<NDArray> gradients = new ArrayList<>();
        for (Parameter parameter : parameters) {
            NDArray gradient = leaves.gradient(parameter);
            if (gradient != null) {
                arrays.add(store.getValue(parameter, value.getDevice(), true));
                gradients.add(gradient);
            }
        }
        if (arrays.isEmpty()) {
            return value;
        }
        NDArray all;
        try (GradientMode mode = GradientMode.off()) {
            all = BackwardOps.flattened(gradients);
        }
        try (value;
                all;
                GradientMode mode = GradientMode.on()) {
            return BackwardOps.withGradients(arrays, value, all);
        }
    }
}

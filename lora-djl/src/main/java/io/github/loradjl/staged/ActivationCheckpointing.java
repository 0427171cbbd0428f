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
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.util.Collection;
import java.util.function.Supplier;

/**
 * The forward pass of training with activation checkpointing: one stage's activations in memory
 * instead of all, for one more forward pass of time.
 *
 * <p>DJL has no operation with a backward of one's own. So the whole staged pass, backward
 * included, runs inside the forward call, on second handles of the trainable parameters, and what
 * is returned is
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
public final class ActivationCheckpointing {

    private final StagedBlock block;
    private final Loss loss;
    private final Supplier<Collection<Parameter>> trainable;

    /**
     * Prepares checkpointed training of a block.
     *
     * @param block the chain of stages
     * @param loss the loss function
     * @param trainable the parameters that get gradients
     */
    public ActivationCheckpointing(
            StagedBlock block, Loss loss, Supplier<Collection<Parameter>> trainable) {
        this.block = block;
        this.loss = loss;
        this.trainable = trainable;
    }

    /**
     * Returns the loss to train with: what the forward pass has computed already passes through.
     *
     * @return the loss
     */
    public Loss getLoss() {
        return new ComputedLoss(loss);
    }

    /** The loss of predictions, or the scalar that stands in their place. */
    private static final class ComputedLoss extends Loss {

        private final Loss ofPredictions;

        ComputedLoss(Loss ofPredictions) {
            super(ofPredictions.getName());
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
            pass.forward(leaves);
            for (int s = last; s >= lowest; s--) {
                pass.backward(s, leaves, loss, s > lowest);
            }
            NDArray result = owner.create(pass.getLoss());
            try (GradientMode mode = GradientMode.on()) {
                for (Parameter parameter : parameters) {
                    NDArray gradient = leaves.gradient(parameter);
                    if (gradient != null) {
                        NDArray value = store.getValue(parameter, result.getDevice(), true);
                        result = addTerm(result, value, gradient);
                    }
                }
            }
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

    private static NDArray addTerm(NDArray sum, NDArray value, NDArray gradient) {
        try (NDArray linear = TorchOps.inner(value, gradient);
                NDArray constant = linear.stopGradient();
                NDArray zero = linear.sub(constant)) {
            NDArray next = sum.add(zero);
            sum.close();
            return next;
        }
    }
}

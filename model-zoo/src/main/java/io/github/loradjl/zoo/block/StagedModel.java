package io.github.loradjl.zoo.block;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import ai.djl.training.loss.Loss;
import ai.djl.util.PairList;

import io.github.loradjl.adapter.StoredWeights;
import io.github.loradjl.staged.Stage;
import io.github.loradjl.staged.StagedBlock;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.training.TokenCounter;

import java.io.DataInputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A model that is a chain of stages with the names of a Hugging Face checkpoint.
 *
 * <p>{@code forward(data)} gives logits, {@code forward(data, labels)} the mean loss and the number
 * of labels that were the most probable, both float32 scalars. Forward passes with {@code training}
 * false record no gradients, in whichever thread.
 */
public abstract class StagedModel extends ModelBlock implements StagedBlock, StoredWeights {

    private StoredWeights storedWeights;

    /** Creates a model. */
    protected StagedModel() {}

    /**
     * Runs the last stage as far as the loss.
     *
     * @param store the parameter store
     * @param inputs the output of the stage before
     * @param labels the labels
     * @param training true to run in training mode
     * @return the mean loss and the number of labels predicted
     */
    protected abstract NDList loss(
            ParameterStore store, NDList inputs, NDList labels, boolean training);

    /**
     * Returns the tensors by which some checkpoints repeat a parameter.
     *
     * @return the paths of parameters by the names of their copies
     */
    public abstract Map<String, String> getCopies();

    /**
     * Tells whether a tensor of some checkpoints is one that the model does without.
     *
     * @param tensor its name
     * @return true if it is
     */
    public abstract boolean isUnused(String tensor);

    /**
     * Returns the parameters that are this library's own: a checkpoint need not have them, and they
     * are float32 whatever the type of the others.
     *
     * @return their paths, none unless overridden
     */
    public Set<String> getOwnParameters() {
        return Set.of();
    }

    /**
     * Makes the loss of this kind of model.
     *
     * @return a new loss
     */
    public abstract Loss newLoss();

    /**
     * Makes what counts the tokens of batches for this kind of model.
     *
     * @return a counter
     */
    public abstract TokenCounter newTokenCounter();

    /**
     * Says which checkpoint the weights came from.
     *
     * @param storedWeights the digests of its tensors, or null for weights from nowhere
     */
    public void setStoredWeights(StoredWeights storedWeights) {
        this.storedWeights = storedWeights;
    }

    /** {@inheritDoc} */
    @Override
    public byte[] sha256(String parameterPath) {
        return storedWeights == null ? null : storedWeights.sha256(parameterPath);
    }

    /** {@inheritDoc} */
    @Override
    public void weightsChanged() {
        storedWeights = null;
    }

    /**
     * {@inheritDoc}
     *
     * <p>The weights are then no longer those of the checkpoint.
     */
    @Override
    public void loadParameters(NDManager manager, DataInputStream is)
            throws IOException, MalformedModelException {
        weightsChanged();
        super.loadParameters(manager, is);
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore store, NDList data, boolean training, PairList<String, Object> params) {
        if (training) {
            return run(store, data, null, true);
        }
        try (GradientMode mode = GradientMode.off()) {
            return run(store, data, null, false);
        }
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore store, NDList data, NDList labels, PairList<String, Object> params) {
        return run(store, data, labels, true);
    }

    /**
     * Computes the mean loss in evaluation mode, with the head only where there are labels.
     *
     * @param parameterStore the parameter store
     * @param data as for {@code forward}
     * @param labels as for {@code forward}
     * @return a float32 scalar
     */
    public NDArray evaluateLoss(ParameterStore parameterStore, NDList data, NDList labels) {
        NDList loss = evaluate(parameterStore, data, labels);
        loss.get(1).close();
        return loss.head();
    }

    /**
     * Computes the mean loss in evaluation mode, with the head only where there are labels, and how
     * many labels were the most probable.
     *
     * @param parameterStore the parameter store
     * @param data as for {@code forward}
     * @param labels as for {@code forward}
     * @return two float32 scalars
     */
    public NDList evaluate(ParameterStore parameterStore, NDList data, NDList labels) {
        try (GradientMode mode = GradientMode.off()) {
            return run(parameterStore, data, labels, false);
        }
    }

    private NDList run(ParameterStore store, NDList data, NDList labels, boolean training) {
        NDList inputs = labels == null ? data : withLabels(data, labels);
        List<Stage> chain = getStages();
        Stage head = chain.get(chain.size() - 1);
        NDList states =
                runStages(chain.subList(0, chain.size() - 1), store, inputs, data, training);
        NDList outputs =
                labels == null
                        ? head.forward(store, states, training)
                        : loss(store, states, labels, training);
        closeAllBut(data, outputs, states);
        return outputs;
    }

    /**
     * Runs some stages and closes what each of them leaves behind.
     *
     * @param stages the stages
     * @param store the parameter store
     * @param inputs the input of the first
     * @param kept arrays that stay open
     * @param training true to run in training mode
     * @return the output of the last
     */
    protected static NDList runStages(
            List<Stage> stages,
            ParameterStore store,
            NDList inputs,
            NDList kept,
            boolean training) {
        NDList current = inputs;
        for (Stage stage : stages) {
            NDList outputs = stage.forward(store, current, training);
            closeAllBut(kept, outputs, current);
            current = outputs;
        }
        return current;
    }

    private static void closeAllBut(NDList kept, NDList outputs, NDList arrays) {
        for (NDArray array : arrays) {
            if (!holds(kept, array) && !holds(outputs, array)) {
                array.close();
            }
        }
    }

    private static boolean holds(NDList list, NDArray array) {
        return list.stream().anyMatch(a -> a == array);
    }
}

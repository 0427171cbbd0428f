package io.github.loradjl.adapter;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBaseBlock;
import ai.djl.nn.Block;
import ai.djl.nn.BlockList;
import ai.djl.nn.Parameter;
import ai.djl.nn.ParameterList;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

import io.github.loradjl.torch.GradientMode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * The root of an adapted model: the base block as it was, with the promises of an adapted model
 * kept at its door.
 *
 * <ul>
 *   <li>Whatever DJL or the user unfreezes, only adapters are trained.
 *   <li>A prediction never records a graph, in any thread.
 *   <li>A call can name its adapters by the parameter {@link #ADAPTERS}.
 *   <li>What is saved is the base under its original names.
 *   <li>A target that the first forward pass does not reach is an error.
 * </ul>
 */
public final class AdaptedBlock extends AbstractBaseBlock {

    /**
     * The key of a forward parameter: a {@code List<String>} of the adapters to use for that call.
     */
    public static final String ADAPTERS = "adapters";

    private static final Logger logger = LoggerFactory.getLogger(AdaptedBlock.class);

    private final Block base;
    private final AdapterSelection selection;
    private final Supplier<Collection<LoraLinear>> targets;
    private final Supplier<Collection<Parameter>> trainable;
    private final Runnable beforeTraining;
    private final List<Parameter> frozen;
    private TrainingForward trainingForward;
    private volatile boolean reached;

    /** Another way to compute the forward pass of training. */
    @FunctionalInterface
    public interface TrainingForward {

        /**
         * Computes predictions or the loss of a batch.
         *
         * @param store the parameter store
         * @param data the data
         * @param labels the labels
         * @return what the block's own forward pass would return
         */
        NDList forward(ParameterStore store, NDList data, NDList labels);
    }

    /**
     * Wraps a base block.
     *
     * @param base the block, whose targets are already wrapped
     * @param selection which adapters are active
     * @param targets the wrapped layers that the active adapters change
     * @param trainable the parameters that may be trained
     * @param beforeTraining called before each forward pass in training mode; may refuse by an
     *     exception
     */
    public AdaptedBlock(
            Block base,
            AdapterSelection selection,
            Supplier<Collection<LoraLinear>> targets,
            Supplier<Collection<Parameter>> trainable,
            Runnable beforeTraining) {
        this.base = base;
        this.selection = selection;
        this.targets = targets;
        this.trainable = trainable;
        this.beforeTraining = beforeTraining;
        inputShapes = base.getInputShapes();
        frozen = base.getParameters().values();
    }

    /**
     * Returns the base block.
     *
     * @return the block
     */
    public Block getBase() {
        return base;
    }

    /**
     * Replaces the way in which training computes its forward pass.
     *
     * @param forward the way, or null for the block's own
     */
    public void setTrainingForward(TrainingForward forward) {
        trainingForward = forward;
    }

    /** Asks for another check that the forward pass reaches all targets. */
    public void targetsChanged() {
        reached = false;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        if (training) {
            prepareTraining();
            return checked(() -> base.forward(parameterStore, inputs, true, params));
        }
        try (GradientMode mode = GradientMode.off();
                AdapterSelection.Scope scope = chosen(params)) {
            return checked(() -> base.forward(parameterStore, inputs, false, params));
        }
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList data,
            NDList labels,
            PairList<String, Object> params) {
        prepareTraining();
        if (trainingForward != null) {
            return checked(() -> trainingForward.forward(parameterStore, data, labels));
        }
        return checked(() -> base.forward(parameterStore, data, labels, params));
    }

    private void prepareTraining() {
        beforeTraining.run();
        Collection<Parameter> trained = trainable.get();
        for (Parameter parameter : frozen) {
            // A parameter can be unfrozen behind our back, through the block that holds it.
            if (parameter.requiresGradient() && !trained.contains(parameter)) {
                parameter.freeze(true);
            }
        }
    }

    private AdapterSelection.Scope chosen(PairList<String, Object> params) {
        Object names = params == null ? null : params.get(ADAPTERS);
        if (names == null) {
            return () -> {};
        }
        return selection.use(((Collection<?>) names).stream().map(String::valueOf).toList());
    }

    private NDList checked(Supplier<NDList> forward) {
        if (reached) {
            return forward.get();
        }
        Collection<LoraLinear> layers = targets.get();
        layers.forEach(LoraLinear::resetCalled);
        NDList output = forward.get();
        List<String> missed =
                layers.stream().filter(l -> !l.wasCalled()).map(LoraLinear::getPath).toList();
        if (!missed.isEmpty()) {
            output.close();
            throw new IllegalStateException(
                    "the forward pass never called the adapted layers "
                            + missed
                            + ": the model reaches the original layers in another way, or does not"
                            + " use them; exclude them from the targets");
        }
        reached = true;
        return output;
    }

    /** {@inheritDoc} */
    @Override
    public void freezeParameters(boolean freeze) {
        trainable.get().forEach(p -> p.freeze(freeze));
    }

    /** {@inheritDoc} */
    @Override
    public void freezeParameters(boolean freeze, Predicate<Parameter> pred) {
        trainable.get().stream().filter(pred).forEach(p -> p.freeze(freeze));
    }

    /** {@inheritDoc} */
    @Override
    public BlockList getChildren() {
        return base.getChildren();
    }

    /** {@inheritDoc} */
    @Override
    public ParameterList getDirectParameters() {
        return base.getDirectParameters();
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] shapes) {
        return base.getOutputShapes(shapes);
    }

    /** {@inheritDoc} */
    @Override
    public PairList<String, Shape> describeInput() {
        return base.describeInput();
    }

    /** {@inheritDoc} */
    @Override
    public boolean isInitialized() {
        return true;
    }

    /** {@inheritDoc} */
    @Override
    public void initialize(NDManager manager, DataType dataType, Shape... shapes) {
        base.initialize(manager, dataType, shapes);
    }

    /** {@inheritDoc} */
    @Override
    public void saveParameters(DataOutputStream os) throws IOException {
        logger.info(
                "Saving the base model without its adapters {}; PeftAdapter.save writes an"
                        + " adapter.",
                selection.get());
        base.saveParameters(os);
    }

    /** {@inheritDoc} */
    @Override
    public void loadParameters(NDManager manager, DataInputStream is)
            throws IOException, MalformedModelException {
        base.loadParameters(manager, is);
    }
}

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

import io.github.loradjl.staged.StagedTraining;
import io.github.loradjl.torch.GradientMode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;

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
    private final Host host;
    private StagedTraining training;

    /** What the block asks of the adapted model that it stands for. */
    public interface Host {

        /**
         * Prepares a forward pass of the calling thread.
         *
         * @param names the adapters it shall use, or null for those of the thread or model
         * @return the scope of the pass, which sees one choice from its start to its end
         */
        AdapterSelection.Scope begin(List<String> names);

        /**
         * Refuses a forward pass in training mode by an exception, or makes sure that nothing but
         * adapters is trained by it.
         */
        void beginTraining();

        /**
         * Lists what a forward pass should have called and did not.
         *
         * @return paths of layers
         */
        List<String> unreached();

        /**
         * Returns the parameters that may be trained.
         *
         * @return parameters of the active adapters
         */
        Collection<Parameter> trainable();

        /**
         * Puts the base's own parameters in the place of private copies.
         *
         * @param overwrite whether the base is about to be overwritten
         * @return the scope that puts the copies back
         */
        AdapterSelection.Scope originals(boolean overwrite);
    }

    /**
     * Wraps a base block.
     *
     * @param base the block
     * @param host the adapted model
     */
    public AdaptedBlock(Block base, Host host) {
        this.base = base;
        this.host = host;
    }

    /**
     * Returns the adapted model that this block belongs to.
     *
     * @return the model, as this block knows it
     */
    public Host getHost() {
        return host;
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
     * Keeps the present choice of adapters for the calls of the calling thread, whatever is set
     * meanwhile: for callers that run {@link #getBase} themselves, or several passes that belong
     * together.
     *
     * @return the scope, to be closed by the same thread
     */
    public AdapterSelection.Scope pinAdapters() {
        return host.begin(null);
    }

    /**
     * Replaces the way in which training computes the loss of a batch.
     *
     * @param training the way, used where it is possible; the block's own otherwise
     */
    public void setTraining(StagedTraining training) {
        this.training = training;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        if (training) {
            try (AdapterSelection.Scope scope = host.begin(chosen(params))) {
                host.beginTraining();
                return checked(base.forward(parameterStore, inputs, true, params));
            }
        }
        try (GradientMode mode = GradientMode.off();
                AdapterSelection.Scope scope = host.begin(chosen(params))) {
            return checked(base.forward(parameterStore, inputs, false, params));
        }
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList data,
            NDList labels,
            PairList<String, Object> params) {
        try (AdapterSelection.Scope scope = host.begin(chosen(params))) {
            host.beginTraining();
            return checked(
                    training == null || !training.isPossible()
                            ? base.forward(parameterStore, data, labels, params)
                            : training.forward(parameterStore, data, labels));
        }
    }

    private static List<String> chosen(PairList<String, Object> params) {
        Object names = params == null ? null : params.get(ADAPTERS);
        if (names == null) {
            return null;
        }
        if (!(names instanceof Collection<?> collection)) {
            throw new IllegalArgumentException(
                    "the forward parameter "
                            + ADAPTERS
                            + " is a list of adapter names, not a "
                            + names.getClass().getSimpleName());
        }
        return collection.stream().map(String::valueOf).toList();
    }

    private NDList checked(NDList output) {
        List<String> missed = host.unreached();
        if (!missed.isEmpty()) {
            output.close();
            throw new IllegalStateException(
                    "the forward pass never called the adapted layers "
                            + missed
                            + ": the model reaches the original layers in another way, or does not"
                            + " use them; exclude them from the targets");
        }
        return output;
    }

    /** {@inheritDoc} */
    @Override
    public void freezeParameters(boolean freeze) {
        host.trainable().forEach(p -> p.freeze(freeze));
    }

    /** {@inheritDoc} */
    @Override
    public void freezeParameters(boolean freeze, Predicate<Parameter> pred) {
        host.trainable().stream().filter(pred).forEach(p -> p.freeze(freeze));
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
    public Shape[] getInputShapes() {
        return base.getInputShapes();
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

    /**
     * {@inheritDoc}
     *
     * <p>Everything is initialized, and the shapes that the base was made for are saved with it.
     */
    @Override
    public void initialize(NDManager manager, DataType dataType, Shape... shapes) {
        // Nothing to do.
    }

    /** {@inheritDoc} */
    @Override
    public void saveParameters(DataOutputStream os) throws IOException {
        logger.info("Saving the base model without its adapters; PeftAdapter.save writes those.");
        try (AdapterSelection.Scope scope = host.originals(false)) {
            base.saveParameters(os);
        }
    }

    /** {@inheritDoc} */
    @Override
    public void loadParameters(NDManager manager, DataInputStream is)
            throws IOException, MalformedModelException {
        try (AdapterSelection.Scope scope = host.originals(true)) {
            base.loadParameters(manager, is);
        }
    }
}

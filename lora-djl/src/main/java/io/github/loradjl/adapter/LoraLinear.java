package io.github.loradjl.adapter;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.ParameterList;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A {@link Linear} block with named low-rank updates: y = x W0<sup>T</sup> + b + sum over the
 * active adapters of eta x (B A - B0 A0)<sup>T</sup>.
 *
 * <p>It wraps an existing block and uses that block's own weight and bias parameters: nothing is
 * copied, nothing is written to, and putting the wrapped block back undoes it. Being a {@code
 * Linear}, it fits every field that held the wrapped one. It saves and loads exactly what the
 * wrapped block would, so that a model file is the same with and without adapters; adapters have
 * files of their own.
 *
 * <p>input X: [x1, ..., xn, in], output Y: [x1, ..., xn, out].
 *
 * @see <a href="https://arxiv.org/abs/2106.09685">LoRA</a>
 */
public final class LoraLinear extends Linear {

    private static final Merged UNMERGED = new Merged(null, List.of());

    private final Linear base;
    private final String path;
    private final AdapterSelection selection;

    // Replaced as a whole, because predictions read it while adapters are added.
    private volatile Map<String, LowRankUpdate> updates = Map.of();
    private volatile Merged merged = UNMERGED;
    private LowRankUpdate probe;
    private volatile boolean called;

    /** A private weight and the adapters in it. */
    private record Merged(NDArray weight, List<String> names) {}

    /**
     * Wraps a block.
     *
     * @param base the block to wrap, initialized
     * @param path its dotted path, for messages
     * @param selection which adapters are active
     */
    public LoraLinear(Linear base, String path, AdapterSelection selection) {
        super(Linear.builder().setUnits(outputs(base)).optBias(false));
        this.base = base;
        this.path = path;
        this.selection = selection;
        parameters.clear();
    }

    private static long outputs(Linear base) {
        return base.getDirectParameters().get("weight").getArray().getShape().get(0);
    }

    /** {@inheritDoc} */
    @Override
    public ParameterList getDirectParameters() {
        ParameterList list = base.getDirectParameters();
        updates.forEach(
                (name, update) -> {
                    list.add("lora_A." + name, update.getParameterA());
                    list.add("lora_B." + name, update.getParameterB());
                });
        if (probe != null) {
            list.add("probe_A", probe.getParameterA());
            list.add("probe_B", probe.getParameterB());
        }
        return list;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray x = inputs.singletonOrThrow();
        if (!called) {
            called = true;
        }
        Merged inWeight = merged;
        // Asked for each time, because private copies may have taken their place.
        ParameterList own = base.getDirectParameters();
        NDArray w = currentWeight(inWeight, parameterStore, own.get("weight"), x, training);
        NDArray b = parameterStore.getValue(own.get("bias"), x.getDevice(), training);
        List<LowRankUpdate> active = activeUpdates(inWeight);
        if (active.size() == 1 && b == null && active.get(0).isPlain(training)) {
            return new NDList(active.get(0).fused(parameterStore, x, w, training));
        }
        NDArray y = Linear.linear(x, w, b).singletonOrThrow();
        for (LowRankUpdate update : active) {
            NDArray sum = update.addTo(y, parameterStore, x, training);
            y.close();
            y = sum;
        }
        return new NDList(y);
    }

    /**
     * Returns the weight of a layer that does no more than multiply by it.
     *
     * @param layer one of DJL's, or an adapted one
     * @param store the parameter store
     * @param x an input of the layer
     * @return W of shape (out, in), whose product with {@code x} is what {@code layer} gives when
     *     it predicts; null if it has a bias or an active adapter that is not merged
     */
    public static NDArray plainWeight(Linear layer, ParameterStore store, NDArray x) {
        Merged inWeight = UNMERGED;
        Linear plain = layer;
        if (layer instanceof LoraLinear lora) {
            lora.called = true;
            inWeight = lora.merged;
            plain = lora.base;
            if (!lora.activeUpdates(inWeight).isEmpty()) {
                return null;
            }
        }
        ParameterList own = plain.getDirectParameters();
        if (plain.getClass() != Linear.class || own.contains("bias")) {
            return null;
        }
        return inWeight.weight() == null
                ? store.getValue(own.get("weight"), x.getDevice(), false)
                : ((LoraLinear) layer).currentWeight(inWeight, store, own.get("weight"), x, false);
    }

    /** Gives what the layer computes with in training mode. */
    RecordedLinears.Parts parts(ParameterStore store, NDArray x) {
        called = true;
        Merged inWeight = merged;
        ParameterList own = base.getDirectParameters();
        return new RecordedLinears.Parts(
                currentWeight(inWeight, store, own.get("weight"), x, true),
                store.getValue(own.get("bias"), x.getDevice(), true),
                activeUpdates(inWeight));
    }

    private NDArray currentWeight(
            Merged inWeight, ParameterStore store, Parameter weight, NDArray x, boolean training) {
        NDArray privateWeight = inWeight.weight();
        if (privateWeight == null) {
            return store.getValue(weight, x.getDevice(), training);
        }
        if (!privateWeight.getDevice().equals(x.getDevice())) {
            throw new IllegalStateException(
                    path
                            + " is merged on "
                            + privateWeight.getDevice()
                            + ", not on "
                            + x.getDevice()
                            + ": unmerge first");
        }
        return privateWeight;
    }

    private List<LowRankUpdate> activeUpdates(Merged inWeight) {
        if (probe != null) {
            return List.of(probe);
        }
        Map<String, LowRankUpdate> present = updates;
        List<LowRankUpdate> active = new ArrayList<>(2);
        for (String name : selection.active()) {
            LowRankUpdate update = present.get(name);
            if (update != null && !inWeight.names().contains(name)) {
                active.add(update);
            }
        }
        return active;
    }

    /**
     * Adds an adapter.
     *
     * @param name the adapter's name
     * @param update its update of this weight
     */
    public void put(String name, LowRankUpdate update) {
        Map<String, LowRankUpdate> changed = new LinkedHashMap<>(updates);
        changed.put(name, update);
        updates = Collections.unmodifiableMap(changed);
    }

    /**
     * Removes an adapter and releases its arrays.
     *
     * @param name the adapter's name
     */
    public void remove(String name) {
        Map<String, LowRankUpdate> changed = new LinkedHashMap<>(updates);
        LowRankUpdate update = changed.remove(name);
        updates = Collections.unmodifiableMap(changed);
        if (update != null) {
            update.close();
        }
    }

    /**
     * Returns an adapter's update of this weight.
     *
     * @param name the adapter's name
     * @return the update, or null if the adapter does not target this layer
     */
    public LowRankUpdate get(String name) {
        return updates.get(name);
    }

    /**
     * Returns all updates.
     *
     * @return the updates by adapter name
     */
    public Map<String, LowRankUpdate> getUpdates() {
        return updates;
    }

    /**
     * Computes with a weight that holds the changes of some adapters; W0 itself stays.
     *
     * @param weight as of {@link #mergedWeight}; owned by this layer from now on
     * @param names the adapters in it, whose updates are no longer added
     */
    public void setMerged(NDArray weight, List<String> names) {
        Merged before = merged;
        merged = new Merged(weight, List.copyOf(names));
        if (before.weight() != null) {
            before.weight().close();
        }
    }

    /** Goes back to W0 and separate updates. */
    public void unmerge() {
        setMerged(null, List.of());
    }

    /**
     * Computes the weight with some adapters merged.
     *
     * @param names adapter names
     * @return W0 + sum of eta (B A - B0 A0), a new array with the type of W0, computed in float32;
     *     owned by the manager of W0
     * @throws ArithmeticException if it would hold NaN or infinity
     */
    public NDArray mergedWeight(List<String> names) {
        NDArray w0 = getWeight();
        try (GradientMode mode = GradientMode.off();
                NDManager scope = w0.getManager().newSubManager()) {
            NDArray wide = TorchOps.toFloat32(TorchOps.alias(w0, scope));
            NDArray sum = w0.getDataType() == DataType.FLOAT32 ? wide.duplicate() : wide;
            for (String name : names) {
                LowRankUpdate update = updates.get(name);
                if (update != null) {
                    try (NDArray delta = update.delta(scope)) {
                        sum.addi(delta);
                    }
                }
            }
            NDArray result = TorchOps.toTypeOf(sum, w0);
            if (!Double.isFinite(TorchOps.squareSum(result))) {
                throw new ArithmeticException(
                        "merging "
                                + names
                                + " into "
                                + path
                                + " gives NaN or infinity: the adapter has diverged or its scaling"
                                + " is too large");
            }
            result.attach(w0.getManager());
            return result;
        }
    }

    /**
     * Returns the adapters that are merged.
     *
     * @return adapter names
     */
    public List<String> getMerged() {
        return merged.names();
    }

    /**
     * Puts a temporary update in the place of all adapters.
     *
     * @param update the update, or null to go back to the adapters; closed by the caller
     */
    public void setProbe(LowRankUpdate update) {
        probe = update;
    }

    /**
     * Returns the frozen weight.
     *
     * @return W0, of shape (out, in)
     */
    public NDArray getWeight() {
        return getWeightParameter().getArray();
    }

    /**
     * Returns the parameter of the frozen weight.
     *
     * @return the parameter
     */
    public Parameter getWeightParameter() {
        return base.getDirectParameters().get("weight");
    }

    /**
     * Returns the number of outputs, m.
     *
     * @return m
     */
    public long getOut() {
        return getWeight().getShape().get(0);
    }

    /**
     * Returns the number of inputs, n.
     *
     * @return n
     */
    public long getIn() {
        return getWeight().getShape().get(1);
    }

    /**
     * Returns the dotted path of the layer.
     *
     * @return the path
     */
    public String getPath() {
        return path;
    }

    /**
     * Returns the wrapped block.
     *
     * @return the block
     */
    public Linear getBase() {
        return base;
    }

    /**
     * Tells whether the layer has taken part in a forward pass.
     *
     * @return true if it did
     */
    public boolean wasCalled() {
        return called;
    }

    /** Releases all adapters and private weights; the wrapped block is untouched. */
    public void releaseAdapters() {
        unmerge();
        List.copyOf(updates.keySet()).forEach(this::remove);
    }

    /** {@inheritDoc} */
    @Override
    public void initialize(NDManager manager, DataType dataType, Shape... shapes) {
        base.initialize(manager, dataType, shapes);
    }

    /** {@inheritDoc} */
    @Override
    public boolean isInitialized() {
        return base.isInitialized();
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
    public void saveParameters(DataOutputStream os) throws IOException {
        base.saveParameters(os);
    }

    /** {@inheritDoc} */
    @Override
    public void loadParameters(NDManager manager, DataInputStream is)
            throws IOException, MalformedModelException {
        base.loadParameters(manager, is);
    }
}

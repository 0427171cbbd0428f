package io.github.loradjl.adapter;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
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

    private final Linear base;
    private final String path;
    private final AdapterSelection selection;
    private final Parameter weight;
    private final Parameter bias;
    private final Map<String, LowRankUpdate> updates = new LinkedHashMap<>();

    private volatile NDArray mergedWeight;
    private volatile List<String> merged = List.of();
    private LowRankUpdate probe;
    private volatile boolean called;

    /**
     * Wraps a block.
     *
     * @param base the block to wrap, initialized
     * @param path its dotted path, for messages
     * @param selection which adapters are active
     */
    public LoraLinear(Linear base, String path, AdapterSelection selection) {
        super(Linear.builder().setUnits(weightOf(base).getShape().get(0)).optBias(hasBias(base)));
        this.base = base;
        this.path = path;
        this.selection = selection;
        weight = weightOf(base);
        bias = hasBias(base) ? base.getDirectParameters().get("bias") : null;
        inputShapes = base.getInputShapes();
        version = 4;
        listParameters();
    }

    private static Parameter weightOf(Linear base) {
        return base.getDirectParameters().get("weight");
    }

    private static boolean hasBias(Linear base) {
        return base.getDirectParameters().contains("bias");
    }

    private void listParameters() {
        parameters.clear();
        parameters.put("weight", weight);
        if (bias != null) {
            parameters.put("bias", bias);
        }
        for (Map.Entry<String, LowRankUpdate> e : updates.entrySet()) {
            parameters.put("lora_A." + e.getKey(), e.getValue().getParameterA());
            parameters.put("lora_B." + e.getKey(), e.getValue().getParameterB());
        }
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray x = inputs.singletonOrThrow();
        called = true;
        NDArray w = currentWeight(parameterStore, x.getDevice(), training);
        NDArray b = parameterStore.getValue(bias, x.getDevice(), training);
        List<LowRankUpdate> active = activeUpdates();
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

    private NDArray currentWeight(ParameterStore store, Device device, boolean training) {
        NDArray privateWeight = mergedWeight;
        if (privateWeight == null) {
            return store.getValue(weight, device, training);
        }
        if (!privateWeight.getDevice().equals(device)) {
            throw new IllegalStateException(
                    path + " is merged on " + privateWeight.getDevice() + ", not on " + device);
        }
        return privateWeight;
    }

    private List<LowRankUpdate> activeUpdates() {
        if (probe != null) {
            return List.of(probe);
        }
        List<String> names = selection.active();
        if (names.isEmpty()) {
            return List.of();
        }
        List<String> inWeight = merged;
        return names.stream()
                .filter(name -> !inWeight.contains(name))
                .map(updates::get)
                .filter(update -> update != null)
                .toList();
    }

    /**
     * Adds an adapter.
     *
     * @param name the adapter's name
     * @param update its update of this weight
     */
    public void put(String name, LowRankUpdate update) {
        updates.put(name, update);
        listParameters();
    }

    /**
     * Removes an adapter and releases its arrays.
     *
     * @param name the adapter's name
     */
    public void remove(String name) {
        LowRankUpdate update = updates.remove(name);
        if (update != null) {
            update.close();
        }
        listParameters();
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
        return Collections.unmodifiableMap(updates);
    }

    /**
     * Uses W0 plus the changes of some adapters as one weight, a private copy; W0 itself stays.
     *
     * @param names the adapters to merge, replacing those merged before; none to unmerge
     * @throws ArithmeticException if the merged weight would hold NaN or infinity; nothing changes
     */
    public void merge(List<String> names) {
        List<String> present = names.stream().filter(updates::containsKey).toList();
        NDArray result = present.isEmpty() ? null : mergedWeight(present);
        NDArray before = mergedWeight;
        mergedWeight = result;
        merged = present;
        if (before != null) {
            before.close();
        }
    }

    /**
     * Computes the weight with some adapters merged.
     *
     * @param names adapter names
     * @return W0 + sum of eta (B A - B0 A0), a new array with the type of W0, computed in float32
     * @throws ArithmeticException if it would hold NaN or infinity
     */
    public NDArray mergedWeight(List<String> names) {
        NDArray w0 = getWeight();
        try (GradientMode mode = GradientMode.off();
                NDArray sum = TorchOps.toFloat32(w0).duplicate()) {
            for (String name : names) {
                LowRankUpdate update = updates.get(name);
                if (update != null) {
                    try (NDArray delta = update.delta(sum.getManager())) {
                        sum.addi(delta);
                    }
                }
            }
            if (!Double.isFinite(TorchOps.squareSum(sum))) {
                throw new ArithmeticException(
                        "merging " + names + " into " + path + " gives NaN or infinity");
            }
            NDArray result = TorchOps.toTypeOf(sum, w0);
            return result.getDataType() == DataType.FLOAT32 ? sum.duplicate() : result;
        }
    }

    /**
     * Returns the adapters that are merged.
     *
     * @return adapter names
     */
    public List<String> getMerged() {
        return merged;
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
        return weight.getArray();
    }

    /**
     * Returns the parameter of the frozen weight.
     *
     * @return the parameter
     */
    public Parameter getWeightParameter() {
        return weight;
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
     * Tells whether the layer took part in a forward pass since the last {@link #resetCalled}.
     *
     * @return true if it did
     */
    public boolean wasCalled() {
        return called;
    }

    /** Forgets earlier forward passes. */
    public void resetCalled() {
        called = false;
    }

    /** Releases all adapters and private weights; the wrapped block is untouched. */
    public void releaseAdapters() {
        merge(List.of());
        updates.values().forEach(LowRankUpdate::close);
        updates.clear();
        listParameters();
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

package io.github.loradjl.staged;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;

import io.github.loradjl.torch.TorchOps;

import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * A parameter store that hands out second handles of chosen parameters, each a leaf of its own
 * whose gradient can be taken and thrown away.
 *
 * <p>The parameters themselves are left alone: LibTorch never frees the gradient of an array that
 * has had one, and a frozen weight may be a read-only map that many models share.
 */
public final class LeafStore extends ParameterStore implements GradientSink, AutoCloseable {

    private final ParameterStore parent;
    private final NDManager manager;
    private final Map<Parameter, NDArray> leaves = new IdentityHashMap<>();
    private final Map<Parameter, Boolean> tracked = new IdentityHashMap<>();
    private final Map<Parameter, NDArray> computed = new IdentityHashMap<>();

    /**
     * Creates a store.
     *
     * @param parent where the values come from
     * @param manager the owner of the handles and their gradients
     */
    public LeafStore(ParameterStore parent, NDManager manager) {
        super(manager, false);
        this.parent = parent;
        this.manager = manager;
    }

    /**
     * Begins to track parameters: the next forward pass uses handles that require gradients.
     *
     * @param parameters the parameters
     */
    public void track(Collection<Parameter> parameters) {
        parameters.forEach(p -> tracked.put(p, true));
    }

    /**
     * Returns what backward passes have accumulated for a parameter since {@link #release}.
     *
     * @param parameter a tracked parameter
     * @return a handle on the gradient in the parameter's type, or null if none reached it
     */
    public NDArray gradient(Parameter parameter) {
        NDArray leaf = leaves.get(parameter);
        NDArray recorded = leaf == null || !leaf.hasGradient() ? null : TorchOps.gradientOf(leaf);
        NDArray byFormula = computed.get(parameter);
        if (recorded == null || byFormula == null) {
            return recorded == null ? byFormula : recorded;
        }
        return recorded.add(byFormula);
    }

    /** {@inheritDoc} */
    @Override
    public void add(Parameter parameter, NDArray gradient) {
        if (!tracked.containsKey(parameter)) {
            gradient.close();
            return;
        }
        NDArray before = computed.get(parameter);
        if (before == null) {
            gradient.attach(manager);
            computed.put(parameter, gradient);
        } else {
            try (gradient) {
                before.addi(gradient);
            }
        }
    }

    /** Drops all handles with their gradients and stops tracking. */
    public void release() {
        leaves.values().forEach(NDArray::close);
        leaves.clear();
        computed.values().forEach(NDArray::close);
        computed.clear();
        tracked.clear();
    }

    /** {@inheritDoc} */
    @Override
    public NDArray getValue(Parameter parameter, Device device, boolean training) {
        if (parameter == null || !tracked.containsKey(parameter)) {
            return parent.getValue(parameter, device, training);
        }
        return leaves.computeIfAbsent(
                parameter,
                p -> {
                    NDArray leaf = TorchOps.alias(parent.getValue(p, device, training), manager);
                    leaf.setRequiresGradient(true);
                    return leaf;
                });
    }

    /** Drops all handles. */
    @Override
    public void close() {
        release();
    }
}

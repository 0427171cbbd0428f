package io.github.loradjl.adapter;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;

import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

/**
 * One adapter's change of one weight: eta (B A - B0 A0), with A of shape (r, n) and B of shape (m,
 * r).
 *
 * <p>The frozen pair (A0, B0) is what the adapter started from, for starts that would otherwise
 * change the function of the model; without one the update is eta B A. Both products are taken of
 * the same input, with the same dropout mask, and subtracted before they meet the layer's own
 * output, so that the update is exactly zero, in any floating type, while A = A0 and B = B0.
 *
 * <p>A, B, A0 and B0 are float32 and are cast to the type of the layer's input where they are used.
 *
 * @see <a href="https://arxiv.org/abs/2106.09685">LoRA</a>
 */
public final class LowRankUpdate implements AutoCloseable {

    private final Parameter a;
    private final Parameter b;
    private final double scaling;
    private final double dropout;
    private final boolean zero;
    private Parameter a0;
    private Parameter b0;

    /**
     * Creates an update that starts as eta B A.
     *
     * @param a A, of shape (r, n), float32; owned by the update from now on
     * @param b B, of shape (m, r), float32; likewise
     * @param scaling eta
     * @param dropout the share of the input's elements that the update drops in training
     */
    public LowRankUpdate(NDArray a, NDArray b, double scaling, double dropout) {
        this(a, b, scaling, dropout, false);
    }

    private LowRankUpdate(NDArray a, NDArray b, double scaling, double dropout, boolean zero) {
        this.a = parameter("lora_A", a);
        this.b = parameter("lora_B", b);
        this.scaling = scaling;
        this.dropout = dropout;
        this.zero = zero;
    }

    /**
     * Creates an update that is and stays zero, for the gradient of B, which is G A<sup>T</sup>.
     *
     * @param a A, of shape (r, n), float32; owned by the update from now on
     * @param b zeros of shape (m, r), float32; likewise
     * @return the update, of which B requires a gradient
     */
    public static LowRankUpdate probeOfB(NDArray a, NDArray b) {
        LowRankUpdate probe = new LowRankUpdate(a, b, 1, 0, true);
        probe.b.freeze(false);
        return probe;
    }

    /**
     * Creates an update that is and stays zero, for the gradient of A, which is B<sup>T</sup> G.
     *
     * @param a zeros of shape (r, n), float32; owned by the update from now on
     * @param b B, of shape (m, r), float32; likewise
     * @return the update, of which A requires a gradient
     */
    public static LowRankUpdate probeOfA(NDArray a, NDArray b) {
        LowRankUpdate probe = new LowRankUpdate(a, b, 1, 0, true);
        probe.a.freeze(false);
        return probe;
    }

    private static Parameter parameter(String name, NDArray array) {
        array.setName(name);
        // OTHER keeps the training configuration's initializers away from it.
        return Parameter.builder()
                .setName(name)
                .setType(Parameter.Type.OTHER)
                .optArray(array)
                .optRequiresGrad(false)
                .build();
    }

    /**
     * Sets the pair whose product is subtracted.
     *
     * @param a0 A0, of the shape of A; owned by the update from now on
     * @param b0 B0, of the shape of B; likewise
     */
    public void setStart(NDArray a0, NDArray b0) {
        closeStart();
        this.a0 = parameter("lora_A0", a0);
        this.b0 = parameter("lora_B0", b0);
    }

    /** Makes copies of the current A and B the pair whose product is subtracted. */
    public void subtractCurrent() {
        setStart(copy(getA()), copy(getB()));
    }

    private static NDArray copy(NDArray x) {
        try (NDArray detached = x.stopGradient()) {
            NDArray copy = detached.duplicate();
            copy.setName(null);
            return copy;
        }
    }

    /**
     * Overwrites A and B in place.
     *
     * @param newA values for A
     * @param newB values for B
     */
    public void set(NDArray newA, NDArray newB) {
        TorchOps.copyInto(getA(), newA);
        TorchOps.copyInto(getB(), newB);
    }

    /**
     * Adds the update's output to the output of the layer.
     *
     * @param store the parameter store
     * @param y the output of the layer, of shape (..., m)
     * @param x the input of the layer, of shape (..., n)
     * @param training whether dropout applies
     * @return a new array, the sum
     */
    NDArray addTo(NDArray y, ParameterStore store, NDArray x, boolean training) {
        if (!training || dropout == 0) {
            return add(y, store, x, training);
        }
        try (NDArray dropped = TorchOps.dropout(x, dropout)) {
            return add(y, store, dropped, training);
        }
    }

    /** Computes the layer's output and the update of {@link #isPlain} in one call. */
    NDArray fused(ParameterStore store, NDArray x, NDArray weight, boolean training) {
        NDArray nowA = store.getValue(a, x.getDevice(), training);
        NDArray nowB = store.getValue(b, x.getDevice(), training);
        return TorchOps.loraLinear(x, weight, nowA, nowB, scaling);
    }

    private NDArray add(NDArray y, ParameterStore store, NDArray x, boolean training) {
        Device device = x.getDevice();
        NDArray nowA = store.getValue(a, device, training);
        NDArray nowB = store.getValue(b, device, training);
        if (a0 == null) {
            return TorchOps.addLora(y, x, nowA, nowB, scaling);
        }
        NDArray startA = store.getValue(a0, device, false);
        NDArray startB = store.getValue(b0, device, false);
        return TorchOps.addLoraDifference(y, x, nowA, nowB, startA, startB, scaling);
    }

    /** Tells whether the update is a probe: zero, but with a gradient. */
    boolean isZero() {
        return zero;
    }

    /**
     * Tells whether the update is one product of an undropped input, as the fused layer wants it.
     */
    boolean isPlain(boolean training) {
        return a0 == null && (dropout == 0 || !training);
    }

    /**
     * Forms the change of the weight.
     *
     * @param manager the manager that owns the result
     * @return eta (B A - B0 A0), of shape (m, n), float32
     */
    public NDArray delta(NDManager manager) {
        try (GradientMode mode = GradientMode.off()) {
            NDArray delta = getB().matMul(getA());
            delta.attach(manager);
            if (a0 != null) {
                try (NDArray start = getB0().matMul(getA0())) {
                    delta.subi(start);
                }
            }
            return delta.muli(scaling);
        }
    }

    /**
     * Sets whether A and B are trained.
     *
     * @param trainable true to train them
     */
    public void setTrainable(boolean trainable) {
        a.freeze(!trainable);
        b.freeze(!trainable);
    }

    /**
     * Returns A's parameter.
     *
     * @return the parameter
     */
    public Parameter getParameterA() {
        return a;
    }

    /**
     * Returns B's parameter.
     *
     * @return the parameter
     */
    public Parameter getParameterB() {
        return b;
    }

    /**
     * Returns A.
     *
     * @return an array of shape (r, n)
     */
    public NDArray getA() {
        return a.getArray();
    }

    /**
     * Returns B.
     *
     * @return an array of shape (m, r)
     */
    public NDArray getB() {
        return b.getArray();
    }

    /**
     * Returns the A that is subtracted.
     *
     * @return an array of shape (r, n), or null if nothing is subtracted
     */
    public NDArray getA0() {
        return a0 == null ? null : a0.getArray();
    }

    /**
     * Returns the B that is subtracted.
     *
     * @return an array of shape (m, r), or null if nothing is subtracted
     */
    public NDArray getB0() {
        return b0 == null ? null : b0.getArray();
    }

    Parameter getParameterA0() {
        return a0;
    }

    Parameter getParameterB0() {
        return b0;
    }

    /**
     * Returns the rank.
     *
     * @return r
     */
    public int getRank() {
        return Math.toIntExact(getA().getShape().get(0));
    }

    /**
     * Returns the scaling.
     *
     * @return eta
     */
    public double getScaling() {
        return scaling;
    }

    /**
     * Returns the dropout rate.
     *
     * @return the share of the input's elements that are dropped in training
     */
    public double getDropout() {
        return dropout;
    }

    private void closeStart() {
        if (a0 != null) {
            a0.getArray().close();
            b0.getArray().close();
            a0 = null;
            b0 = null;
        }
    }

    /** Releases the arrays. */
    @Override
    public void close() {
        closeStart();
        // Not Parameter.close: without its array the parameter would make Trainer.close fail.
        getA().close();
        getB().close();
    }
}

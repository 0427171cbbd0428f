package io.github.loradjl.training;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.ParameterTracker;
import ai.djl.training.tracker.Tracker;

import io.github.loradjl.torch.TorchOps;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * AdamW with the semantics of {@code torch.optim.AdamW}, except that weight decay is off unless
 * asked for, as is usual for adapters.
 *
 * <p>With the gradient g and the update t = 1, 2, ... of a parameter w,
 *
 * <pre>
 * w = w - lr decay w
 * m = beta1 m + (1 - beta1) g
 * v = beta2 v + (1 - beta2) g^2
 * w = w - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
 * </pre>
 *
 * <p>Unlike DJL's own, it counts the updates of each parameter by itself, so that a parameter that
 * joins later gets its own bias correction; adds eps after the corrected root; clips to both sides
 * if {@code optClipGrad} is given; updates from any thread; and gives its state away, so that a run
 * can be resumed.
 *
 * <p>The moments live with the manager of the weight they belong to, until {@link #close}. A
 * training run on several devices is refused: train on one.
 *
 * @see <a href="https://arxiv.org/abs/1711.05101">Decoupled Weight Decay Regularization</a>
 */
public final class AdamW extends Optimizer implements AutoCloseable {

    private final ParameterTracker learningRate;
    private final double beta1;
    private final double beta2;
    private final double eps;
    private final double decay;
    private final long updatesBefore;
    private final Map<String, Moments> state = new LinkedHashMap<>();

    /** What the optimizer knows about one parameter. */
    public static final class Moments {

        private NDArray mean;
        private NDArray square;
        private long updates;

        private Moments(NDArray mean, NDArray square, long updates) {
            this.mean = mean;
            this.square = square;
            this.updates = updates;
        }

        /**
         * Makes a state to be given to {@link AdamW#setState}.
         *
         * @param mean the first moment m, in the shape of the parameter
         * @param square the second moment v, likewise
         * @param updates the number of updates made so far
         * @return the state; it only refers to the arrays
         */
        public static Moments of(NDArray mean, NDArray square, long updates) {
            return new Moments(mean, square, updates);
        }

        /**
         * Returns the first moment m.
         *
         * @return the array that the optimizer goes on updating, not a copy
         */
        public NDArray getMean() {
            return mean;
        }

        /**
         * Returns the second moment v.
         *
         * @return the array that the optimizer goes on updating, not a copy
         */
        public NDArray getSquare() {
            return square;
        }

        /**
         * Returns the number of updates made so far.
         *
         * @return the number of updates
         */
        public long getUpdates() {
            return updates;
        }

        private void close() {
            mean.close();
            square.close();
        }
    }

    private AdamW(Builder builder) {
        super(builder);
        learningRate = builder.learningRate;
        beta1 = builder.beta1;
        beta2 = builder.beta2;
        eps = builder.eps;
        decay = asWritten(getWeightDecay());
        updatesBefore = builder.updatesBefore;
    }

    /**
     * Creates a builder; learning rate 0.001, betas 0.9 and 0.999, eps 1e-8 and no weight decay
     * unless set.
     *
     * @return the builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Updates a parameter in place and sets its gradient to zero.
     *
     * @param parameterId the id of the parameter
     * @param weight its array
     * @param grad its gradient, left as it is unless it is the weight's own
     * @throws IllegalArgumentException if the learning rate is not a finite number, or a restored
     *     state does not fit the parameter
     * @throws IllegalStateException if the parameter has been updated on another device
     */
    @Override
    public synchronized void update(String parameterId, NDArray weight, NDArray grad) {
        Moments moments = moments(parameterId, weight);
        long t = moments.updates + 1;
        double lr = asWritten(learningRate.getNewValue(parameterId, Math.toIntExact(t)));
        if (!Double.isFinite(lr)) {
            throw new IllegalArgumentException(
                    "The learning rate of " + name(weight) + " at update " + t + " is " + lr);
        }
        double[] hyper = {
            lr, beta1, beta2, eps, decay, 1 - Math.pow(beta1, t), Math.sqrt(1 - Math.pow(beta2, t))
        };
        try (NDManager scratch = weight.getManager().newSubManager(Device.cpu());
                NDArray gradient = prepare(grad)) {
            TorchOps.adamw(weight, gradient, moments.mean, moments.square, scratch.create(hyper));
        }
        moments.updates = t;
        TorchOps.zeroGradient(weight);
    }

    /** Rescales and clips as the builder was told, in an array of its own. */
    private NDArray prepare(NDArray grad) {
        NDArray gradient = TorchOps.alias(grad, grad.getManager());
        if (rescaleGrad != 1f) {
            try (NDArray before = gradient) {
                gradient = before.mul(rescaleGrad);
            }
        }
        if (clipGrad >= 0) {
            try (NDArray before = gradient) {
                gradient = before.clip(-clipGrad, clipGrad);
            }
        }
        return gradient;
    }

    private Moments moments(String parameterId, NDArray weight) {
        Moments known = state.get(parameterId);
        if (known == null) {
            NDManager owner = weight.getManager();
            NDArray mean = TorchOps.zerosLike(owner, weight.getShape(), weight);
            NDArray square = TorchOps.zerosLike(owner, weight.getShape(), weight);
            known = new Moments(mean, square, updatesBefore);
            state.put(parameterId, known);
        }
        if (!known.mean.getShape().equals(weight.getShape())) {
            throw new IllegalArgumentException(
                    "The optimizer state of "
                            + name(weight)
                            + " has shape "
                            + known.mean.getShape()
                            + ", the parameter "
                            + weight.getShape()
                            + ": it belongs to another adapter");
        }
        if (!known.mean.getDevice().equals(weight.getDevice())) {
            throw new IllegalStateException(
                    name(weight)
                            + " was updated on "
                            + known.mean.getDevice()
                            + " and is now on "
                            + weight.getDevice()
                            + ": train on one device, with optDevices(new Device[] {device})");
        }
        return known;
    }

    private static String name(NDArray weight) {
        return weight.getName() == null ? "a parameter" : "parameter " + weight.getName();
    }

    /** Reads a float as the decimal that was written for it: 0.002f as 0.002, as torch has it. */
    private static double asWritten(float value) {
        return Double.parseDouble(Float.toString(value));
    }

    /**
     * Returns the state of each parameter updated so far. Ids are made anew in each process: to
     * store the state, name the parameters yourself.
     *
     * @return states by parameter id, a snapshot of the map but not of the arrays
     */
    public synchronized Map<String, Moments> getState() {
        return new LinkedHashMap<>(state);
    }

    /**
     * Goes on from a stored state, which is copied.
     *
     * @param parameterId the id of the parameter
     * @param weight its array; the copies live with its manager and on its device
     * @param stored the state
     * @throws IllegalArgumentException if the shapes differ from the weight's
     */
    public synchronized void setState(String parameterId, NDArray weight, Moments stored) {
        for (NDArray moment : new NDArray[] {stored.mean, stored.square}) {
            if (!moment.getShape().equals(weight.getShape())) {
                throw new IllegalArgumentException(
                        "A moment of shape "
                                + moment.getShape()
                                + " does not fit "
                                + name(weight)
                                + " of shape "
                                + weight.getShape());
            }
        }
        Moments copy = new Moments(copy(stored.mean, weight), copy(stored.square, weight), 0);
        copy.updates = stored.updates;
        Moments replaced = state.put(parameterId, copy);
        if (replaced != null) {
            replaced.close();
        }
    }

    private static NDArray copy(NDArray moment, NDArray weight) {
        // DJL's toDevice shares the memory where the device stays the same, whatever is asked.
        NDArray copy =
                moment.getDevice().equals(weight.getDevice())
                        ? moment.duplicate()
                        : moment.toDevice(weight.getDevice(), false);
        copy.attach(weight.getManager());
        return copy;
    }

    /** Frees the moments. */
    @Override
    public synchronized void close() {
        state.values().forEach(Moments::close);
        state.clear();
    }

    /** The builder of {@link AdamW}. */
    public static final class Builder extends OptimizerBuilder<Builder> {

        private ParameterTracker learningRate = Tracker.fixed(0.001f);
        private double beta1 = 0.9;
        private double beta2 = 0.999;
        private double eps = 1e-8;
        private int updatesBefore;

        Builder() {}

        /** {@inheritDoc} */
        @Override
        protected Builder self() {
            return this;
        }

        /**
         * Sets the learning rate, 0.001 by default. It is asked with the id of the parameter and
         * the number of its update, counted from 1.
         *
         * @param learningRate the learning rate
         * @return this builder
         */
        public Builder optLearningRateTracker(ParameterTracker learningRate) {
            this.learningRate = learningRate;
            return this;
        }

        /**
         * Sets the decay of the first moment, 0.9 by default.
         *
         * @param beta1 a number in [0, 1)
         * @return this builder
         */
        public Builder optBeta1(double beta1) {
            this.beta1 = beta1;
            return this;
        }

        /**
         * Sets the decay of the second moment, 0.999 by default.
         *
         * @param beta2 a number in [0, 1)
         * @return this builder
         */
        public Builder optBeta2(double beta2) {
            this.beta2 = beta2;
            return this;
        }

        /**
         * Sets the number added to the root of the second moment, 1e-8 by default.
         *
         * @param eps a number of at least 0
         * @return this builder
         */
        public Builder optEpsilon(double eps) {
            this.eps = eps;
            return this;
        }

        /** {@inheritDoc} */
        @Override
        public Builder optBeginNumUpdate(int beginNumUpdate) {
            updatesBefore = beginNumUpdate;
            return this;
        }

        /**
         * Builds the optimizer.
         *
         * @return the optimizer
         * @throws IllegalArgumentException if a number is outside its range
         */
        public AdamW build() {
            require(beta1 >= 0 && beta1 < 1, "beta1", beta1, "in [0, 1)");
            require(beta2 >= 0 && beta2 < 1, "beta2", beta2, "in [0, 1)");
            require(eps >= 0, "epsilon", eps, "at least 0");
            AdamW adamW = new AdamW(this);
            require(adamW.decay >= 0, "weight decay", adamW.decay, "at least 0");
            return adamW;
        }

        private static void require(boolean holds, String name, double value, String range) {
            if (!holds) {
                throw new IllegalArgumentException(
                        "AdamW's " + name + " must be " + range + ", not " + value);
            }
        }
    }
}

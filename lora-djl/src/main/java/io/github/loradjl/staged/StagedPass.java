package io.github.loradjl.staged;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.ParameterStore;
import ai.djl.training.loss.Loss;

import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * One batch on its way through a chain of stages: forward keeping nothing but each stage's input,
 * then backward one stage at a time, recomputing it.
 *
 * <p>Stages are visited from the last to the first. {@link #backward} reruns the stage on its saved
 * input with recording on, takes the gradient of the scalar &lt;output, gradient of the output&gt;
 * (the loss itself for the last stage), leaves the gradients of parameters in the store it is
 * given, and replaces the saved input by its gradient, which is the next stage's gradient of the
 * output. At no time is more than one stage's graph alive.
 *
 * <p>Or, where {@link #record} ran it forward, by the backward pass of the stage's own, on what it
 * has kept.
 *
 * <p>Each stage draws its dropout from a seed made of the batch's seed and the stage's index, set
 * before both runs of the stage. The caller seeds LibTorch's generator again afterwards.
 *
 * @see <a href="https://arxiv.org/abs/1604.06174">Training Deep Nets with Sublinear Memory Cost</a>
 */
public final class StagedPass implements AutoCloseable {

    private static final long STAGE_SEED = 0x9E3779B97F4A7C15L;

    private final List<Stage> stages;
    private final NDList data;
    private final NDList labels;
    private final long seed;
    private final ActivationStore activations;
    private final NDManager manager;
    private final List<List<Slot>> inputs = new ArrayList<>();
    private final Map<Integer, Recording> recordings = new HashMap<>();
    private NDList outputGradients = new NDList();
    private float loss;
    private List<Float> extras = List.of();

    /** An entry of a stage's input: kept in the store, or passing on to other stages. */
    private record Slot(ActivationStore.Entry kept, NDArray passing) {}

    /**
     * Prepares a pass.
     *
     * @param block the chain
     * @param data the batch's data, left open
     * @param labels the batch's labels, left open
     * @param seed the seed of this batch's dropout
     * @param activations where the stages' inputs are kept
     * @param parent the manager whose child owns the intermediates
     */
    public StagedPass(
            StagedBlock block,
            NDList data,
            NDList labels,
            long seed,
            ActivationStore activations,
            NDManager parent) {
        stages = block.getStages();
        this.labels = labels;
        this.seed = seed;
        this.activations = activations;
        manager = parent.newSubManager();
        this.data = block.withLabels(data, labels);
        this.data.stream()
                .filter(array -> identityIndex(data, array) < 0)
                .forEach(array -> array.attach(manager));
    }

    /**
     * Runs all stages but the last without recording and keeps the input of each.
     *
     * @param store the parameter store
     */
    public void forward(ParameterStore store) {
        forward(store, false);
    }

    /**
     * Runs all stages but the last: those that can be recorded are, of the others the input is
     * kept.
     *
     * @param store the parameter store
     */
    public void record(ParameterStore store) {
        forward(store, true);
    }

    private void forward(ParameterStore store, boolean recording) {
        try (GradientMode mode = GradientMode.off()) {
            NDList current = TorchOps.aliases(data, manager);
            for (int s = 0; s < stages.size() - 1; s++) {
                NDList next;
                if (recording && stages.get(s).isRecordable()) {
                    seedStage(s);
                    Recording recorded = stages.get(s).record(store, current, manager);
                    recordings.put(s, recorded);
                    next = recorded.output();
                } else {
                    next = run(s, store, current);
                }
                inputs.add(save(s, current, next));
                current = next;
            }
            inputs.add(save(stages.size() - 1, current, new NDList()));
        }
    }

    private NDList run(int s, ParameterStore store, NDList current) {
        try (NDManager scope = manager.newSubManager()) {
            NDList in = TorchOps.aliases(current, scope);
            seedStage(s);
            NDList out = stages.get(s).forward(store, in, true);
            NDList next = new NDList();
            for (NDArray array : out) {
                int handedOn = identityIndex(in, array);
                if (handedOn < 0) {
                    array.attach(manager);
                }
                next.add(handedOn < 0 ? array : current.get(handedOn));
            }
            return next;
        }
    }

    private List<Slot> save(int s, NDList current, NDList next) {
        List<Slot> slots = new ArrayList<>();
        for (int i = 0; i < current.size(); i++) {
            NDArray array = current.get(i);
            // What several stages see stays in memory, owned by this pass, until the pass ends.
            boolean keep =
                    s > 0
                            && !recordings.containsKey(s)
                            && !recordings.containsKey(s - 1)
                            && isDifferentiated(s, i, array)
                            && identityIndex(next, array) < 0
                            && inputs.get(s - 1).stream().noneMatch(b -> b.passing() == array);
            slots.add(keep ? new Slot(activations.put(array), null) : new Slot(null, array));
        }
        return slots;
    }

    private boolean isDifferentiated(int s, int entry, NDArray array) {
        DataType type = array.getDataType();
        // DJL cannot name bfloat16.
        boolean numbers = type.isFloating() || type == DataType.UNKNOWN;
        return numbers && stages.get(s).carriesGradient(entry);
    }

    private static int identityIndex(NDList list, NDArray array) {
        for (int i = 0; i < list.size(); i++) {
            if (list.get(i) == array) {
                return i;
            }
        }
        return -1;
    }

    private void seedStage(int s) {
        TorchOps.seed(seed + s * STAGE_SEED);
    }

    /**
     * Runs one stage backward by its own formulas where it has them, although only its input was
     * kept: the stage is run again, but recorded. For passes that want no gradients but those that
     * a recording gives.
     *
     * @param s the index of the stage
     * @param store the parameter store; gradients of the parameters it tracks accumulate there
     * @param lossFunction the loss, used by the last stage
     * @param goOn whether stages below follow, so that the gradient of the input is needed
     */
    public void backwardAgain(int s, LeafStore store, Loss lossFunction, boolean goOn) {
        boolean isLast = s == stages.size() - 1;
        if (isLast || recordings.containsKey(s) || !stages.get(s).isRecordable()) {
            backward(s, store, lossFunction, goOn);
            return;
        }
        try (NDManager scope = manager.newSubManager();
                GradientMode mode = GradientMode.off()) {
            NDList in = restore(s, false, scope);
            seedStage(s);
            backward(stages.get(s).record(store, in, scope), store, goOn);
        }
    }

    /**
     * Runs one stage backward. Call it for the last stage first, then for each one below.
     *
     * @param s the index of the stage
     * @param store the parameter store; gradients of the parameters it hands out accumulate there
     * @param lossFunction the loss, used by the last stage
     * @param goOn whether stages below follow, so that the gradient of the input is needed
     */
    public void backward(int s, LeafStore store, Loss lossFunction, boolean goOn) {
        if (recordings.containsKey(s)) {
            backward(recordings.remove(s), store, goOn);
            return;
        }
        Stage stage = stages.get(s);
        boolean last = s == stages.size() - 1;
        try (NDManager scope = manager.newSubManager();
                GradientMode mode = GradientMode.on()) {
            NDList in = restore(s, goOn && s > 0, scope);
            seedStage(s);
            NDArray target;
            if (last) {
                NDList own = TorchOps.aliases(labels, scope);
                NDList out = stage.forward(store, in, own);
                target = lossFunction.evaluate(own, out);
                loss = target.toFloatArray()[0];
                boolean computed = out.head().getShape().dimension() == 0;
                extras =
                        computed ? out.stream().skip(1).map(NDArray::getFloat).toList() : List.of();
            } else {
                target = against(stage.forward(store, in, true));
            }
            if (target != null && TorchOps.requiresGradient(target)) {
                TorchOps.backward(target);
            }
            NDList gradients = new NDList();
            for (NDArray array : in) {
                gradients.add(array.hasGradient() ? TorchOps.gradientOf(array) : null);
            }
            handDown(gradients);
        }
    }

    private void backward(Recording recording, LeafStore store, boolean goOn) {
        try (recording;
                GradientMode mode = GradientMode.off()) {
            handDown(recording.backward(outputGradients, goOn, store));
        }
    }

    /** Makes the gradients of a stage's input those of the output of the stage below. */
    private void handDown(NDList gradients) {
        outputGradients.stream().filter(Objects::nonNull).forEach(NDArray::close);
        gradients.stream().filter(Objects::nonNull).forEach(g -> g.attach(manager));
        outputGradients = gradients;
    }

    private NDList restore(int s, boolean wantGradients, NDManager scope) {
        NDList in = new NDList();
        List<Slot> slots = inputs.set(s, List.of());
        for (int i = 0; i < slots.size(); i++) {
            Slot slot = slots.get(i);
            NDArray array =
                    slot.kept() == null
                            ? TorchOps.alias(slot.passing(), scope)
                            : slot.kept().take(scope);
            if (wantGradients && isDifferentiated(s, i, array)) {
                array.setRequiresGradient(true);
            }
            in.add(array);
        }
        return in;
    }

    /**
     * Forms the scalar whose gradient is that of the loss; null if the loss depends on no entry.
     */
    private NDArray against(NDList out) {
        NDArray sum = null;
        for (int i = 0; i < outputGradients.size(); i++) {
            NDArray gradient = outputGradients.get(i);
            if (gradient != null) {
                NDArray term = TorchOps.inner(out.get(i), gradient);
                sum = sum == null ? term : sum.add(term);
            }
        }
        return sum;
    }

    /**
     * Returns the loss of the batch, known once the last stage has run backward.
     *
     * @return the loss
     */
    public float getLoss() {
        return loss;
    }

    /**
     * Returns the further scalars that the last stage gave beside the loss, if it computed the loss
     * itself.
     *
     * @return the values, known once the last stage has run backward
     */
    public List<Float> getExtras() {
        return extras;
    }

    /** Releases the intermediates; the data and labels stay. */
    @Override
    public void close() {
        recordings.values().forEach(Recording::close);
        manager.close();
    }
}

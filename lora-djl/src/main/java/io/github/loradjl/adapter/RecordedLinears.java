package io.github.loradjl.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.nn.ParameterList;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;

import io.github.loradjl.staged.GradientSink;
import io.github.loradjl.torch.BackwardOps;

import java.util.ArrayList;
import java.util.List;

/**
 * Linear layers of one input, such as those of queries, keys and values, adapted or not, between
 * their forward and their backward pass by formulas: y<sub>i</sub> = x W0<sub>i</sub><sup>T</sup> +
 * b<sub>i</sub> and dx = sum of dy<sub>i</sub> W0<sub>i</sub>, with what the adapters add to both.
 * W0 and b are frozen.
 */
public final class RecordedLinears {

    private final List<NDArray> weights = new ArrayList<>();
    private final List<NDArray> outputs = new ArrayList<>();
    private final List<RecordedUpdates> updates;

    /**
     * A layer as it is now.
     *
     * @param weight W0, or what adapters are merged into
     * @param bias b, or null
     * @param active the updates to add
     */
    record Parts(NDArray weight, NDArray bias, List<LowRankUpdate> active) {}

    private RecordedLinears(
            List<Linear> layers, ParameterStore store, NDArray x, NDManager manager) {
        List<RecordedUpdates.Place> places = new ArrayList<>();
        for (Linear layer : layers) {
            Parts parts = parts(layer, store, x);
            NDArray y = BackwardOps.linear(x, parts.weight(), parts.bias());
            y.attach(manager);
            for (LowRankUpdate update : parts.active()) {
                places.add(new RecordedUpdates.Place(update, outputs.size()));
            }
            weights.add(parts.weight());
            outputs.add(y);
        }
        updates = RecordedUpdates.run(places, store, outputs, x, manager);
    }

    private static Parts parts(Linear layer, ParameterStore store, NDArray x) {
        if (layer instanceof LoraLinear lora) {
            return lora.parts(store, x);
        }
        ParameterList own = layer.getDirectParameters();
        return new Parts(
                store.getValue(own.get("weight"), x.getDevice(), true),
                store.getValue(own.get("bias"), x.getDevice(), true),
                List.of());
    }

    /**
     * Tells whether a layer can be recorded: one of DJL's or an adapted one, whose own parameters
     * are not trained.
     *
     * @param layer the layer
     * @return true if it can
     */
    public static boolean isPossible(Linear layer) {
        Linear base = layer instanceof LoraLinear lora ? lora.getBase() : layer;
        return base.getClass() == Linear.class
                && base.getDirectParameters().values().stream()
                        .noneMatch(Parameter::requiresGradient);
    }

    /**
     * Runs layers in training mode.
     *
     * @param layers the layers, at least one
     * @param store the parameter store
     * @param x their input, a matrix of shape (n, in), which the backward pass needs again
     * @param manager the owner of the outputs and of what is kept
     * @return the recording
     */
    public static RecordedLinears run(
            List<Linear> layers, ParameterStore store, NDArray x, NDManager manager) {
        return new RecordedLinears(layers, store, x, manager);
    }

    /**
     * Returns the output of a layer.
     *
     * @param layer its index
     * @return a matrix of shape (n, out), which the caller may overwrite or close
     */
    public NDArray output(int layer) {
        return outputs.get(layer);
    }

    /**
     * Runs the layers backward and gives the gradients of the adapters to a sink.
     *
     * @param dys the gradients of the outputs, of shapes (n, out)
     * @param x the input again
     * @param wanted whether the gradient of the input is
     * @param sink what takes the gradients
     * @return the gradient of the input, of shape (n, in), or null if it is not wanted
     */
    public NDArray backward(List<NDArray> dys, NDArray x, boolean wanted, GradientSink sink) {
        NDArray dx = null;
        if (wanted) {
            dx = BackwardOps.product(dys.get(0), weights.get(0));
            for (int i = 1; i < dys.size(); i++) {
                BackwardOps.addProduct(dx, dys.get(i), weights.get(i));
            }
        }
        for (RecordedUpdates together : updates) {
            together.backward(dys, x, dx, sink);
        }
        return dx;
    }
}

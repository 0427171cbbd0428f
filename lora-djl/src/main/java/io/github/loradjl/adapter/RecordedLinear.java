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
 * A linear layer, adapted or not, between its forward and its backward pass by formulas: y = x
 * W0<sup>T</sup> + b and dx = dy W0, with what the adapters add to both. W0 and b are frozen.
 */
public final class RecordedLinear {

    private final NDArray weight;
    private final NDArray output;
    private final List<RecordedUpdate> updates = new ArrayList<>();

    private RecordedLinear(NDArray weight, NDArray output) {
        this.weight = weight;
        this.output = output;
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
     * Runs a layer in training mode.
     *
     * @param layer the layer
     * @param store the parameter store
     * @param x a matrix of shape (n, in), which the backward pass needs again
     * @param manager the owner of the output and of what is kept
     * @return the recording
     */
    public static RecordedLinear run(
            Linear layer, ParameterStore store, NDArray x, NDManager manager) {
        if (layer instanceof LoraLinear lora) {
            return lora.record(store, x, manager);
        }
        ParameterList own = layer.getDirectParameters();
        return run(
                store.getValue(own.get("weight"), x.getDevice(), true),
                store.getValue(own.get("bias"), x.getDevice(), true),
                List.of(),
                store,
                x,
                manager);
    }

    static RecordedLinear run(
            NDArray weight,
            NDArray bias,
            List<LowRankUpdate> active,
            ParameterStore store,
            NDArray x,
            NDManager manager) {
        NDArray y = BackwardOps.linear(x, weight, bias);
        y.attach(manager);
        RecordedLinear recorded = new RecordedLinear(weight, y);
        for (LowRankUpdate update : active) {
            recorded.updates.add(update.record(store, y, x, manager));
        }
        return recorded;
    }

    /**
     * Returns the output.
     *
     * @return a matrix of shape (n, out), which the caller may overwrite or close
     */
    public NDArray output() {
        return output;
    }

    /**
     * Runs the layer backward and gives the gradients of the adapters to a sink.
     *
     * @param dy the gradient of the output, of shape (n, out)
     * @param x the input again
     * @param sink what takes the gradients
     * @return the gradient of the input, of shape (n, in)
     */
    public NDArray backward(NDArray dy, NDArray x, GradientSink sink) {
        NDArray dx = BackwardOps.product(dy, weight);
        updates.forEach(update -> update.backward(dy, x, dx, sink));
        return dx;
    }

    /**
     * Runs the layer backward and adds to the gradient of an input that several layers share.
     *
     * @param dy the gradient of the output, of shape (n, out)
     * @param x the input again
     * @param dx the gradient so far, of shape (n, in), written to; or null if it is not wanted
     * @param sink what takes the gradients
     */
    public void backward(NDArray dy, NDArray x, NDArray dx, GradientSink sink) {
        if (dx != null) {
            BackwardOps.addProduct(dx, dy, weight);
        }
        updates.forEach(update -> update.backward(dy, x, dx, sink));
    }
}

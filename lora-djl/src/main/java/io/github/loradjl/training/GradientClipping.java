package io.github.loradjl.training;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Parameter;
import ai.djl.training.Trainer;

import io.github.loradjl.torch.TorchOps;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Scales all gradients together so that their global norm stays below a bound, as {@code
 * torch.nn.utils.clip_grad_norm_} does.
 *
 * <p>DJL's {@code optClipGrad} looks at each number alone, and on PyTorch only at its upper side.
 * Call this between {@code EasyTrain.trainBatch} and {@code trainer.step}:
 *
 * <pre>{@code
 * EasyTrain.trainBatch(trainer, batch);
 * double norm = GradientClipping.clip(trainer, 1.0);
 * trainer.step();
 * }</pre>
 */
public final class GradientClipping {

    private GradientClipping() {}

    /**
     * Clips the gradients of all trainable parameters of the model being trained.
     *
     * @param trainer the trainer, on one device
     * @param maxNorm the largest global norm to leave
     * @return the global norm before clipping
     * @throws IllegalArgumentException if the trainer has several devices or another than the
     *     model's, or {@code maxNorm} is not positive
     * @throws IllegalStateException if a gradient is not finite, or nothing is trainable
     */
    public static double clip(Trainer trainer, double maxNorm) {
        List<Parameter> parameters = trainer.getModel().getBlock().getParameters().values();
        Device[] devices = trainer.getDevices();
        for (Parameter parameter : parameters) {
            if (!parameter.requiresGradient()) {
                continue;
            }
            Device device = parameter.getArray().getDevice();
            // DJL would keep the gradients in copies that cannot be reached from here.
            if (devices.length != 1 || !devices[0].equals(device)) {
                throw new IllegalArgumentException(
                        "Clipping needs a trainer on the one device of the model, "
                                + device
                                + ": give the TrainingConfig optDevices(new Device[] {device})");
            }
        }
        return clip(parameters, maxNorm);
    }

    /**
     * Clips gradients in place: with the norm n over all of them, each is multiplied by maxNorm /
     * (n + 1e-6) if that is below 1, else left to the last bit.
     *
     * @param parameters the parameters; frozen ones are left out, repeated ones count once
     * @param maxNorm the largest global norm to leave
     * @return the global norm before clipping
     * @throws IllegalArgumentException if {@code maxNorm} is not positive
     * @throws IllegalStateException if a gradient is not finite, or nothing is trainable
     */
    public static double clip(Iterable<Parameter> parameters, double maxNorm) {
        if (!(maxNorm > 0)) {
            throw new IllegalArgumentException(
                    "The largest gradient norm must be positive, not " + maxNorm);
        }
        try (NDList gradients = new NDList()) {
            List<String> names = new ArrayList<>();
            Set<String> seen = new HashSet<>();
            for (Parameter parameter : parameters) {
                if (parameter.requiresGradient() && seen.add(parameter.getId())) {
                    gradients.add(parameter.getArray().getGradient());
                    names.add(parameter.getName());
                }
            }
            if (gradients.isEmpty()) {
                throw new IllegalStateException("No parameter is trainable: nothing to clip");
            }
            float norm = TorchOps.globalNorm(gradients);
            if (!Float.isFinite(norm)) {
                throw notFinite(gradients, names, norm);
            }
            double factor = maxNorm / (norm + 1e-6);
            if (factor < 1) {
                TorchOps.scaleAll(gradients, factor);
            }
            return norm;
        }
    }

    private static IllegalStateException notFinite(
            NDList gradients, List<String> names, float norm) {
        List<String> bad = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            NDArray gradient = gradients.get(i);
            if (!Double.isFinite(TorchOps.squareSum(gradient))) {
                bad.add(names.get(i));
            }
        }
        return new IllegalStateException(
                "The gradient norm is "
                        + norm
                        + "; parameters with such gradients: "
                        + bad
                        + ". Lower the learning rate, or look for NaN in the data or the weights");
    }
}

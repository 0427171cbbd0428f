package io.github.loradjl.training;

import ai.djl.nn.Parameter;
import ai.djl.training.tracker.ParameterTracker;

import io.github.loradjl.LoraModel;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * LoRA+: a higher learning rate for B than for everything else.
 *
 * <pre>{@code
 * AdamW.builder().optLearningRateTracker(new LoraPlus(lora, schedule, 16)).build();
 * }</pre>
 *
 * @see <a href="https://arxiv.org/abs/2402.12354">LoRA+: Efficient Low Rank Adaptation of Large
 *     Models</a>
 */
public final class LoraPlus implements ParameterTracker {

    private final ParameterTracker rate;
    private final double ratio;
    private final Set<String> ids = new HashSet<>();

    /**
     * Creates the rates.
     *
     * @param lora the adapted model, with its adapters active
     * @param rate the learning rate of A, and of whatever else is trained
     * @param ratio what it is multiplied by for B; the paper recommends about 16
     * @throws IllegalArgumentException if the ratio is not positive
     */
    public LoraPlus(LoraModel lora, ParameterTracker rate, double ratio) {
        if (!(ratio > 0) || !Double.isFinite(ratio)) {
            throw new IllegalArgumentException("the ratio of LoRA+ must be positive, not " + ratio);
        }
        this.rate = rate;
        this.ratio = ratio;
        for (Map.Entry<String, Parameter> entry : lora.getTrainableParameters().entrySet()) {
            if (entry.getKey().contains(".lora_B.")) {
                ids.add(entry.getValue().getId());
            }
        }
    }

    /** {@inheritDoc} */
    @Override
    public float getNewValue(String parameterId, int numUpdate) {
        float value = rate.getNewValue(parameterId, numUpdate);
        return ids.contains(parameterId) ? (float) (ratio * value) : value;
    }
}

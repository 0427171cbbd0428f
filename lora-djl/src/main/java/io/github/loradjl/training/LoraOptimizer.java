package io.github.loradjl.training;

import ai.djl.nn.Parameter;
import ai.djl.training.tracker.ParameterTracker;
import ai.djl.training.tracker.Tracker;

import io.github.loradjl.LoraModel;

/** Makes optimizers for the adapters of a model. */
public final class LoraOptimizer {

    private LoraOptimizer() {}

    /**
     * Makes AdamW with a fixed learning rate and without weight decay.
     *
     * @param lora the adapted model; its adapters own the optimizer's state until they are detached
     * @param learningRate the learning rate
     * @return the optimizer
     * @throws IllegalStateException if no active adapter has anything to train
     */
    public static AdamW adamW(LoraModel lora, float learningRate) {
        return adamW(lora, Tracker.fixed(learningRate));
    }

    /**
     * Makes AdamW without weight decay.
     *
     * @param lora the adapted model; its adapters own the optimizer's state until they are detached
     * @param learningRate the learning rate by update
     * @return the optimizer
     * @throws IllegalStateException if no active adapter has anything to train
     */
    public static AdamW adamW(LoraModel lora, ParameterTracker learningRate) {
        if (lora.getTrainableParameters().values().stream()
                .noneMatch(Parameter::requiresGradient)) {
            throw new IllegalStateException(
                    "no active adapter has anything to train: activate one with"
                            + " LoraModel.setActive");
        }
        return AdamW.builder().optLearningRateTracker(learningRate).build();
    }
}

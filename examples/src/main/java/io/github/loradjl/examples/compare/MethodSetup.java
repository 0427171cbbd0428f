package io.github.loradjl.examples.compare;

import ai.djl.Model;
import ai.djl.training.tracker.ParameterTracker;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.training.LoraPlus;
import io.github.loradjl.zoo.text.TextDataset;

import java.io.IOException;

/** What a method makes of the model, the rows and the rate that it has in common with others. */
public final class MethodSetup {

    private MethodSetup() {}

    /**
     * Attaches the method's adapter.
     *
     * @param base the model
     * @param method a method with an adapter
     * @param common what all methods adapt, at which rank and alpha
     * @param seed the seed of the start's draws
     * @return the adapted model, whose start may be pending
     * @throws IllegalArgumentException if the model cannot take the adapter
     */
    public static LoraModel attach(Model base, Method method, LoraConfig common, int seed) {
        LoraModel lora = LoraModel.attach(base, method.config(common, seed));
        if (method.isZero()) {
            // No start makes A zero too.
            lora.getTargets(LoraModel.DEFAULT_ADAPTER)
                    .values()
                    .forEach(layer -> layer.get(LoraModel.DEFAULT_ADAPTER).getA().muli(0));
        }
        return lora;
    }

    /**
     * Returns the rows that the method learns from.
     *
     * @param data all rows
     * @param method the method
     * @param seed the seed of their order
     * @return the data set
     * @throws IOException if it cannot be read
     */
    public static TextDataset rows(Setup.Data data, Method method, int seed) throws IOException {
        return data.train(seed, method.share());
    }

    /**
     * Returns the learning rate of each parameter.
     *
     * @param lora the model with the method's adapter; null for full fine-tuning
     * @param method the method
     * @param rate the rate of most parameters
     * @return the rates
     */
    public static ParameterTracker rate(LoraModel lora, Method method, ParameterTracker rate) {
        double ratio = method.ratio();
        return ratio == 1 ? rate : new LoraPlus(lora, rate, ratio);
    }
}

package io.github.loradjl.examples.compare;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.training.AdamW;
import io.github.loradjl.training.LearningRateSchedule;
import io.github.loradjl.zoo.text.TextDataset;

import java.io.IOException;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleFunction;
import java.util.function.Supplier;

/**
 * What all runs of a comparison have in common.
 *
 * @param models where models come from
 * @param data what they learn from
 * @param recipe how they are trained
 * @param metric what is measured of a trained model beside its loss, or null
 * @param stop asked after each step whether to stop
 */
public record Setup(Models models, Data data, Recipe recipe, Metric metric, BooleanSupplier stop) {

    /** Where models come from; each call loads one, which is the caller's to close. */
    public interface Models {

        /**
         * Loads the model for adapters.
         *
         * @return the model, frozen
         * @throws IOException if it cannot be read
         * @throws MalformedModelException if it is broken
         */
        ZooModel<NDList, NDList> frozen() throws IOException, MalformedModelException;

        /**
         * Loads a copy in float32 whose own parameters can be trained.
         *
         * @return the model
         * @throws IOException if it cannot be read
         * @throws MalformedModelException if it is broken
         */
        ZooModel<NDList, NDList> trainable() throws IOException, MalformedModelException;
    }

    /** What models learn from. */
    public interface Data {

        /**
         * Returns the training rows in the order of a seed.
         *
         * @param seed the seed
         * @param share the share of the rows to learn from
         * @return the data set
         * @throws IOException if it cannot be read
         */
        TextDataset train(int seed, double share) throws IOException;

        /**
         * Returns the validation rows, the same for all runs.
         *
         * @return the data set
         * @throws IOException if it cannot be read
         */
        TextDataset validation() throws IOException;
    }

    /**
     * How a model is trained.
     *
     * @param adapter what is adapted, at which rank and alpha; how it starts is the method's
     * @param steps the optimizer steps
     * @param evalSteps the steps between two validations
     * @param schedule makes the schedule of a highest rate
     * @param optimizer begins an optimizer without a rate
     * @param maxGradientNorm the largest global norm of a gradient
     * @param calibrationBatches the batches of LoRA-GA's gradient pass
     * @param checkpointing whether activations are computed again in the backward pass
     */
    public record Recipe(
            LoraConfig adapter,
            int steps,
            int evalSteps,
            DoubleFunction<LearningRateSchedule> schedule,
            Supplier<AdamW.Builder> optimizer,
            double maxGradientNorm,
            int calibrationBatches,
            boolean checkpointing) {}

    /** What is measured of a trained model. */
    public interface Metric {

        /**
         * Returns the name, which says how it is measured.
         *
         * @return the name, as {@code accuracy_labels}
         */
        String name();

        /**
         * Tries whether models can be measured at all, before any is trained for it.
         *
         * @param model a model as it is before training
         * @throws IOException if the rows cannot be read
         * @throws IllegalArgumentException if the metric does not go with the model and the rows
         */
        default void check(Model model) throws IOException {}

        /**
         * Measures a model on the validation rows.
         *
         * @param model the model, adapted or not
         * @return the value, the higher the better
         * @throws IOException if the rows cannot be read
         */
        double measure(Model model) throws IOException;
    }
}

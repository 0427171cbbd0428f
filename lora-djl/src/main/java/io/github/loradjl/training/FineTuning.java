package io.github.loradjl.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.training.listener.TrainingListener.BatchData;
import ai.djl.translate.TranslateException;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The fine-tuning recipe, in the place of {@code EasyTrain.fit}: gradients clipped by their global
 * norm, validation before the first step and after each epoch or more often, an end after a number
 * of steps, and an error at the first loss that is not a number.
 *
 * <pre>{@code
 * try (Trainer trainer = model.newTrainer(training)) {   // a LoraGaListener starts the adapter here
 *     FineTuning.fit(trainer, FineTuningConfig.builder().optEpochs(3).build(), train, validation);
 * }
 * }</pre>
 *
 * <p>The trainer must have one device, that of the model. Its listeners hear of batches and epochs
 * as they do from {@code EasyTrain}.
 */
public final class FineTuning {

    private FineTuning() {}

    /**
     * Trains.
     *
     * @param trainer the trainer of an adapted model
     * @param config how to train
     * @param train the training data
     * @param validation the validation data, or null
     * @return the number of steps made
     * @throws IOException if the data cannot be read
     * @throws TranslateException if the data cannot be prepared
     * @throws IllegalArgumentException if there are no training or validation data, or the trainer
     *     has several devices
     * @throws IllegalStateException if a loss or a gradient is not finite; the step is not made
     */
    public static long fit(
            Trainer trainer, FineTuningConfig config, Dataset train, Dataset validation)
            throws IOException, TranslateException {
        if (trainer.getDevices().length != 1) {
            throw new IllegalArgumentException(
                    "fine-tuning runs on one device, but the trainer has "
                            + List.of(trainer.getDevices())
                            + ": set DefaultTrainingConfig.optDevices to one of them");
        }
        FineTuningListener listener = config.listener();
        long steps = 0;
        long validatedAt = -1;
        if (validation != null) {
            listener.onValidation(steps, validate(trainer, config, validation));
            validatedAt = steps;
        }
        for (int epoch = 1; epoch <= config.epochs() && steps < config.maxSteps(); epoch++) {
            long start = System.nanoTime();
            for (Batch batch : trainer.iterateDataset(train)) {
                try (batch) {
                    Batch local = batch.split(trainer.getDevices(), false)[0];
                    NDList data = local.getData();
                    NDList labels = local.getLabels();
                    NDList predictions;
                    double loss;
                    try (GradientCollector collector = trainer.newGradientCollector()) {
                        predictions = trainer.forward(data, labels);
                        NDArray value = trainer.getLoss().evaluate(labels, predictions);
                        loss = value.getFloat();
                        requireFinite(loss, steps + 1);
                        collector.backward(value);
                    }
                    double norm = GradientClipping.clip(trainer, config.maxGradientNorm());
                    trainer.step();
                    steps++;
                    notifyBatch(trainer, batch, labels, predictions);
                    long tokens = config.tokenCounter().countInputs(batch);
                    double seconds = (System.nanoTime() - start) / 1e9;
                    listener.onStep(
                            new FineTuningListener.Step(steps, epoch, loss, norm, tokens, seconds));
                }
                long interval = config.validationInterval();
                if (validation != null && interval > 0 && steps % interval == 0) {
                    listener.onValidation(steps, validate(trainer, config, validation));
                    validatedAt = steps;
                }
                if (steps == config.maxSteps()) {
                    break;
                }
                start = System.nanoTime();
            }
            if (steps == 0) {
                throw new IllegalArgumentException("the training data is empty");
            }
            if (validation != null && validatedAt != steps) {
                listener.onValidation(steps, validate(trainer, config, validation));
                validatedAt = steps;
            }
            trainer.notifyListeners(l -> l.onEpoch(trainer));
        }
        return steps;
    }

    /** Returns the mean loss over all tokens that count, however they were batched. */
    private static double validate(Trainer trainer, FineTuningConfig config, Dataset validation)
            throws IOException, TranslateException {
        double sum = 0;
        long count = 0;
        for (Batch batch : trainer.iterateDataset(validation)) {
            try (batch) {
                Batch local = batch.split(trainer.getDevices(), false)[0];
                NDList data = local.getData();
                NDList labels = local.getLabels();
                NDArray loss =
                        config.validationLoss() == null
                                ? trainer.getLoss().evaluate(labels, trainer.evaluate(data))
                                : config.validationLoss().evaluate(data, labels);
                long targets = config.tokenCounter().countTargets(batch);
                sum += loss.getFloat() * (double) targets;
                count += targets;
            }
        }
        if (count == 0) {
            throw new IllegalArgumentException("the validation data is empty");
        }
        return sum / count;
    }

    private static void requireFinite(double loss, long step) {
        if (!Double.isFinite(loss)) {
            throw new IllegalStateException(
                    "the loss of step "
                            + step
                            + " is "
                            + loss
                            + ": lower the learning rate, or look for labels that are all ignored"
                            + " and for NaN in the weights");
        }
    }

    private static void notifyBatch(
            Trainer trainer, Batch batch, NDList labels, NDList predictions) {
        BatchData data =
                new BatchData(
                        batch,
                        new ConcurrentHashMap<>(Map.of(labels.head().getDevice(), labels)),
                        new ConcurrentHashMap<>(
                                Map.of(predictions.head().getDevice(), predictions)));
        trainer.notifyListeners(listener -> listener.onTrainingBatch(trainer, data));
    }
}

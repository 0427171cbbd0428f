package io.github.loradjl.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.training.listener.TrainingListener.BatchData;
import ai.djl.translate.TranslateException;
import ai.djl.util.RandomUtils;

import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.torch.TorchOps;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * The fine-tuning recipe, in the place of {@code EasyTrain.fit}: gradients accumulated over several
 * batches by their tokens and clipped by their global norm, validation before the first step and
 * after each epoch or more often, checkpoints from which a killed run goes on with the same
 * numbers, early stopping, and an error at the first loss that is not a number.
 *
 * <pre>{@code
 * try (Trainer trainer = model.newTrainer(training)) {   // a LoraGaListener starts the adapter here
 *     FineTuning.fit(trainer, FineTuningConfig.builder().optEpochs(3).build(), train, validation);
 * }
 * }</pre>
 *
 * <p>The trainer must have one device, that of the model. Its listeners hear of batches and epochs
 * as they do from {@code EasyTrain}.
 *
 * <p>Everything random of a step, such as dropout, is drawn from a seed made of the run's seed and
 * the number of the step, and the order of an epoch from one made of its number. A run is therefore
 * the same wherever it was interrupted. An {@link EpochDataset} is resumed where it was left; of
 * any other data set the batches before are read again and dropped.
 */
public final class FineTuning {

    private static final int SHOWN_ROWS = 32;

    private FineTuning() {}

    /**
     * Trains.
     *
     * @param trainer the trainer of an adapted model
     * @param config how to train
     * @param train the training data
     * @param validation the validation data, or null
     * @return how it ended
     * @throws IOException if the data cannot be read or a checkpoint cannot be written
     * @throws TranslateException if the data cannot be prepared
     * @throws IllegalArgumentException if there are no training or validation data, the trainer has
     *     several devices, or the checkpoint to go on from does not fit
     * @throws IllegalStateException if a loss or a gradient is not finite; the step is not made,
     *     and the message names the step, its rows and the last checkpoint
     */
    public static FineTuningResult fit(
            Trainer trainer, FineTuningConfig config, Dataset train, Dataset validation)
            throws IOException, TranslateException {
        requireOneDevice(trainer);
        Checkpoints checkpoints = config.checkpoints();
        FineTuningListener listener = config.listener();
        RunState run = begin(trainer, config);
        if (run.step == 0 && validation != null) {
            listener.onFirstValidation(validate(trainer, config, validation));
        }

        FineTuningResult.End end = isDone(run, config) ? FineTuningResult.End.COMPLETED : null;
        while (end == null) {
            RandomUtils.RANDOM.setSeed(seedFor(run, "epoch " + run.epoch));
            Iterator<Batch> batches = batches(trainer, train, run);
            requireSome(batches, run);
            while (end == null && batches.hasNext()) {
                long start = System.nanoTime();
                TorchOps.seed(seedFor(run, "step " + (run.step + 1)));
                List<Batch> group = take(batches, config.accumulation());
                Totals totals = backward(trainer, config, group, run);
                double norm = clip(trainer, config, group, run);
                trainer.step();
                double seconds = (System.nanoTime() - start) / 1e9;

                boolean epochEnds = !batches.hasNext();
                double epoch = epochEnds ? run.epoch + 1 : run.epoch + totals.epochShare;
                run.step++;
                run.tokens += totals.tokens;
                run.epoch += epochEnds ? 1 : 0;
                run.batch = epochEnds ? 0 : run.batch + group.size();
                if (isDone(run, config)) {
                    end = FineTuningResult.End.COMPLETED;
                }

                double validationLoss = Double.NaN;
                if (validation != null
                        && (epochEnds || end != null || isDue(run, config.validationInterval()))) {
                    validationLoss = validate(trainer, config, validation);
                }
                listener.onStep(
                        new FineTuningListener.Step(
                                run.step,
                                epoch,
                                totals.loss,
                                totals.accuracy(),
                                norm,
                                totals.tokens,
                                run.tokens,
                                seconds,
                                validationLoss));
                if (epochEnds) {
                    trainer.notifyListeners(l -> l.onEpoch(trainer));
                }
                if (isDue(run, config.sampleInterval())) {
                    listener.onSample(run.step, config.sampler().get());
                }

                if (config.patience() > 0 && !Double.isNaN(validationLoss)) {
                    if (run.improves(validationLoss)) {
                        if (checkpoints != null) {
                            listener.onCheckpoint(run.step);
                            checkpoints.saveBest(run.progress());
                        }
                    } else if (end == null && run.stale() >= config.patience()) {
                        end = FineTuningResult.End.STOPPED_EARLY;
                    }
                }
                if (end == null && config.stopRequest().getAsBoolean()) {
                    end = FineTuningResult.End.INTERRUPTED;
                }
                if (checkpoints != null && checkpoints.isDue(run.step, end)) {
                    listener.onCheckpoint(run.step);
                    run.last = checkpoints.save(run.progress());
                }
            }
        }
        return new FineTuningResult(run.step, end, run.last);
    }

    private static RunState begin(Trainer trainer, FineTuningConfig config) throws IOException {
        Checkpoint resumed = config.resume();
        if (config.checkpoints() != null) {
            config.checkpoints().begin(resumed);
        }
        Integer engineSeed = trainer.getManager().getEngine().getSeed();
        long seed = config.seed() != null ? config.seed() : engineSeed == null ? 0 : engineSeed;
        if (resumed == null) {
            return new RunState(seed, config.accumulation());
        }
        RunState run = new RunState(resumed);
        if (run.seed != seed || run.accumulation != config.accumulation()) {
            throw new IllegalArgumentException(
                    "the run of "
                            + resumed
                            + " has the seed "
                            + run.seed
                            + " and accumulates "
                            + run.accumulation
                            + " batches; it cannot go on with the seed "
                            + seed
                            + " and "
                            + config.accumulation()
                            + " batches");
        }
        resumed.restore(config.checkpoints().model(), config.checkpoints().optimizer());
        return run;
    }

    private static boolean isDone(RunState run, FineTuningConfig config) {
        return run.step >= config.maxSteps() || run.epoch >= config.epochs();
    }

    private static boolean isDue(RunState run, long interval) {
        return interval > 0 && run.step % interval == 0;
    }

    private static long seedFor(RunState run, String what) {
        return RandomMatrix.seedFor(run.seed, what);
    }

    /** Gives the rest of the present epoch. */
    private static Iterator<Batch> batches(Trainer trainer, Dataset train, RunState run)
            throws IOException, TranslateException {
        if (train instanceof EpochDataset epochs) {
            return epochs.getEpoch(trainer.getManager(), run.epoch, run.batch).iterator();
        }
        Iterator<Batch> batches = trainer.iterateDataset(train).iterator();
        for (long i = 0; i < run.batch && batches.hasNext(); i++) {
            batches.next().close();
        }
        return batches;
    }

    private static void requireSome(Iterator<Batch> batches, RunState run) {
        if (!batches.hasNext()) {
            throw new IllegalArgumentException(
                    "the training data is empty: epoch "
                            + (run.epoch + 1)
                            + " has no batch"
                            + (run.batch == 0
                                    ? ""
                                    : " behind the "
                                            + run.batch
                                            + " that were read before this run was resumed; is it"
                                            + " the same data?"));
        }
    }

    private static List<Batch> take(Iterator<Batch> batches, int count) {
        List<Batch> group = new ArrayList<>();
        while (group.size() < count && batches.hasNext()) {
            group.add(batches.next());
        }
        return group;
    }

    /** What the batches of a step come to. */
    private static final class Totals {

        private double loss;
        private double correct;
        private long targets;
        private long tokens;
        private double epochShare;

        void add(Totals batch) {
            loss += batch.loss;
            correct += batch.correct;
            tokens += batch.tokens;
            epochShare = batch.epochShare;
        }

        double accuracy() {
            return correct / targets;
        }
    }

    /** Adds up the gradient of the mean loss over all targets of the batches, and closes them. */
    private static Totals backward(
            Trainer trainer, FineTuningConfig config, List<Batch> group, RunState run) {
        Totals totals = new Totals();
        int next = 0;
        try {
            long[] targets =
                    group.stream().mapToLong(config.tokenCounter()::countTargets).toArray();
            totals.targets = LongStream.of(targets).sum();
            while (next < targets.length) {
                double share = (double) targets[next] / totals.targets;
                try (Batch batch = group.get(next++)) {
                    totals.add(backward(trainer, config, batch, share, run));
                }
            }
            return totals;
        } finally {
            group.subList(next, group.size()).forEach(Batch::close);
        }
    }

    private static Totals backward(
            Trainer trainer, FineTuningConfig config, Batch batch, double share, RunState run) {
        Batch local = batch.split(trainer.getDevices(), false)[0];
        NDList labels = local.getLabels();
        Totals totals = new Totals();
        NDList predictions;
        try (GradientCollector collector = trainer.newGradientCollector()) {
            predictions = trainer.forward(local.getData(), labels);
            NDArray mean = trainer.getLoss().evaluate(labels, predictions);
            float loss = mean.getFloat();
            if (!Float.isFinite(loss)) {
                throw notFinite("the loss is " + loss, List.of(batch), run, null);
            }
            totals.loss = share * loss;
            // The graph refers to the factor's memory, which ends with its handle.
            try (NDArray factor = mean.getManager().create((float) share)) {
                collector.backward(share == 1 ? mean : mean.mul(factor));
            }
        }
        totals.correct = config.tokenCounter().countCorrect(labels, predictions);
        totals.tokens = config.tokenCounter().countInputs(batch);
        totals.epochShare = share(batch);
        notifyBatch(trainer, batch, labels, predictions);
        return totals;
    }

    private static double share(Batch batch) {
        return batch.getProgressTotal() == 0
                ? 0
                : (double) batch.getProgress() / batch.getProgressTotal();
    }

    private static double clip(
            Trainer trainer, FineTuningConfig config, List<Batch> group, RunState run) {
        try {
            return GradientClipping.clip(trainer, config.maxGradientNorm());
        } catch (IllegalStateException e) {
            throw notFinite(e.getMessage(), group, run, e);
        }
    }

    private static IllegalStateException notFinite(
            String what, List<Batch> group, RunState run, Throwable cause) {
        String rows =
                group.stream()
                        .filter(batch -> batch.getIndices() != null)
                        .flatMap(batch -> batch.getIndices().stream())
                        .limit(SHOWN_ROWS)
                        .map(String::valueOf)
                        .collect(Collectors.joining(", "));
        return new IllegalStateException(
                "step "
                        + (run.step + 1)
                        + " failed: "
                        + what
                        + (rows.isEmpty() ? "" : "; its rows: " + rows)
                        + (run.last == null
                                ? "; there is no checkpoint before it"
                                : "; the last good checkpoint is " + run.last)
                        + ". Lower the learning rate, or look for NaN in the weights and for rows"
                        + " unlike the others",
                cause);
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

    private static void requireOneDevice(Trainer trainer) {
        if (trainer.getDevices().length != 1) {
            throw new IllegalArgumentException(
                    "fine-tuning runs on one device, but the trainer has "
                            + List.of(trainer.getDevices())
                            + ": set DefaultTrainingConfig.optDevices to one of them");
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

package io.github.loradjl.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.training.listener.TrainingListenerAdapter;
import ai.djl.training.util.ProgressBar;
import ai.djl.translate.TranslateException;
import ai.djl.util.RandomUtils;

import io.github.loradjl.LoraGa;
import io.github.loradjl.LoraGaOptions;
import io.github.loradjl.LoraGaReport;
import io.github.loradjl.LoraModel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Starts LoRA-GA adapters when training begins, from the gradient over the first 8 batches of a
 * data set unless set otherwise.
 *
 * <p>Where no active adapter waits for its start, because it is started or loaded, it does nothing.
 * After reading a data set it seeds DJL's generator again from the engine's seed, if there is one:
 * a shuffled data set draws its order from it.
 *
 * @see LoraGa
 */
public class LoraGaListener extends TrainingListenerAdapter {

    private static final Logger logger = LoggerFactory.getLogger(LoraGaListener.class);
    private static final int DEFAULT_BATCHES = 8;

    private final LoraModel lora;
    private final Dataset dataset;
    private final Iterable<? extends Batch> given;
    private final int batches;
    private final LoraGaOptions options;
    private LoraGaReport report = new LoraGaReport(Map.of());

    /**
     * Creates a listener that reads the first 8 batches of a data set and shows a progress bar.
     *
     * @param lora the adapted model
     * @param calibration the data set
     */
    public LoraGaListener(LoraModel lora, Dataset calibration) {
        this(lora, calibration, DEFAULT_BATCHES);
    }

    /**
     * Creates a listener that shows a progress bar.
     *
     * @param lora the adapted model
     * @param calibration the data set
     * @param batches the number of batches to read
     * @throws IllegalArgumentException if {@code batches} is not positive
     */
    public LoraGaListener(LoraModel lora, Dataset calibration, int batches) {
        this(
                lora,
                calibration,
                batches,
                LoraGaOptions.builder().optProgress(new ProgressBar()).build());
    }

    /**
     * Creates a listener.
     *
     * @param lora the adapted model
     * @param calibration the data set
     * @param batches the number of batches to read
     * @param options the strategy and the rest
     * @throws IllegalArgumentException if {@code batches} is not positive
     */
    public LoraGaListener(LoraModel lora, Dataset calibration, int batches, LoraGaOptions options) {
        if (batches < 1) {
            throw new IllegalArgumentException(
                    "the gradient needs at least one calibration batch, not " + batches);
        }
        this.lora = lora;
        dataset = calibration;
        given = null;
        this.batches = batches;
        this.options = options;
    }

    /**
     * Creates a listener that uses given batches.
     *
     * @param lora the adapted model
     * @param calibration the batches, on the model's device; left open
     * @param options the strategy and the rest
     */
    public LoraGaListener(
            LoraModel lora, Iterable<? extends Batch> calibration, LoraGaOptions options) {
        this.lora = lora;
        dataset = null;
        given = calibration;
        batches = 0;
        this.options = options;
    }

    /** {@inheritDoc} */
    @Override
    public void onTrainingBegin(Trainer trainer) {
        if (lora.getActive().stream().noneMatch(lora::isStartPending)) {
            return;
        }
        try {
            start(trainer);
        } catch (RuntimeException e) {
            // We are inside the trainer's constructor: nobody else can release what it has made.
            trainer.getManager().close();
            throw e;
        }
    }

    private void start(Trainer trainer) {
        if (trainer.getModel().getBlock() != lora.getBlock()) {
            throw new IllegalStateException(
                    "the LoraGaListener is for another model than "
                            + trainer.getModel().getName()
                            + ", which is being trained: give it the LoraModel attached to that"
                            + " one");
        }
        if (trainer.getDevices().length > 1) {
            throw new IllegalStateException(
                    "LoRA-GA starts on one device, but the trainer has "
                            + List.of(trainer.getDevices())
                            + ": set DefaultTrainingConfig.optDevices to one of them");
        }
        if (given != null) {
            report = LoraGa.start(lora, trainer.getLoss(), given, options);
        } else {
            try (NDManager scope = trainer.getManager().newSubManager()) {
                report = LoraGa.start(lora, trainer.getLoss(), read(trainer, scope), options);
            }
        }
        logger.info("LoRA-GA start:\n{}", report);
    }

    private List<Batch> read(Trainer trainer, NDManager scope) {
        List<Batch> calibration = new ArrayList<>();
        try {
            for (Batch batch : trainer.iterateDataset(dataset)) {
                // DJL's data sets close all batches once they have given the last one.
                calibration.add(copy(batch, scope));
                batch.close();
                if (calibration.size() == batches) {
                    break;
                }
            }
            if (calibration.size() < batches) {
                logger.warn(
                        "The calibration data has {} batches, fewer than the {} asked for.",
                        calibration.size(),
                        batches);
            }
            Integer seed = trainer.getManager().getEngine().getSeed();
            if (seed != null) {
                RandomUtils.RANDOM.setSeed(seed);
            }
            return calibration;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the calibration data", e);
        } catch (TranslateException e) {
            throw new IllegalStateException("cannot prepare the calibration data", e);
        }
    }

    private static Batch copy(Batch batch, NDManager scope) {
        return new Batch(
                scope,
                copy(batch.getData(), scope),
                copy(batch.getLabels(), scope),
                batch.getSize(),
                null, // Only for several devices.
                null,
                batch.getProgress(),
                batch.getProgressTotal());
    }

    private static NDList copy(NDList arrays, NDManager scope) {
        NDList copies = new NDList(arrays.size());
        for (NDArray array : arrays) {
            NDArray copy = array.duplicate();
            copy.attach(scope);
            copies.add(copy);
        }
        return copies;
    }

    /**
     * Returns what the start holds of the gradient.
     *
     * @return the report, empty before the start and where nothing was started
     */
    public LoraGaReport getReport() {
        return report;
    }
}

package io.github.loradjl.examples.benchmark.speed;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.loss.Loss;

import io.github.loradjl.LoraModel;
import io.github.loradjl.training.AdamW;
import io.github.loradjl.training.LoraOptimizer;
import io.github.loradjl.zoo.text.CausalLmLoss;

/** Steps of training: forward, backward, AdamW. */
final class Training implements Work {

    private static final float RATE = 1e-4f;

    private final Model model;
    private final LoraModel lora;
    private final AdamW optimizer;
    private final Trainer trainer;
    private final Batches batches;

    Training(LoraModel lora, Batches batches, boolean checkpointing) {
        this.lora = lora;
        this.batches = batches;
        model = lora.getModel();
        Loss loss = new CausalLmLoss();
        if (checkpointing) {
            loss = lora.checkpointActivations(loss);
        }
        optimizer = LoraOptimizer.adamW(lora, RATE);
        trainer =
                model.newTrainer(
                        new DefaultTrainingConfig(loss)
                                .optDevices(new Device[] {model.getNDManager().getDevice()})
                                .optOptimizer(optimizer));
    }

    /** {@inheritDoc} */
    @Override
    public double run(int turn) {
        try (Batch batch = batches.batch(trainer.getManager(), turn)) {
            NDList labels = batch.getLabels();
            float loss;
            try (GradientCollector collector = trainer.newGradientCollector()) {
                NDList predictions = trainer.forward(batch.getData(), labels);
                NDArray mean = trainer.getLoss().evaluate(labels, predictions);
                collector.backward(mean);
                loss = mean.getFloat();
            }
            trainer.step();
            return loss;
        }
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        trainer.close();
        optimizer.close();
        lora.close();
        model.close();
    }
}

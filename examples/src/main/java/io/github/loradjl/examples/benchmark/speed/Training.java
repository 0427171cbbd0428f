package io.github.loradjl.examples.benchmark.speed;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.loss.Loss;

import io.github.loradjl.LoraModel;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.training.AdamW;
import io.github.loradjl.training.LoraOptimizer;
import io.github.loradjl.zoo.text.CausalLmLoss;

import java.io.IOException;
import java.nio.file.Path;

/** Steps of training: forward, backward, AdamW. */
final class Training implements Work {

    private static final float RATE = 1e-4f;

    private final ZooModel<NDList, NDList> model;
    private final LoraModel lora;
    private final AdamW optimizer;
    private final Trainer trainer;
    private final Batches batches;

    Training(ZooModel<NDList, NDList> model, Path adapter, Batches batches, boolean checkpointing)
            throws IOException {
        this.model = model;
        this.batches = batches;
        lora = PeftAdapter.load(model, adapter);
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

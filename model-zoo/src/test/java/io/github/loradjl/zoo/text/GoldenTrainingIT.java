package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Parameter;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.listener.EvaluatorTrainingListener;
import ai.djl.training.tracker.Tracker;
import ai.djl.translate.Batchifier;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.LowRankUpdate;
import io.github.loradjl.safetensors.Safetensors;
import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.training.AdamW;
import io.github.loradjl.training.GradientClipping;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import org.junit.jupiter.api.Test;

import java.nio.file.Path;

/** Fifty steps of LoRA on a real model, beside those that torch made from the same start. */
class GoldenTrainingIT {

    private static final String STEM = "base_model.model.";

    @Test
    void train_fromTheGivenFactors_followsTorch() throws Exception {
        Path folder = SharedRoot.require("checkpoints/stories260K");
        Path golden = SharedRoot.require("golden/training/golden.safetensors");
        LoraConfig config = LoraConfig.builder().optRank(4).optAlpha(8).build();
        try (Safetensors expected = Safetensors.open(golden);
                ZooModel<NDList, NDList> model =
                        HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
                LoraModel lora = LoraModel.attach(model, config);
                AdamW adamW =
                        AdamW.builder().optLearningRateTracker(Tracker.fixed(0.002f)).build();
                NDManager manager = model.getNDManager().newSubManager()) {
            for (LoraLinear layer : lora.getTargets(LoraModel.DEFAULT_ADAPTER).values()) {
                LowRankUpdate update = layer.get(LoraModel.DEFAULT_ADAPTER);
                update.set(
                        expected.read(manager, "start." + factor(layer, "A")),
                        expected.read(manager, "start." + factor(layer, "B")));
            }
            CausalLmLoss loss = new CausalLmLoss();
            DefaultTrainingConfig training =
                    new DefaultTrainingConfig(loss)
                            .optDevices(new Device[] {Device.cpu()})
                            .optOptimizer(adamW)
                            .addTrainingListeners(new EvaluatorTrainingListener());
            double[] losses = expected.read(manager, "losses").toDoubleArray();
            double[] norms = expected.read(manager, "grad_norms").toDoubleArray();
            NDArray batches = expected.read(manager, "batches");
            try (Trainer trainer = model.newTrainer(training)) {
                int live = 0;
                for (int step = 0; step < losses.length; step++) {
                    try (Batch batch = batch(manager, batches.get(step))) {
                        EasyTrain.trainBatch(trainer, batch);
                        double norm = GradientClipping.clip(trainer, 1.0);
                        trainer.step();
                        float value = loss.getAccumulator(EvaluatorTrainingListener.TRAIN_ALL);
                        // Measured below 1e-6; other kernels may round differently.
                        assertThat((double) value)
                                .as("loss of step %d", step)
                                .isCloseTo(losses[step], within(1e-4));
                        // Measured below 1e-6.
                        assertThat(norm)
                                .as("gradient norm of step %d", step)
                                .isCloseTo(norms[step], within(1e-4 * norms[step]));
                    }
                    if (step == 9) {
                        live = live(lora);
                    }
                }
                assertThat(live(lora)).isEqualTo(live);
            }
            for (LoraLinear layer : lora.getTargets(LoraModel.DEFAULT_ADAPTER).values()) {
                LowRankUpdate update = layer.get(LoraModel.DEFAULT_ADAPTER);
                assertClose(update.getParameterA(), expected, manager, factor(layer, "A"));
                assertClose(update.getParameterB(), expected, manager, factor(layer, "B"));
            }
        }
    }

    private static int live(LoraModel lora) {
        return lora.getManager().getManagedArrays().size()
                + lora.getModel().getNDManager().getManagedArrays().size();
    }

    private static void assertClose(
            Parameter parameter, Safetensors expected, NDManager manager, String name)
            throws Exception {
        NDArray end = expected.read(manager, "end." + name);
        NDArray start = expected.read(manager, "start." + name);
        float error = parameter.getArray().stopGradient().sub(end).norm().getFloat();
        float path = end.sub(start).norm().getFloat();
        // AdamW divides by the root of tiny second moments, which makes small differences larger.
        assertThat(error / path).as(name).isLessThan(1e-3f);
    }

    private static String factor(LoraLinear layer, String name) {
        return STEM + layer.getPath() + ".lora_" + name + ".weight";
    }

    private static Batch batch(NDManager manager, NDArray ids) {
        NDManager own = manager.newSubManager();
        NDArray copy = ids.duplicate();
        ids.close();
        return new Batch(
                own,
                new NDList(copy),
                new NDList(copy.duplicate()),
                4,
                Batchifier.STACK,
                Batchifier.STACK,
                0,
                0);
    }
}

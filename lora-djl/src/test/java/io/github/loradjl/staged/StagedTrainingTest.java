package io.github.loradjl.staged;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.loss.Loss;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.testing.Batches;
import io.github.loradjl.testing.Models;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.training.LoraOptimizer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

class StagedTrainingTest {

    private static final int ROWS = 16;
    private static final int SIZE = 12;

    private Model model;
    private NDManager manager;
    private NDArray x;
    private NDArray y;

    @BeforeEach
    void open() {
        Engine.getInstance().setRandomSeed(9);
        SequentialBlock block =
                new SequentialBlock()
                        .add(Linear.builder().setUnits(SIZE).build())
                        .add(Activation.tanhBlock())
                        .add(Linear.builder().setUnits(SIZE).build());
        model = Models.model("chain", block, new Shape(1, SIZE));
        manager = model.getNDManager().newSubManager();
        x = manager.randomNormal(new Shape(ROWS, SIZE));
        y = manager.randomNormal(new Shape(ROWS, SIZE));
    }

    @AfterEach
    void close() {
        model.close();
    }

    private LoraModel attach(double dropout) {
        return LoraModel.attach(
                model,
                LoraConfig.builder()
                        .optRank(4)
                        .optDropout(dropout)
                        .optInit(LoraInit.bothRandom())
                        .build());
    }

    @Test
    void trainer_takesTheStepsOfThePlainPass() {
        List<Float> plain;
        try (LoraModel lora = attach(0)) {
            plain = losses(lora, Loss.l2Loss());
        }
        try (LoraModel lora = attach(0)) {
            List<Float> checkpointed = losses(lora, lora.checkpointActivations(Loss.l2Loss()));
            for (int i = 0; i < plain.size(); i++) {
                // The same sums in another order, over six steps of Adam.
                assertThat(checkpointed.get(i)).isCloseTo(plain.get(i), within(1e-5f));
            }
        }
        assertThat(plain.get(5)).isLessThan(plain.get(0));
    }

    /** Returns the mean loss of training as DJL's own metrics see it after each step. */
    private List<Float> losses(LoraModel lora, Loss loss) {
        DefaultTrainingConfig config =
                new DefaultTrainingConfig(loss)
                        .optDevices(new Device[] {Device.cpu()})
                        .optOptimizer(LoraOptimizer.adamW(lora, 0.02f));
        List<Float> losses = new ArrayList<>();
        try (Trainer trainer = model.newTrainer(config)) {
            for (int i = 0; i < 6; i++) {
                loss.addAccumulator("train");
                try (Batch batch = Batches.of(manager, x.duplicate(), y.duplicate())) {
                    EasyTrain.trainBatch(trainer, batch);
                    trainer.step();
                    NDList predictions = trainer.forward(batch.getData(), batch.getLabels());
                    loss.updateAccumulator("train", batch.getLabels(), predictions);
                }
                losses.add(loss.getAccumulator("train"));
            }
        }
        return losses;
    }

    @Test
    void forward_withDropout_hasTheGradientOfTheLossItReturns() {
        try (LoraModel lora = attach(0.3)) {
            List<Parameter> parameters = List.copyOf(lora.getTrainableParameters().values());
            TorchOps.backward(loss(lora));
            List<NDArray> gradients =
                    parameters.stream().map(p -> p.getArray().getGradient()).toList();
            float norm = TorchOps.globalNorm(gradients);
            float h = 0.02f;
            move(parameters, gradients, h / norm);
            float above = loss(lora).getFloat();
            move(parameters, gradients, -2 * h / norm);
            float below = loss(lora).getFloat();
            // The third derivative of the loss takes the central difference off by about h^2.
            assertThat((above - below) / (2 * h)).isCloseTo(norm, within(5e-3f * norm));
        }
    }

    /** Computes the loss with the same masks each time. */
    private NDArray loss(LoraModel lora) {
        TorchOps.seed(4);
        lora.checkpointActivations(Loss.l2Loss());
        try (GradientMode mode = GradientMode.on()) {
            ParameterStore store = new ParameterStore(manager, false);
            NDList output = lora.getBlock().forward(store, new NDList(x), new NDList(y), null);
            return output.singletonOrThrow();
        }
    }

    private static void move(List<Parameter> parameters, List<NDArray> along, float factor) {
        for (int i = 0; i < parameters.size(); i++) {
            try (NDArray detached = parameters.get(i).getArray().stopGradient()) {
                detached.addi(along.get(i).mul(factor));
            }
        }
    }
}

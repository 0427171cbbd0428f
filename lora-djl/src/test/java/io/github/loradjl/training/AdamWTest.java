package io.github.loradjl.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.dataset.Batch;
import ai.djl.training.loss.Loss;
import ai.djl.training.tracker.Tracker;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

class AdamWTest {

    private NDManager manager;

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager(Device.cpu());
    }

    @AfterEach
    void close() {
        manager.close();
    }

    /**
     * torch.optim.AdamW(lr=0.1, weight_decay=0.05) from [1, -2, 0.5, 3] with the gradients [0.3 k,
     * -1 / k, 1e-9 k, 0], k = 1..5, in torch 2.13. The third weight tells where eps is added.
     */
    @Test
    void update_withDecay_isThatOfTorch() {
        NDArray weight = weight(1f, -2f, 0.5f, 3f);
        AdamW adamW =
                AdamW.builder()
                        .optLearningRateTracker(Tracker.fixed(0.1f))
                        .optWeightDecays(0.05f)
                        .build();
        for (int k = 1; k <= 5; k++) {
            adamW.update(
                    "w", weight, manager.create(new float[] {0.3f * k, -1f / k, 1e-9f * k, 0}));
            if (k == 1) {
                assertThat(weight.toFloatArray())
                        .containsExactly(
                                new float[] {
                                    0.8950000405311584f,
                                    -1.8899999856948853f,
                                    0.4884091019630432f,
                                    2.9850001335144043f
                                },
                                // a rounding in the last place
                                within(3e-7f));
            }
        }
        assertThat(weight.toFloatArray())
                .containsExactly(
                        new float[] {
                            0.4950271248817444f,
                            -1.5150094032287598f,
                            0.40422797203063965f,
                            2.925746440887451f
                        },
                        within(5e-7f));
        assertThat(adamW.getState().get("w").getSquare().getFloat(1))
                .isCloseTo(0.001458583283238113f, within(1e-9f));
        adamW.close();
    }

    @Test
    void update_withoutDecay_followsTheFormulaInDoublePrecision() {
        double[] expected = {1, -2, 0.5};
        double[] mean = new double[3];
        double[] square = new double[3];
        NDArray weight = weight(1f, -2f, 0.5f);
        AdamW adamW = AdamW.builder().optBeta1(0.8).optBeta2(0.95).optEpsilon(1e-4).build();
        for (int t = 1; t <= 50; t++) {
            float[] gradient = {
                (float) Math.sin(t), (float) Math.cos(3.0 * t), (float) (1e-4 * Math.sin(5.0 * t))
            };
            adamW.update("w", weight, manager.create(gradient));
            for (int i = 0; i < 3; i++) {
                mean[i] = 0.8 * mean[i] + 0.2 * gradient[i];
                square[i] = 0.95 * square[i] + 0.05 * gradient[i] * gradient[i];
                double root = Math.sqrt(square[i]) / Math.sqrt(1 - Math.pow(0.95, t));
                expected[i] -= 0.001 / (1 - Math.pow(0.8, t)) * mean[i] / (root + 1e-4);
            }
        }
        for (int i = 0; i < 3; i++) {
            // 50 roundings of a float32 near 1
            assertThat(weight.getFloat(i)).isCloseTo((float) expected[i], within(3e-6f));
        }
        adamW.close();
    }

    @Test
    void update_parameterThatJoinsLater_hasItsOwnCount() {
        AdamW adamW = AdamW.builder().build();
        NDArray early = weight(1f);
        NDArray late = weight(1f);
        for (int i = 0; i < 10; i++) {
            adamW.update("early", early, manager.create(new float[] {1}));
        }
        adamW.update("late", late, manager.create(new float[] {1}));
        // The first bias-corrected step is the learning rate.
        assertThat(late.getFloat(0)).isCloseTo(0.999f, within(1e-7f));
        assertThat(adamW.getState().get("late").getUpdates()).isEqualTo(1);
        assertThat(adamW.getState().get("early").getUpdates()).isEqualTo(10);
        adamW.close();
    }

    @Test
    void update_rateOfItsOwn_isAskedByIdAndCount() {
        List<String> asked = new ArrayList<>();
        AdamW adamW =
                AdamW.builder()
                        .optLearningRateTracker(
                                (id, t) -> {
                                    asked.add(id + t);
                                    return id.equals("b") ? 0.2f : 0.1f;
                                })
                        .build();
        NDArray a = weight(1f);
        NDArray b = weight(1f);
        adamW.update("a", a, manager.create(new float[] {1}));
        adamW.update("b", b, manager.create(new float[] {1}));
        adamW.update("b", b, manager.create(new float[] {1}));
        assertThat(asked).containsExactly("a1", "b1", "b2");
        assertThat(a.getFloat(0)).isCloseTo(0.9f, within(1e-6f));
        assertThat(b.getFloat(0)).isCloseTo(0.6f, within(1e-6f));
        adamW.close();
    }

    @Test
    void update_rescaleAndClip_workOnBothSidesAndLeaveTheGivenGradient() {
        AdamW adamW = AdamW.builder().setRescaleGrad(0.5f).optClipGrad(1f).build();
        NDArray gradient = manager.create(new float[] {-10, -0.5f, 0.5f, 10});
        adamW.update("w", weight(0f, 0f, 0f, 0f), gradient);
        assertThat(adamW.getState().get("w").getMean().toFloatArray())
                .containsExactly(new float[] {-0.1f, -0.025f, 0.025f, 0.1f}, within(1e-7f));
        assertThat(gradient.toFloatArray()).containsExactly(-10, -0.5f, 0.5f, 10);
        adamW.close();
    }

    @Test
    void update_leafWithGradientOnAnotherThread_worksAndZeroesTheGradient() throws Exception {
        NDArray weight = weight(1f, 2f);
        try (GradientCollector collector = manager.getEngine().newGradientCollector()) {
            collector.backward(weight.add(weight).add(weight).sum());
        }
        AdamW adamW = AdamW.builder().build();
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try {
            CompletableFuture.runAsync(
                            () -> {
                                try (NDArray gradient = weight.getGradient().duplicate()) {
                                    adamW.update("w", weight, gradient);
                                }
                            },
                            executor)
                    .get();
        } finally {
            executor.shutdown();
        }
        assertThat(weight.toFloatArray())
                .containsExactly(new float[] {0.999f, 1.999f}, within(2e-7f));
        assertThat(weight.getGradient().toFloatArray()).containsExactly(0, 0);
        assertThat(weight.hasGradient()).isTrue();
        adamW.close();
    }

    @Test
    void setState_storedState_goesOnToTheLastBit() {
        NDArray straight = weight(1f, -1f);
        NDArray resumed = weight(1f, -1f);
        AdamW first = AdamW.builder().build();
        AdamW uninterrupted = AdamW.builder().build();
        for (int t = 1; t <= 6; t++) {
            uninterrupted.update("s", straight, manager.create(new float[] {t, 1f / t}));
            if (t <= 3) {
                first.update("r", resumed, manager.create(new float[] {t, 1f / t}));
            }
        }
        AdamW second = AdamW.builder().build();
        second.setState("new id", resumed, first.getState().get("r"));
        first.close();
        for (int t = 4; t <= 6; t++) {
            second.update("new id", resumed, manager.create(new float[] {t, 1f / t}));
        }
        assertThat(resumed.toFloatArray()).containsExactly(straight.toFloatArray());
        assertThat(second.getState().get("new id").getUpdates()).isEqualTo(6);
        second.close();
        uninterrupted.close();
    }

    @Test
    void setState_otherShape_isNamed() {
        AdamW adamW = AdamW.builder().build();
        NDArray two = manager.zeros(new Shape(2));
        NDArray weight = weight(1f, 2f, 3f);
        weight.setName("lora_A");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> adamW.setState("w", weight, AdamW.Moments.of(two, two, 1)))
                .withMessageContainingAll("(2)", "(3)", "lora_A");
    }

    @Test
    void update_rateThatIsNotFinite_isAnError() {
        AdamW adamW = AdamW.builder().optLearningRateTracker((id, t) -> Float.NaN).build();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> adamW.update("w", weight(1f), manager.create(new float[] {1})))
                .withMessageContaining("learning rate");
    }

    @Test
    void build_numberOutsideItsRange_isNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> AdamW.builder().optBeta2(1).build())
                .withMessageContainingAll("beta2", "1.0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> AdamW.builder().optWeightDecays(-1).build())
                .withMessageContaining("weight decay");
    }

    @Test
    void fit_manySteps_leaveNoArraysAndCloseFreesTheState() throws Exception {
        try (Model model = Model.newInstance("line", Device.cpu())) {
            NDManager own = model.getNDManager();
            model.setBlock(Linear.builder().setUnits(1).build());
            NDArray x = own.create(new float[] {0, 1, 2, 3}, new Shape(4, 1));
            NDArray y = own.create(new float[] {1, 3, 5, 7}, new Shape(4, 1));
            ArrayDataset data =
                    new ArrayDataset.Builder()
                            .setData(x)
                            .optLabels(y)
                            .setSampling(4, false)
                            .build();
            AdamW adamW = AdamW.builder().optLearningRateTracker(Tracker.fixed(0.1f)).build();
            DefaultTrainingConfig config =
                    new DefaultTrainingConfig(Loss.l2Loss())
                            .optDevices(new Device[] {Device.cpu()})
                            .optOptimizer(adamW);
            try (Trainer trainer = model.newTrainer(config)) {
                trainer.initialize(new Shape(4, 1));
                int live = 0;
                for (int step = 0; step < 250; step++) {
                    for (Batch batch : trainer.iterateDataset(data)) {
                        EasyTrain.trainBatch(trainer, batch);
                        GradientClipping.clip(trainer, 10);
                        trainer.step();
                        batch.close();
                    }
                    if (step == 50) {
                        live = own.getManagedArrays().size();
                    }
                }
                assertThat(own.getManagedArrays()).hasSize(live);
                adamW.close();
                assertThat(own.getManagedArrays()).hasSize(live - 4);
            }
            NDArray weight = model.getBlock().getParameters().get("weight").getArray();
            assertThat(weight.toFloatArray()[0]).isCloseTo(2f, within(0.05f));
        }
    }

    private NDArray weight(float... values) {
        NDArray weight = manager.create(values);
        weight.setRequiresGradient(true);
        return weight;
    }
}

package io.github.loradjl.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.training.listener.TrainingListenerAdapter;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import ai.djl.util.Progress;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.testing.Distance;
import io.github.loradjl.torch.TorchOps;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

class FineTuningTest {

    private static final int ROWS = 24;
    private static final int BATCH = 8;

    private final List<FineTuningListener.Step> steps = new ArrayList<>();
    private final List<Long> validatedAt = new ArrayList<>();
    private final List<Double> validationLosses = new ArrayList<>();
    private Model model;
    private LoraModel lora;
    private NDManager manager;

    private final FineTuningListener listener =
            new FineTuningListener() {

                @Override
                public void onFirstValidation(double loss) {
                    validatedAt.add(0L);
                    validationLosses.add(loss);
                }

                @Override
                public void onStep(Step step) {
                    steps.add(step);
                    if (!Double.isNaN(step.validationLoss())) {
                        validatedAt.add(step.number());
                        validationLosses.add(step.validationLoss());
                    }
                }
            };

    @BeforeEach
    void adaptAModel() {
        model = Model.newInstance("linear", Device.cpu(), "PyTorch");
        manager = model.getNDManager();
        SequentialBlock block =
                new SequentialBlock().add(Linear.builder().setUnits(4).optBias(false).build());
        block.initialize(manager, DataType.FLOAT32, new Shape(1, 6));
        model.setBlock(block);
        lora = LoraModel.attach(model, LoraConfig.builder().optRank(2).build());
    }

    @AfterEach
    void close() {
        lora.close();
        model.close();
    }

    @Test
    void fit_twoEpochs_validatesFirstAndAfterEach() throws Exception {
        int[] epochs = new int[1];
        TrainingListenerAdapter counter =
                new TrainingListenerAdapter() {

                    @Override
                    public void onEpoch(Trainer trainer) {
                        epochs[0]++;
                    }
                };
        long made = fit(config().optEpochs(2), data(1f), 0.05f, counter);
        assertThat(made).isEqualTo(6);
        assertThat(steps)
                .extracting(FineTuningListener.Step::number)
                .containsExactly(1L, 2L, 3L, 4L, 5L, 6L);
        assertThat(steps)
                .extracting(FineTuningListener.Step::epoch)
                .containsExactly(1 / 3.0, 2 / 3.0, 1.0, 1 + 1 / 3.0, 1 + 2 / 3.0, 2.0);
        assertThat(steps)
                .extracting(FineTuningListener.Step::totalTokens)
                .containsExactly(8L, 16L, 24L, 32L, 40L, 48L);
        assertThat(steps).allMatch(step -> step.tokens() == BATCH && step.gradientNorm() > 0);
        assertThat(validatedAt).containsExactly(0L, 3L, 6L);
        assertThat(validationLosses.get(2)).isLessThan(validationLosses.get(0));
        assertThat(epochs[0]).isEqualTo(2);
    }

    @Test
    void fit_maxSteps_endsInsideAnEpochAndValidates() throws Exception {
        assertThat(fit(config().optEpochs(9).optMaxSteps(4), data(1f), 0.05f)).isEqualTo(4);
        assertThat(validatedAt).containsExactly(0L, 3L, 4L);
    }

    @Test
    void fit_validationInterval_validatesOnceWhereBothFall() throws Exception {
        fit(config().optEpochs(2).optValidationInterval(3), data(1f), 0.05f);
        assertThat(validatedAt).containsExactly(0L, 3L, 6L);
    }

    @Test
    void fit_validationLossOfItsOwn_isWeightedByTargets() throws Exception {
        // Batches of 8, 8 and 8 rows weigh 1, 2 and 3 tokens a row with losses 10, 20 and 30.
        int[] calls = new int[2];
        TokenCounter counter =
                new TokenCounter() {

                    @Override
                    public long countInputs(Batch batch) {
                        return 0;
                    }

                    @Override
                    public long countTargets(Batch batch) {
                        return ++calls[0];
                    }
                };
        FineTuningConfig.Builder config =
                config().optMaxSteps(1)
                        .optTokenCounter(counter)
                        .optValidationLoss(
                                (data, labels) ->
                                        data.head().getManager().create(10f * ++calls[1]));
        fit(config, data(1f), 0.05f);
        assertThat(validationLosses.get(0)).isEqualTo((10.0 + 40.0 + 90.0) / 6);
    }

    @Test
    void fit_lossNotANumber_namesTheStepAndLeavesTheAdapter() {
        float[] before =
                lora.getTrainableParameters().values().iterator().next().getArray().toFloatArray();
        assertThatThrownBy(() -> fit(config(), data(Float.NaN), 0.05f))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("step 1 failed: the loss is NaN")
                .hasMessageContaining("its rows: 0, 1, 2, 3, 4, 5, 6, 7;")
                .hasMessageContaining("no checkpoint");
        assertThat(
                        lora.getTrainableParameters()
                                .values()
                                .iterator()
                                .next()
                                .getArray()
                                .toFloatArray())
                .isEqualTo(before);
    }

    @Test
    void fit_withoutTrainingData_isRefused() throws Exception {
        Dataset none = new NoData();
        try (Trainer trainer = model.newTrainer(new DefaultTrainingConfig(Loss.l2Loss()))) {
            assertThatThrownBy(() -> FineTuning.fit(trainer, config().build(), none, null))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("training data is empty");
        }
    }

    private static final class NoData implements Dataset {

        @Override
        public Iterable<Batch> getData(NDManager manager) {
            return List.of();
        }

        @Override
        public void prepare(Progress progress) {}
    }

    @Test
    void build_outOfRange_isRefused() {
        assertThatThrownBy(() -> config().optEpochs(0).build()).hasMessageContaining("epochs");
        assertThatThrownBy(() -> config().optMaxGradientNorm(0).build())
                .hasMessageContaining("norm");
    }

    /** Batches of 10, 10 and 4 rows; in one batch of 24 each row has the same weight. */
    @Test
    void fit_accumulatedBatches_giveTheGradientOfOneLargeBatch() throws Exception {
        NDArray large = gradientOfOneStep(24, 1);
        NDArray small = gradientOfOneStep(10, 3);
        // The sums run in another order.
        assertThat(Distance.relative(small, large)).isLessThan(1e-5);
        assertThat(steps.get(1).loss()).isCloseTo(steps.get(0).loss(), within(1e-5));
        assertThat(steps.get(1).tokens()).isEqualTo(ROWS);
    }

    private NDArray gradientOfOneStep(int batchSize, int accumulation) throws Exception {
        ArrayDataset rows = data(1f, batchSize);
        GradientRecorder recorder = new GradientRecorder();
        try (Trainer trainer =
                model.newTrainer(
                        new DefaultTrainingConfig(Loss.l2Loss())
                                .optDevices(new Device[] {Device.cpu()})
                                .optOptimizer(recorder))) {
            FineTuningConfig once =
                    config().optMaxSteps(1)
                            .optAccumulation(accumulation)
                            .optMaxGradientNorm(Double.POSITIVE_INFINITY)
                            .build();
            FineTuning.fit(trainer, once, rows, null);
        }
        NDArray all = manager.create(0f).reshape(1);
        for (Parameter parameter : lora.getTrainableParameters().values()) {
            all = all.concat(recorder.gradients.get(parameter.getId()).flatten());
        }
        return all;
    }

    /** Keeps the gradients in place of making a step. */
    private static final class GradientRecorder extends Optimizer {

        private final Map<String, NDArray> gradients = new HashMap<>();

        GradientRecorder() {
            super(AdamW.builder());
        }

        @Override
        public void update(String parameterId, NDArray weight, NDArray grad) {
            NDArray copy = grad.duplicate();
            copy.attach(weight.getManager());
            gradients.put(parameterId, copy);
            TorchOps.zeroGradient(weight);
        }
    }

    @Test
    void fit_sampler_isAskedAtItsInterval() throws Exception {
        List<Long> sampled = new ArrayList<>();
        FineTuningListener hears =
                new FineTuningListener() {

                    @Override
                    public void onSample(long step, String text) {
                        assertThat(text).isEqualTo("a text");
                        sampled.add(step);
                    }
                };
        fit(
                FineTuningConfig.builder()
                        .optEpochs(2)
                        .optListener(hears)
                        .optSampler(2, () -> "a text"),
                data(1f),
                0.05f);
        assertThat(sampled).containsExactly(2L, 4L, 6L);
    }

    private FineTuningConfig.Builder config() {
        return FineTuningConfig.builder().optListener(listener);
    }

    private long fit(
            FineTuningConfig.Builder config,
            ArrayDataset data,
            float rate,
            TrainingListenerAdapter... listeners)
            throws Exception {
        try (AdamW adamW = AdamW.builder().optLearningRateTracker(Tracker.fixed(rate)).build();
                Trainer trainer =
                        model.newTrainer(
                                new DefaultTrainingConfig(Loss.l2Loss())
                                        .optDevices(new Device[] {Device.cpu()})
                                        .optOptimizer(adamW)
                                        .addTrainingListeners(listeners))) {
            boolean finite = Float.isFinite(data.get(manager, 0).getData().head().sum().getFloat());
            return FineTuning.fit(trainer, config.build(), data, finite ? data : null).steps();
        }
    }

    /** Rows x with the target W x for a fixed W. */
    private ArrayDataset data(float factor) {
        return data(factor, BATCH);
    }

    private ArrayDataset data(float factor, int batchSize) {
        manager.getEngine().setRandomSeed(5);
        NDArray x = manager.randomNormal(new Shape(ROWS, 6)).mul(factor);
        NDArray y = x.matMul(manager.randomNormal(new Shape(6, 4)));
        return new ArrayDataset.Builder()
                .setData(x)
                .optLabels(y)
                .setSampling(batchSize, false)
                .build();
    }
}

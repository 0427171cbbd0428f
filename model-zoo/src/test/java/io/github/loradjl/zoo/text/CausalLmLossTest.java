package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.listener.TrainingListener;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.Arrays;

class CausalLmLossTest {

    private static final int VOCABULARY = 7;

    private final CausalLmLoss loss = new CausalLmLoss();
    private NDManager manager;

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager();
    }

    @AfterEach
    void close() {
        manager.close();
    }

    @Test
    void evaluate_logits_isTheShiftedMeanOverKeptLabels() {
        NDArray logits = logits(2, 4);
        long[][] labels = {{5, 1, 2, 3}, {-100, -100, 6, -100}};
        NDArray value = loss.evaluate(new NDList(longs(labels)), new NDList(logits));
        assertThat(value.getShape()).isEqualTo(new Shape());
        // float32 sums of a few terms
        assertThat(value.getFloat()).isCloseTo((float) reference(logits, labels), within(1e-6f));
    }

    @Test
    void evaluate_gradient_isSoftmaxMinusOneHotOverTheKept() {
        NDArray logits = logits(1, 3);
        logits.setRequiresGradient(true);
        try (GradientCollector collector = manager.getEngine().newGradientCollector()) {
            NDArray value =
                    loss.evaluate(
                            new NDList(longs(new long[][] {{0, 4, -100}})), new NDList(logits));
            collector.backward(value);
        }
        NDArray expected = logits.stopGradient().get("0,0").softmax(-1);
        float[] gradient = logits.getGradient().toFloatArray();
        for (int i = 0; i < 3 * VOCABULARY; i++) {
            float want = i < VOCABULARY ? expected.getFloat(i) - (i == 4 ? 1 : 0) : 0;
            assertThat(gradient[i]).isCloseTo(want, within(1e-6f));
        }
    }

    @Test
    void evaluate_scalar_passesThrough() {
        NDArray scalar = manager.create(1.5f);
        assertThat(loss.evaluate(new NDList(longs(new long[][] {{1, 2}})), new NDList(scalar)))
                .isSameAs(scalar);
        loss.addAccumulator("x");
        loss.updateAccumulator(
                "x", new NDList(longs(new long[][] {{1, 2, 3}})), new NDList(scalar));
        assertThat(loss.getAccumulator("x")).isEqualTo(1.5f);
        assertThat(scalar.isReleased()).isFalse();
    }

    @Test
    void getAccumulator_batchesOfDifferentSize_weighsByKeptLabels() {
        loss.addAccumulator("x");
        assertThat(loss.getAccumulator("x")).isNaN();
        NDList three = new NDList(longs(new long[][] {{0, 1, 2, 3}}));
        NDList one = new NDList(longs(new long[][] {{-100, -100, 2, -100}}));
        loss.updateAccumulator("x", three, new NDList(manager.create(1f)));
        loss.updateAccumulator("x", one, new NDList(manager.create(5f)));
        assertThat(loss.getAccumulator("x")).isEqualTo(2f);
        loss.resetAccumulator("x");
        assertThat(loss.getAccumulator("x")).isNaN();
    }

    @Test
    void updateAccumulators_afterEvaluate_computesNothingAgain() {
        NDList labels = new NDList(longs(new long[][] {{0, 1, 2}}));
        NDList predictions = new NDList(logits(1, 3));
        loss.addAccumulator("x");
        NDArray value = loss.evaluate(labels, predictions);
        // A second evaluation would not see what happens to the first one's result.
        value.muli(2);
        float doubled = value.getFloat();
        loss.updateAccumulator("x", labels, predictions);
        assertThat(loss.getAccumulator("x")).isEqualTo(doubled);

        loss.resetAccumulator("x");
        loss.updateAccumulator("x", labels, predictions);
        assertThat(loss.getAccumulator("x")).isCloseTo(doubled / 2, within(1e-6f));
    }

    @Test
    void updateAccumulators_leavesNoArrays() {
        NDList labels = new NDList(longs(new long[][] {{0, 1, 2}}));
        NDList predictions = new NDList(logits(1, 3));
        loss.addAccumulator("x");
        int before = manager.getManagedArrays().size();
        loss.updateAccumulator("x", labels, predictions);
        assertThat(manager.getManagedArrays()).hasSize(before);
    }

    @Test
    void evaluate_labelOutsideTheVocabulary_isNamed() {
        NDList logits = new NDList(logits(2, 3));
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () ->
                                loss.evaluate(
                                        new NDList(longs(new long[][] {{1, 2, 3}, {1, 9, 3}})),
                                        logits))
                .withMessageContainingAll("Label 9", "row 1", "position 1", "7 tokens");
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () ->
                                loss.evaluate(
                                        new NDList(longs(new long[][] {{1, 2, 3}, {1, -1, 3}})),
                                        logits))
                .withMessageContaining("Label -1");
    }

    @Test
    void evaluate_noKeptLabel_isAnError() {
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () ->
                                loss.evaluate(
                                        new NDList(longs(new long[][] {{1, -100, -100}})),
                                        new NDList(logits(1, 3))))
                .withMessageContaining("no label to learn");
    }

    @Test
    void evaluate_shapesThatDoNotFit_areNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () ->
                                loss.evaluate(
                                        new NDList(longs(new long[][] {{1, 2}})),
                                        new NDList(logits(1, 3))))
                .withMessageContainingAll("(1, 3, 7)", "(1, 2)");
    }

    @Test
    void updateAccumulators_nan_isAnError() {
        loss.addAccumulator("x");
        assertThatIllegalStateException()
                .isThrownBy(
                        () ->
                                loss.updateAccumulator(
                                        "x",
                                        new NDList(longs(new long[][] {{1, 2}})),
                                        new NDList(manager.create(Float.NaN))))
                .withMessageContaining("NaN");
    }

    @Test
    void fit_underEasyTrainWithLogging_lowersTheLoss() throws Exception {
        SequentialBlock block =
                new SequentialBlock()
                        .add(
                                new LambdaBlock(
                                        list ->
                                                new NDList(
                                                        list.head()
                                                                .oneHot(VOCABULARY)
                                                                .toType(DataType.FLOAT32, false))))
                        .add(Linear.builder().setUnits(VOCABULARY).build());
        NDArray ids = longs(new long[][] {{0, 1, 2, 3}, {3, 4, 5, 6}, {1, 2, 3, 4}, {2, 3, 4, 5}});
        ArrayDataset data =
                new ArrayDataset.Builder()
                        .setData(ids)
                        .optLabels(ids)
                        .setSampling(2, false)
                        .build();
        try (Model model = Model.newInstance("counting")) {
            model.setBlock(block);
            DefaultTrainingConfig config =
                    new DefaultTrainingConfig(loss)
                            .optDevices(new Device[] {Device.cpu()})
                            .optOptimizer(
                                    Optimizer.adam()
                                            .optLearningRateTracker(Tracker.fixed(0.5f))
                                            .build())
                            .addTrainingListeners(TrainingListener.Defaults.logging());
            try (Trainer trainer = model.newTrainer(config)) {
                trainer.initialize(new Shape(2, 4));
                EasyTrain.fit(trainer, 8, data, data);
                assertThat(trainer.getTrainingResult().getValidateLoss()).isLessThan(0.5f);
                assertThat(trainer.getTrainingResult().getTrainLoss()).isLessThan(0.5f);
            }
        }
    }

    private NDArray logits(int rows, int columns) {
        float[] values = new float[rows * columns * VOCABULARY];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (3 * Math.sin(1.7 * i));
        }
        return manager.create(values, new Shape(rows, columns, VOCABULARY));
    }

    private NDArray longs(long[][] rows) {
        long[] flat = Arrays.stream(rows).flatMapToLong(Arrays::stream).toArray();
        return manager.create(flat, new Shape(rows.length, rows[0].length));
    }

    private static double reference(NDArray logits, long[][] labels) {
        float[] values = logits.toFloatArray();
        int columns = labels[0].length;
        double sum = 0;
        int kept = 0;
        for (int row = 0; row < labels.length; row++) {
            for (int t = 1; t < columns; t++) {
                if (labels[row][t] < 0) {
                    continue;
                }
                int from = (row * columns + t - 1) * VOCABULARY;
                double total = 0;
                for (int v = 0; v < VOCABULARY; v++) {
                    total += Math.exp(values[from + v]);
                }
                sum += Math.log(total) - values[from + (int) labels[row][t]];
                kept++;
            }
        }
        return sum / kept;
    }
}

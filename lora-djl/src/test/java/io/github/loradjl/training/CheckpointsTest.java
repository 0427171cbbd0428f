package io.github.loradjl.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.loss.Loss;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.training.LearningRateSchedule.Fall;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

class CheckpointsTest {

    private static final int STEPS = 12;

    @TempDir private Path folder;
    private Model model;
    private int rows = 20;

    @BeforeEach
    void makeAModel() {
        model = Model.newInstance("linear", Device.cpu(), "PyTorch");
        SequentialBlock block =
                new SequentialBlock()
                        .add(Linear.builder().setUnits(8).build())
                        .add(Linear.builder().setUnits(6).build());
        model.getNDManager().getEngine().setRandomSeed(3);
        block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 6));
        model.setBlock(block);
    }

    @AfterEach
    void close() {
        model.close();
    }

    /** The start is subtracted, dropout draws, the data is shuffled, epochs have 5 batches. */
    @ParameterizedTest
    @ValueSource(longs = {1, 4, 5, 7, 10})
    void fit_resumed_goesOnWithTheSameNumbers(long stop) throws Exception {
        List<FineTuningListener.Step> whole = new ArrayList<>();
        try (LoraModel lora = LoraModel.attach(model, config())) {
            train(lora, null, whole, STEPS, null);
        }
        List<FineTuningListener.Step> parts = new ArrayList<>();
        try (LoraModel lora = LoraModel.attach(model, config())) {
            FineTuningResult result = train(lora, plan -> plan, parts, STEPS, stop);
            assertThat(result.end()).isEqualTo(FineTuningResult.End.INTERRUPTED);
            assertThat(result.checkpoint().getStep()).isEqualTo(stop);
        }
        Checkpoint checkpoint = Checkpoint.latest(folder).orElseThrow();
        try (LoraModel lora = PeftAdapter.load(model, checkpoint.getAdapter())) {
            FineTuningResult result =
                    train(lora, plan -> plan.optResume(checkpoint), parts, STEPS, null);
            assertThat(result.end()).isEqualTo(FineTuningResult.End.COMPLETED);
        }
        assertThat(parts).hasSize(STEPS);
        for (int i = 0; i < STEPS; i++) {
            FineTuningListener.Step expected = whole.get(i);
            assertThat(parts.get(i).number()).isEqualTo(i + 1);
            assertThat(parts.get(i).loss()).isEqualTo(expected.loss());
            assertThat(parts.get(i).gradientNorm()).isEqualTo(expected.gradientNorm());
            assertThat(parts.get(i).epoch()).isEqualTo(expected.epoch());
            assertThat(parts.get(i).totalTokens()).isEqualTo(expected.totalTokens());
        }
    }

    @Test
    void fit_checkpoints_keepsTheLastOnesAndNothingElse() throws Exception {
        try (LoraModel lora = LoraModel.attach(model, config())) {
            train(lora, plan -> plan, new ArrayList<>(), STEPS, null);
        }
        assertThat(names(folder)).containsExactly("step-00000009", "step-00000012");
        assertThat(names(folder.resolve("step-00000012")))
                .containsExactly("adapter", "config.yaml", "optimizer.safetensors", "state.json");
        assertThat(folder.resolve("step-00000012/config.yaml")).hasContent("seed: 7");
    }

    @Test
    void latest_halfWrittenFolder_isNotReadAndSweptAway() throws Exception {
        Path unfinished = Files.createDirectories(folder.resolve(".unfinished-1/adapter"));
        Files.writeString(unfinished.resolve("adapter_config.json"), "{");
        assertThat(Checkpoint.latest(folder)).isEmpty();
        try (LoraModel lora = LoraModel.attach(model, config())) {
            train(lora, plan -> plan, new ArrayList<>(), 3, null);
        }
        assertThat(names(folder)).containsExactly("step-00000003");
    }

    @Test
    void fit_checkpointsOfAnotherRun_areNotMixedIn() throws Exception {
        try (LoraModel lora = LoraModel.attach(model, config())) {
            train(lora, plan -> plan, new ArrayList<>(), 3, null);
            assertThatThrownBy(() -> train(lora, plan -> plan, new ArrayList<>(), 3, null))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("step-00000003")
                    .hasMessageContaining("another run");
        }
    }

    @Test
    void fit_resumedWithAnotherAdapterOrSeed_isRefused() throws Exception {
        try (LoraModel lora = LoraModel.attach(model, config())) {
            train(lora, plan -> plan, new ArrayList<>(), 3, null);
        }
        Checkpoint checkpoint = Checkpoint.latest(folder).orElseThrow();
        try (LoraModel lora = LoraModel.attach(model, config())) {
            assertThatThrownBy(
                            () ->
                                    train(
                                            lora,
                                            plan -> plan.optResume(checkpoint),
                                            new ArrayList<>(),
                                            6,
                                            null))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("adapter of the checkpoint");
            assertThatThrownBy(
                            () ->
                                    train(
                                            lora,
                                            plan -> plan.optResume(checkpoint).optSeed(8),
                                            new ArrayList<>(),
                                            6,
                                            null))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("seed");
        }
    }

    /** Of 5 batches in an epoch 3 were read; the other data have 2. */
    @Test
    void fit_resumedOnLessData_saysSo() throws Exception {
        try (LoraModel lora = LoraModel.attach(model, config())) {
            train(lora, plan -> plan, new ArrayList<>(), 3, null);
        }
        Checkpoint checkpoint = Checkpoint.latest(folder).orElseThrow();
        rows = 8;
        try (LoraModel lora = PeftAdapter.load(model, checkpoint.getAdapter())) {
            assertThatThrownBy(
                            () ->
                                    train(
                                            lora,
                                            plan -> plan.optResume(checkpoint),
                                            new ArrayList<>(),
                                            6,
                                            null))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("behind the 3 that were read before");
        }
    }

    @Test
    void latest_damagedState_saysWhichFile() throws Exception {
        Path state = Files.createDirectories(folder.resolve("step-00000005")).resolve("state.json");
        assertThatThrownBy(() -> Checkpoint.latest(folder)).hasMessageContaining("state.json");
        Files.writeString(state, "{\"version\": 1");
        assertThatThrownBy(() -> Checkpoint.latest(folder)).hasMessageContaining("state.json");
        Files.writeString(state, "{}");
        assertThatThrownBy(() -> Checkpoint.latest(folder)).hasMessageContaining("state.json");
    }

    /** A rate of 10 makes the loss rise from the second validation on. */
    @Test
    void fit_earlyStopping_endsAndKeepsTheBest() throws Exception {
        List<FineTuningListener.Step> steps = new ArrayList<>();
        try (LoraModel lora = LoraModel.attach(model, config())) {
            FineTuningResult result =
                    train(
                            lora,
                            plan -> plan.optEarlyStopping(2).optValidationInterval(1),
                            steps,
                            STEPS,
                            null,
                            10);
            assertThat(result.end()).isEqualTo(FineTuningResult.End.STOPPED_EARLY);
            assertThat(result.steps()).isLessThan(STEPS);
        }
        Checkpoint best = Checkpoint.best(folder).orElseThrow();
        double lowest =
                steps.stream()
                        .mapToDouble(FineTuningListener.Step::validationLoss)
                        .min()
                        .orElseThrow();
        assertThat(steps.get((int) best.getStep() - 1).validationLoss()).isEqualTo(lowest);
        assertThat(steps).hasSize((int) best.getStep() + 2);
        assertThat(names(folder).stream().filter(name -> name.startsWith("best"))).hasSize(1);
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static LoraConfig config() {
        return LoraConfig.builder()
                .optRank(2)
                .optDropout(0.2)
                .optInit(LoraInit.orthonormal())
                .build();
    }

    /** Changes the configuration of a run. */
    private interface Change {

        FineTuningConfig.Builder apply(FineTuningConfig.Builder config);
    }

    private FineTuningResult train(
            LoraModel lora,
            Change change,
            List<FineTuningListener.Step> heard,
            long maxSteps,
            Long stopAfter)
            throws Exception {
        return train(lora, change, heard, maxSteps, stopAfter, 0.05);
    }

    /** Without a change no checkpoints are saved. */
    private FineTuningResult train(
            LoraModel lora,
            Change change,
            List<FineTuningListener.Step> heard,
            long maxSteps,
            Long stopAfter,
            double rate)
            throws Exception {
        FineTuningConfig.Builder run =
                FineTuningConfig.builder()
                        .optEpochs(9)
                        .optMaxSteps(maxSteps)
                        .optSeed(7)
                        .optStopRequest(() -> stopAfter != null && heard.size() >= stopAfter)
                        .optListener(
                                new FineTuningListener() {

                                    @Override
                                    public void onStep(Step step) {
                                        heard.add(step);
                                    }
                                });
        LearningRateSchedule schedule = new LearningRateSchedule(Fall.COSINE, rate, 2, STEPS);
        try (AdamW adamW = AdamW.builder().optLearningRateTracker(schedule).build();
                Trainer trainer =
                        model.newTrainer(
                                new DefaultTrainingConfig(Loss.l2Loss())
                                        .optDevices(new Device[] {Device.cpu()})
                                        .optOptimizer(adamW))) {
            if (change != null) {
                run.optCheckpoints(
                        Checkpoints.builder()
                                .setTraining(lora, adamW)
                                .setFolder(folder)
                                .optInterval(3)
                                .optConfiguration("seed: 7")
                                .build());
                change.apply(run);
            }
            return FineTuning.fit(trainer, run.build(), data(true), data(false));
        }
    }

    private ArrayDataset data(boolean shuffled) {
        model.getNDManager().getEngine().setRandomSeed(5);
        NDArray x = model.getNDManager().randomNormal(new Shape(rows, 6));
        NDArray y = x.matMul(model.getNDManager().randomNormal(new Shape(6, 6)));
        return new ArrayDataset.Builder().setData(x).optLabels(y).setSampling(4, shuffled).build();
    }
}

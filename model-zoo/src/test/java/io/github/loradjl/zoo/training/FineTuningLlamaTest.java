package io.github.loradjl.zoo.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.testing.Distance;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.training.AdamW;
import io.github.loradjl.training.Checkpoint;
import io.github.loradjl.training.Checkpoints;
import io.github.loradjl.training.FineTuning;
import io.github.loradjl.training.FineTuningConfig;
import io.github.loradjl.training.FineTuningListener;
import io.github.loradjl.zoo.TinyStoryLlama;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.text.CausalLmLoss;
import io.github.loradjl.zoo.text.CausalLmTokens;
import io.github.loradjl.zoo.text.TextDataset;
import io.github.loradjl.zoo.text.TextTokenizer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The recipe on a language model, whose rows have different numbers of tokens to learn. */
class FineTuningLlamaTest {

    private static final int ROWS = 12;

    @TempDir private Path folder;
    private Path file;

    @BeforeEach
    void writeRows() throws Exception {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < ROWS; i++) {
            text.append("{\"prompt\": \"Pip was a young dog who lived by the ")
                    .append(i % 2 == 0 ? "river" : "market")
                    .append(".\", \"completion\": \"")
                    .append(" Early one morning he picked up a black ball.".repeat(1 + i % 5))
                    .append("\"}\n");
        }
        file = Files.writeString(folder.resolve("rows.jsonl"), text);
    }

    @Test
    void fit_accumulatedBatches_giveTheGradientOfOneLargeBatch() throws Exception {
        List<FineTuningListener.Step> steps = new ArrayList<>();
        List<NDArray> gradients = new ArrayList<>();
        try (ZooModel<NDList, NDList> model = load("float32");
                NDManager scope = model.getNDManager().newSubManager()) {
            for (int batchSize : new int[] {ROWS, 5, 1}) {
                int batches = (ROWS + batchSize - 1) / batchSize;
                gradients.add(gradient(model, scope, batchSize, batches, steps));
            }
            for (int i = 1; i < gradients.size(); i++) {
                // The same sums in another order.
                assertThat(Distance.relative(gradients.get(i), gradients.get(0))).isLessThan(1e-5);
                assertThat(steps.get(i).loss()).isCloseTo(steps.get(0).loss(), within(1e-5));
                assertThat(steps.get(i).accuracy()).isEqualTo(steps.get(0).accuracy());
            }
            assertThat(steps.get(0).accuracy()).isBetween(0.05, 0.95);
        }
    }

    private NDArray gradient(
            ZooModel<NDList, NDList> model,
            NDManager scope,
            int batchSize,
            int accumulation,
            List<FineTuningListener.Step> heard)
            throws Exception {
        GradientRecorder recorder = new GradientRecorder(scope);
        LoraConfig config = LoraConfig.builder().optRank(4).optInit(LoraInit.bothRandom()).build();
        try (LoraModel lora = LoraModel.attach(model, config);
                TextTokenizer tokenizer = TextTokenizer.load(TinyStoryLlama.folder());
                Trainer trainer = model.newTrainer(training(new CausalLmLoss(), recorder))) {
            FineTuningConfig once =
                    run(heard)
                            .optMaxSteps(1)
                            .optAccumulation(accumulation)
                            .optMaxGradientNorm(Double.POSITIVE_INFINITY)
                            .build();
            FineTuning.fit(trainer, once, data(tokenizer, batchSize), null);
            NDArray all = scope.zeros(new Shape(1));
            for (Parameter parameter : lora.getTrainableParameters().values()) {
                all = all.concat(recorder.gradients.get(parameter.getId()).flatten());
            }
            return all;
        }
    }

    /** Keeps the gradients in place of making a step. */
    private static final class GradientRecorder extends Optimizer {

        private final NDManager scope;
        private final Map<String, NDArray> gradients = new HashMap<>();

        GradientRecorder(NDManager scope) {
            super(AdamW.builder());
            this.scope = scope;
        }

        @Override
        public void update(String parameterId, NDArray weight, NDArray grad) {
            NDArray copy = grad.duplicate();
            copy.attach(scope);
            gradients.put(parameterId, copy);
            TorchOps.zeroGradient(weight);
        }
    }

    @ParameterizedTest
    @CsvSource({"float32,false", "float32,true", "bfloat16,false", "bfloat16,true"})
    void fit_resumed_goesOnWithTheSameNumbers(String type, boolean checkpointed) throws Exception {
        List<FineTuningListener.Step> whole = new ArrayList<>();
        List<FineTuningListener.Step> parts = new ArrayList<>();
        Path saved = folder.resolve("checkpoints");
        LoraConfig config =
                LoraConfig.builder()
                        .optRank(4)
                        .optDropout(0.1)
                        .optInit(LoraInit.orthonormal())
                        .build();
        try (ZooModel<NDList, NDList> model = load(type)) {
            try (LoraModel lora = LoraModel.attach(model, config)) {
                train(lora, checkpointed, null, null, 5, whole);
            }
            try (LoraModel lora = LoraModel.attach(model, config)) {
                train(lora, checkpointed, saved, null, 2, parts);
            }
        }
        Checkpoint checkpoint = Checkpoint.latest(saved).orElseThrow();
        try (ZooModel<NDList, NDList> model = load(type);
                LoraModel lora = PeftAdapter.load(model, checkpoint.getAdapter())) {
            train(lora, checkpointed, saved, checkpoint, 5, parts);
        }
        assertThat(parts).hasSize(5);
        for (int i = 0; i < 5; i++) {
            assertThat(parts.get(i).loss()).isEqualTo(whole.get(i).loss());
            assertThat(parts.get(i).gradientNorm()).isEqualTo(whole.get(i).gradientNorm());
            assertThat(parts.get(i).accuracy()).isEqualTo(whole.get(i).accuracy());
        }
    }

    private void train(
            LoraModel lora,
            boolean checkpointed,
            Path saved,
            Checkpoint resumed,
            int steps,
            List<FineTuningListener.Step> heard)
            throws Exception {
        Loss loss = new CausalLmLoss();
        if (checkpointed) {
            loss = lora.checkpointActivations(loss);
        }
        FineTuningConfig.Builder run = run(heard).optEpochs(9).optMaxSteps(steps).optSeed(3);
        try (AdamW adamW = AdamW.builder().optLearningRateTracker(Tracker.fixed(0.002f)).build();
                TextTokenizer tokenizer = TextTokenizer.load(TinyStoryLlama.folder());
                Trainer trainer = lora.getModel().newTrainer(training(loss, adamW))) {
            if (saved != null) {
                run.optCheckpoints(
                        Checkpoints.builder().setTraining(lora, adamW).setFolder(saved).build());
            }
            FineTuning.fit(trainer, run.optResume(resumed).build(), data(tokenizer, 3), null);
        }
    }

    private static FineTuningConfig.Builder run(List<FineTuningListener.Step> heard) {
        return FineTuningConfig.builder()
                .optTokenCounter(new CausalLmTokens())
                .optListener(
                        new FineTuningListener() {

                            @Override
                            public void onStep(Step step) {
                                heard.add(step);
                            }
                        });
    }

    private static DefaultTrainingConfig training(Loss loss, Optimizer optimizer) {
        return new DefaultTrainingConfig(loss)
                .optDevices(new Device[] {Device.cpu()})
                .optOptimizer(optimizer);
    }

    private TextDataset data(TextTokenizer tokenizer, int batchSize) {
        return TextDataset.builder()
                .setTokenizer(tokenizer)
                .setFile(file)
                .setSampling(batchSize, true)
                .build();
    }

    private static ZooModel<NDList, NDList> load(String type) throws Exception {
        DataType dataType = DataType.valueOf(type.toUpperCase(Locale.ROOT));
        return HuggingFaceFolder.load(TinyStoryLlama.folder(), Device.cpu(), dataType);
    }
}

package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.training.listener.EvaluatorTrainingListener;
import ai.djl.training.tracker.Tracker;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.training.AdamW;
import io.github.loradjl.training.LoraGaListener;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import org.junit.jupiter.api.Test;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A real model learns a real text under an unchanged EasyTrain. */
class TextTrainingIT {

    @Test
    void fit_storiesModelOnShakespeare_lowersTheValidationLoss() throws Exception {
        List<Float> plain = validationLosses(LoraInit.kaimingUniform());
        List<Float> started = validationLosses(LoraInit.loraGa());
        for (List<Float> losses : List.of(plain, started)) {
            assertThat(losses.get(1)).isLessThan(losses.get(0) - 0.05f);
        }
        // Before any step both are the base model.
        assertThat(started.get(0)).isEqualTo(plain.get(0));
        assertThat(started.get(1)).isLessThan(plain.get(1));
    }

    /** Returns the loss before and after training. */
    private static List<Float> validationLosses(LoraInit init) throws Exception {
        Path folder = SharedRoot.require("checkpoints/stories260K");
        LoraConfig config =
                LoraConfig.builder()
                        .optRank(4)
                        .optAlpha(8)
                        .optRankStabilized(true)
                        .optInit(init)
                        .build();
        CausalLmLoss loss = new CausalLmLoss();
        List<Float> losses = new ArrayList<>();
        try (TextTokenizer tokenizer = TextTokenizer.load(folder);
                ZooModel<NDList, NDList> model =
                        HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
                LoraModel lora = LoraModel.attach(model, config);
                AdamW adamW =
                        AdamW.builder().optLearningRateTracker(Tracker.fixed(2e-3f)).build()) {
            TextDataset.Split data =
                    TextDataset.builder()
                            .setTokenizer(tokenizer)
                            .setFile(SharedRoot.require("data/text/tinyshakespeare.txt"))
                            .setSampling(8, true)
                            .optMaxLength(64)
                            .optLimit(120)
                            .build()
                            .split(0.2, 0);
            EvaluatorTrainingListener evaluator = new EvaluatorTrainingListener();
            DefaultTrainingConfig training =
                    new DefaultTrainingConfig(loss)
                            .optDevices(new Device[] {Device.cpu()})
                            .optOptimizer(adamW)
                            .addTrainingListeners(evaluator);
            if (init.needsGradient()) {
                training.addTrainingListeners(new LoraGaListener(lora, data.train(), 4));
            }
            try (Trainer trainer = model.newTrainer(training)) {
                EasyTrain.evaluateDataset(trainer, data.validation());
                losses.add(loss.getAccumulator(EvaluatorTrainingListener.VALIDATE_EPOCH));
                evaluator.onEpoch(trainer);
                EasyTrain.fit(trainer, 1, data.train(), data.validation());
                losses.add(evaluator.getLatestEvaluations().get("validate_loss"));
            }
        }
        return losses;
    }
}

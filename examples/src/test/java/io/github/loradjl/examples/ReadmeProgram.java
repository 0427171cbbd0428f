package io.github.loradjl.examples;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.training.TrainingConfig;
import ai.djl.training.listener.TrainingListener;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.training.LoraGaListener;
import io.github.loradjl.training.LoraOptimizer;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.text.CausalLmLoss;
import io.github.loradjl.zoo.text.TextDataset;
import io.github.loradjl.zoo.text.TextTokenizer;

import java.nio.file.Path;

/** The programs of the README, between their marks; {@link ReadmeTest} compares and runs them. */
public final class ReadmeProgram {

    private ReadmeProgram() {}

    /**
     * Runs the quick start.
     *
     * @param arguments the folder of the adapter
     */
    public static void main(String[] arguments) throws Exception {
        answer(Path.of(arguments[0]));
    }

    static void answer(Path adapter) throws Exception {
        // README begins
        Criteria<String, String> criteria =
                Criteria.builder()
                        .setTypes(String.class, String.class)
                        .optGroupId("io.github.loradjl")
                        .optArtifactId("tiny-story-llama")
                        .optArgument("adapter", adapter) // a folder, or the id of a published one
                        .build();
        try (ZooModel<String, String> model = criteria.loadModel();
                Predictor<String, String> predictor = model.newPredictor()) {
            System.out.println(predictor.predict("Mira the fox had a red kite."));
        }
        // README ends
    }

    static void run(Path folder, Path file, Path adapter) throws Exception {
        // README begins
        Device device = Device.cpu();
        Criteria<NDList, NDList> criteria =
                Criteria.builder()
                        .setTypes(NDList.class, NDList.class)
                        .optModelZoo(HuggingFaceFolder.zoo(folder))
                        .optDevice(device)
                        .build();
        LoraConfig config =
                LoraConfig.builder()
                        .optRank(8)
                        .optAlpha(16)
                        .optRankStabilized(true)
                        .optInit(LoraInit.loraGa())
                        .build();
        try (TextTokenizer tokenizer = TextTokenizer.load(folder);
                ZooModel<NDList, NDList> model = criteria.loadModel();
                LoraModel lora = LoraModel.attach(model, config)) {
            TextDataset data =
                    TextDataset.builder()
                            .setTokenizer(tokenizer)
                            .setFile(file)
                            .setSampling(8, true)
                            .build();
            TextDataset.Split split = data.split(0.1, 0);
            TrainingConfig training =
                    new DefaultTrainingConfig(new CausalLmLoss())
                            .optDevices(new Device[] {device}) // DJL would take every GPU
                            .optOptimizer(LoraOptimizer.adamW(lora, 2e-4f))
                            .addTrainingListeners(new LoraGaListener(lora, split.train()))
                            .addTrainingListeners(TrainingListener.Defaults.logging());
            try (Trainer trainer = model.newTrainer(training)) { // the gradient pass runs here
                EasyTrain.fit(trainer, 1, split.train(), split.validation());
            }
            PeftAdapter.save(lora, adapter); // loads in PEFT, on the untouched model
        }
        // README ends
    }
}

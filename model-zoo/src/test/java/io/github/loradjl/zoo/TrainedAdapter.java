package io.github.loradjl.zoo;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.TranslateException;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.peft.SaveOptions;
import io.github.loradjl.training.LoraGaListener;
import io.github.loradjl.training.LoraOptimizer;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.text.CausalLmLoss;
import io.github.loradjl.zoo.text.TextDataset;
import io.github.loradjl.zoo.text.TextTokenizer;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An adapter for the small LLaMA, trained for a few steps.
 *
 * @param folder its folder
 * @param logits what the model computed when training had ended
 */
public record TrainedAdapter(Path folder, float[] logits) {

    private static final long[] IDS = {1, 20, 31, 42, 53, 64, 75};

    /**
     * Trains an adapter.
     *
     * @param target the folder to write
     * @param init its start
     * @param rank its rank
     * @return the adapter
     */
    public static TrainedAdapter train(Path target, LoraInit init, int rank) throws Exception {
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            rows.add("{\"prompt\": \"Mira has " + i + " kites. Who?\", \"completion\": \" Otto\"}");
        }
        Path file = Files.write(Files.createTempFile("rows", ".jsonl"), rows);
        LoraConfig config =
                LoraConfig.builder()
                        .optRank(rank)
                        .optAlpha(2 * rank)
                        .optRankStabilized(true)
                        .optInit(init)
                        .build();
        Path base = TinyStoryLlama.folder();
        try (TextTokenizer tokenizer = TextTokenizer.load(base);
                ZooModel<NDList, NDList> model =
                        HuggingFaceFolder.load(base, Device.cpu(), DataType.FLOAT32);
                LoraModel lora = LoraModel.attach(model, config)) {
            TextDataset data =
                    TextDataset.builder()
                            .setTokenizer(tokenizer)
                            .setFile(file)
                            .setSampling(4, true)
                            .build();
            DefaultTrainingConfig training =
                    new DefaultTrainingConfig(new CausalLmLoss())
                            .optDevices(new Device[] {Device.cpu()})
                            .optOptimizer(LoraOptimizer.adamW(lora, 2e-3f));
            if (init.needsGradient()) {
                training.addTrainingListeners(new LoraGaListener(lora, data));
            }
            try (Trainer trainer = model.newTrainer(training)) {
                EasyTrain.fit(trainer, 1, data, null);
            }
            SaveOptions options =
                    SaveOptions.builder()
                            .optBaseModel(TinyStoryLlama.NAME)
                            .optTaskType("CAUSAL_LM")
                            .build();
            PeftAdapter.save(lora, target, options);
            return new TrainedAdapter(target, logits(model));
        } finally {
            Files.delete(file);
        }
    }

    /**
     * Computes the logits of some tokens.
     *
     * @param model a model of the small LLaMA
     * @return the logits
     */
    public static float[] logits(Model model) throws TranslateException {
        try (NDManager manager = model.getNDManager().newSubManager();
                Predictor<NDList, NDList> predictor =
                        model.newPredictor(new NoopTranslator(null))) {
            NDList input = new NDList(manager.create(new long[][] {IDS}));
            return predictor.predict(input).get(0).toFloatArray();
        }
    }
}

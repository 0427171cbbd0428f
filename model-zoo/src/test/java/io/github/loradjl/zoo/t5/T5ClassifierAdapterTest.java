package io.github.loradjl.zoo.t5;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.loss.Loss;
import ai.djl.training.tracker.Tracker;

import com.google.gson.JsonObject;
import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraGa;
import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.gradient.GradientSvd;
import io.github.loradjl.gradient.GradientTask;
import io.github.loradjl.init.GradientFactors;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.safetensors.Safetensors;
import io.github.loradjl.training.AdamW;
import io.github.loradjl.training.FineTuning;
import io.github.loradjl.training.FineTuningConfig;
import io.github.loradjl.training.FineTuningListener;
import io.github.loradjl.zoo.block.StagedModel;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.checkpoint.MergedCheckpoint;
import io.github.loradjl.zoo.text.PromptRow;
import io.github.loradjl.zoo.text.SequenceClassificationTokens;
import io.github.loradjl.zoo.text.TextDataset;
import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.WordTokenizer;
import io.github.loradjl.zoo.text.evaluate.AnswerMode;
import io.github.loradjl.zoo.text.evaluate.ClassifierScoring;
import io.github.loradjl.zoo.text.evaluate.Example;
import io.github.loradjl.zoo.text.evaluate.TaskMetrics;
import io.github.loradjl.zoo.text.task.ClassificationTask;
import io.github.loradjl.zoo.text.task.GlueTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** A classifier on a small random encoder, with adapters, on sentences in the format of SST-2. */
class T5ClassifierAdapterTest {

    /** SST-2 without its words, which this tokenizer does not know. */
    private static final ClassificationTask TASK =
            ClassificationTask.builder()
                    .setName("toy")
                    .setPromptFormat("{sentence}")
                    .setLabels("label", GlueTask.SST_2.task().getLabels())
                    .optTable(GlueTask.SST_2.task().getTable())
                    .build();

    @TempDir private Path folder;

    private ZooModel<NDList, NDList> model;
    private TextTokenizer tokenizer;

    @BeforeEach
    void open() throws Exception {
        JsonObject config = new JsonObject();
        config.addProperty("model_type", "t5");
        config.addProperty("feed_forward_proj", "relu");
        for (Map.Entry<String, Integer> size :
                Map.of("vocab_size", 34, "d_model", 32, "d_kv", 8, "d_ff", 48, "num_layers", 2)
                        .entrySet()) {
            config.addProperty(size.getKey(), size.getValue());
        }
        config.addProperty("num_heads", 4);
        config.addProperty("dropout_rate", 0);
        RandomT5.write(folder, config);
        WordTokenizer.writeLetters(folder, true);
        tokenizer = TextTokenizer.load(folder);
        model = HuggingFaceFolder.loadClassifier(folder, 2, 0, Device.cpu(), DataType.FLOAT32);
    }

    @AfterEach
    void close() {
        tokenizer.close();
        model.close();
    }

    /**
     * Sentences of letters, positive ones with an a, e or i at the end, negative with b, c or d.
     */
    private Path sentences(int count, long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        List<String> lines = new ArrayList<>(List.of("sentence\tlabel"));
        for (int i = 0; i < count; i++) {
            boolean positive = random.nextBoolean();
            StringBuilder sentence = new StringBuilder();
            for (int w = 1 + random.nextInt(4); w > 0; w--) {
                sentence.append("fghjklmn".charAt(random.nextInt(8))).append(' ');
            }
            sentence.append((positive ? "aei" : "bcd").charAt(random.nextInt(3))).append(' ');
            lines.add(sentence + "\t" + (positive ? 1 : 0));
        }
        return Files.write(folder.resolve("sentences" + seed + ".tsv"), lines);
    }

    private TextDataset.Builder data(Path file) {
        return TextDataset.builder()
                .setTokenizer(tokenizer)
                .setFile(file)
                .setSampling(8, true)
                .optTask(TASK)
                .optClassNumbers(true);
    }

    private static LoraConfig config(LoraInit init) {
        return LoraConfig.builder()
                .optRank(4)
                .optRankStabilized(true)
                .optInit(init)
                .optModulesToSave("classifier")
                .build();
    }

    @Test
    void getData_classNumbers_areTheTasks() throws Exception {
        Path file =
                Files.writeString(
                        folder.resolve("two.tsv"), "sentence\tlabel\na b\t1\nc d e\t0\nf\t1\n");
        TextDataset data = data(file).setSampling(3, false).build();
        try (Batch batch = data.getData(model.getNDManager()).iterator().next()) {
            assertThat(batch.getLabels().singletonOrThrow().toLongArray()).containsExactly(1, 0, 1);
            assertThat(batch.getLabels().head().getShape().dimension()).isEqualTo(1);
            assertThat(batch.getData()).hasSize(2);
            assertThat(new SequenceClassificationTokens().countTargets(batch)).isEqualTo(3);
        }
        assertThat(data.getReport().keptLabels()).isEqualTo(3);
        assertThat(data.render(1).stretches().get(1).text()).isEqualTo("negative");
        assertThat(data.calibration(1).getBatchCount()).isEqualTo(1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> data(file).optTask(null).build())
                .withMessageContaining("optTask");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> data(file).optEncoderDecoder(true).build())
                .withMessageContaining("optEncoderDecoder");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> data(file).optPacking(true).build())
                .withMessageContaining("optPacking");
    }

    @Test
    void layerByLayer_givesTheFactorsOfTheWholeModel() throws Exception {
        try (LoraModel lora = LoraModel.attach(model, config(LoraInit.loraGa()));
                NDManager manager = model.getNDManager().newSubManager()) {
            List<Batch> batches = batches(manager, 2);
            Map<String, GradientFactors> whole =
                    GradientSvd.wholeModel().compute(task(lora, manager, batches));
            Map<String, GradientFactors> layers =
                    GradientSvd.layerByLayer().compute(task(lora, manager, batches));
            // Four projections and two of the feed-forward layer, in each of two layers.
            assertThat(layers.keySet()).isEqualTo(whole.keySet()).hasSize(12);
            whole.forEach(
                    (path, factors) -> {
                        float[] expected = factors.leading().s().toFloatArray();
                        float[] actual = layers.get(path).leading().s().toFloatArray();
                        assertThat(expected[0]).isPositive();
                        // The same sums in another order; small values stand beside the largest.
                        for (int i = 0; i < expected.length; i++) {
                            assertThat(actual[i])
                                    .as(path)
                                    .isCloseTo(expected[i], within(1e-4f * expected[0]));
                        }
                    });
        }
    }

    private List<Batch> batches(NDManager manager, int count) throws IOException {
        List<Batch> batches = new ArrayList<>();
        data(sentences(40, 1)).build().calibration(count).getData(manager).forEach(batches::add);
        return batches;
    }

    private static GradientTask task(LoraModel lora, NDManager manager, List<Batch> batches) {
        Map<String, LoraLinear> targets = lora.getTargets(LoraModel.DEFAULT_ADAPTER);
        Map<String, Integer> counts = new LinkedHashMap<>();
        targets.forEach((path, layer) -> counts.put(path, 8));
        return new GradientTask(
                lora.getBase(),
                targets,
                counts,
                ((StagedModel) lora.getBase()).newLoss(),
                batches,
                LoraGaInit.builder()
                        .optSvdOptions(SvdOptions.builder().optExact(true).build())
                        .build(),
                0,
                0,
                manager,
                null);
    }

    @Test
    void train_checkpointed_goesThePlainWay() throws Exception {
        List<FineTuningListener.Step> plain = train(false, 6, null);
        List<FineTuningListener.Step> checkpointed = train(true, 6, null);
        assertThat(plain).hasSize(6);
        for (int i = 0; i < plain.size(); i++) {
            // The same sums in another order, over some steps of Adam.
            assertThat(checkpointed.get(i).loss()).isCloseTo(plain.get(i).loss(), within(1e-4));
            assertThat(checkpointed.get(i).accuracy()).isEqualTo(plain.get(i).accuracy());
        }
    }

    @Test
    void train_toySentences_learnsThemAndSurvivesAPeftFolder() throws Exception {
        Path saved = folder.resolve("adapter");
        List<FineTuningListener.Step> steps = train(false, 60, saved);
        double end = steps.stream().skip(50).mapToDouble(FineTuningListener.Step::loss).sum() / 10;
        assertThat(end).isLessThan(steps.get(0).loss() / 4);
        List<Example> examples =
                PromptRow.read(sentences(50, 2), TASK, 50).stream()
                        .map(row -> new Example(row.id(), row.prompt(), row.answer()))
                        .toList();
        double untrained = accuracy(examples);
        try (Safetensors tensors = Safetensors.open(saved.resolve("adapter_model.safetensors"))) {
            assertThat(tensors.names())
                    .contains(
                            "base_model.model.classifier.weight",
                            "base_model.model.classifier.bias",
                            "base_model.model.encoder.block.1.layer.0.SelfAttention.v.lora_A.weight")
                    .hasSize(2 + 2 * 12);
        }
        try (LoraModel lora = PeftAdapter.load(model, saved)) {
            // Unseen sentences of the same two kinds.
            assertThat(accuracy(examples)).isGreaterThan(0.95).isGreaterThan(untrained);
            assertThat(lora.getConfig(LoraModel.DEFAULT_ADAPTER).getModulesToSave())
                    .containsExactly("classifier");
            assertThatIOException()
                    .isThrownBy(
                            () ->
                                    MergedCheckpoint.write(
                                            folder, lora, LoraModel.DEFAULT_ADAPTER, folder))
                    .withMessageContaining("no place for [classifier.bias, classifier.weight]");
        }
        assertThat(accuracy(examples)).isEqualTo(untrained);
    }

    @Test
    void merge_classifierAmongTheTargets_saysThatAFolderHasNoPlaceForIt() throws Exception {
        LoraConfig config =
                LoraConfig.builder()
                        .optRank(2)
                        .optTargetModules("q", "classifier")
                        .optInit(LoraInit.bothRandom())
                        .build();
        Path merged = Files.createDirectory(folder.resolve("merged"));
        try (LoraModel lora = LoraModel.attach(model, config)) {
            assertThatIOException()
                    .isThrownBy(
                            () ->
                                    MergedCheckpoint.write(
                                            folder, lora, LoraModel.DEFAULT_ADAPTER, merged))
                    .withMessageContaining("no place for [classifier.weight]");
        }
        assertThat(merged).isEmptyDirectory();
    }

    @Test
    void merge_folderWithAClassifier_writesIt() throws Exception {
        Path base = folder.resolve("with-classifier");
        Path merged = Files.createDirectory(folder.resolve("merged"));
        T5EncoderClassifier block = (T5EncoderClassifier) model.getBlock();
        Files.createDirectory(base);
        Files.writeString(base.resolve("config.json"), block.getConfig().toJson().toString());
        try (NDManager manager = NDManager.newBaseManager()) {
            RandomT5.write(base, RandomT5.weights(manager, block));
        }
        float[] expected;
        try (ZooModel<NDList, NDList> other =
                        HuggingFaceFolder.loadClassifier(
                                base, 2, 0, Device.cpu(), DataType.FLOAT32);
                LoraModel lora = LoraModel.attach(other, config(LoraInit.bothRandom()))) {
            lora.getPrivateCopies(LoraModel.DEFAULT_ADAPTER)
                    .getCopies()
                    .get("classifier.weight")
                    .muli(-2f);
            expected = logits(other);
            MergedCheckpoint.write(base, lora, LoraModel.DEFAULT_ADAPTER, merged);
        }
        try (ZooModel<NDList, NDList> other =
                HuggingFaceFolder.loadClassifier(merged, 2, 0, Device.cpu(), DataType.FLOAT32)) {
            // The product of A and B is that of the start, so it is the classifier that differs.
            assertThat(logits(other)).containsExactly(expected, within(1e-5f));
        }
    }

    @Test
    void score_otherNumberOfLabelsThanClasses_isNamed() {
        ClassifierScoring scoring =
                ClassifierScoring.builder()
                        .setModel(model, tokenizer)
                        .setLabels(List.of("x", "y", "z"))
                        .build();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> scoring.score(List.of("a b", "c")))
                .withMessageContainingAll("(2, 2) for 2 prompts", "[x, y, z]");
    }

    @Test
    void score_maxLength_cutsPromptsAsForTraining() {
        ClassifierScoring.Builder builder =
                ClassifierScoring.builder()
                        .setModel(model, tokenizer)
                        .setLabels(TASK.getLabelTexts());
        double[] three = builder.build().score(List.of("a b c ")).get(0);
        assertThat(builder.build().score(List.of("a b c d e ")).get(0)).isNotEqualTo(three);
        assertThat(builder.optMaxLength(4).build().score(List.of("a b c d e ")).get(0))
                .isEqualTo(three);
    }

    private static float[] logits(ZooModel<NDList, NDList> model) {
        try (NDManager manager = model.getNDManager().newSubManager()) {
            NDArray ids = manager.create(new long[][] {{4, 5, 6, 1}, {9, 8, 7, 1}});
            NDList data = new NDList(ids, ids.onesLike());
            ParameterStore store = new ParameterStore(manager, false);
            return model.getBlock().forward(store, data, false).head().toFloatArray();
        }
    }

    private double accuracy(List<Example> examples) {
        ClassifierScoring scoring =
                ClassifierScoring.builder()
                        .setModel(model, tokenizer)
                        .setLabels(TASK.getLabelTexts())
                        .build();
        return TaskMetrics.of(TASK, scoring.evaluate(examples), AnswerMode.CLASSIFIER)
                .get("accuracy_classifier");
    }

    /** Trains an adapter and the classifier. */
    private List<FineTuningListener.Step> train(boolean checkpointed, int steps, Path saved)
            throws Exception {
        List<FineTuningListener.Step> heard = new ArrayList<>();
        TextDataset data = data(sentences(200, 1)).build();
        StagedModel block = (StagedModel) model.getBlock();
        try (LoraModel lora = LoraModel.attach(model, config(LoraInit.loraGa()));
                AdamW adamW = AdamW.builder().optLearningRateTracker(Tracker.fixed(0.01f)).build();
                NDManager manager = model.getNDManager().newSubManager()) {
            Loss loss = block.newLoss();
            LoraGa.start(lora, loss, batches(manager, 2));
            if (checkpointed) {
                loss = lora.checkpointActivations(loss);
            }
            DefaultTrainingConfig training =
                    new DefaultTrainingConfig(loss)
                            .optDevices(new Device[] {Device.cpu()})
                            .optOptimizer(adamW);
            FineTuningConfig run =
                    FineTuningConfig.builder()
                            .optEpochs(9)
                            .optMaxSteps(steps)
                            .optTokenCounter(block.newTokenCounter())
                            .optListener(
                                    new FineTuningListener() {

                                        @Override
                                        public void onStep(Step step) {
                                            heard.add(step);
                                        }
                                    })
                            .build();
            try (Trainer trainer = model.newTrainer(training)) {
                FineTuning.fit(trainer, run, data, null);
            }
            if (saved != null) {
                NDArray trained = logits();
                PeftAdapter.save(lora, saved);
                try (NDArray again = reloaded(lora, saved)) {
                    assertThat(again.toFloatArray()).isEqualTo(trained.toFloatArray());
                }
            }
        }
        return heard;
    }

    private NDArray reloaded(LoraModel lora, Path saved) throws IOException {
        PeftAdapter.load(lora, saved, "again");
        lora.setActive("again");
        return logits();
    }

    private NDArray logits() {
        NDManager manager = model.getNDManager();
        long[][] ids = {{3, 4, 5, 1}, {2, 9, 1, 0}};
        long[][] mask = {{1, 1, 1, 1}, {1, 1, 1, 0}};
        NDList data = new NDList(manager.create(ids), manager.create(mask));
        return model.getBlock().forward(new ParameterStore(manager, false), data, false).head();
    }
}

package io.github.loradjl.examples.pretrain;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import io.github.loradjl.training.AdamW;
import io.github.loradjl.training.GradientClipping;
import io.github.loradjl.training.LearningRateSchedule;
import io.github.loradjl.zoo.block.LanguageModel;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.text.TextTokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * Pretrains a small model that ships, from random weights, on stories that no one has told before.
 *
 * <p>The stories never repeat, so there is nothing to overfit: no dropout, no weight decay, and the
 * held-out loss is the training loss. The rate rises for the first steps and then falls along a
 * half cosine.
 */
public final class Pretraining {

    private static final Gson GSON = new GsonBuilder().setPrettyPrinting().create();

    private static final int STORIES_FOR_TOKENIZER = 5000;
    private static final int HELD_OUT_ROWS = 32;
    private static final double CLIP = 1.0;
    private static final double FLOOR = 0.05;
    private static final int WARMUP = 50;

    /**
     * How to pretrain.
     *
     * @param model what to pretrain
     * @param steps the number of optimizer steps
     * @param batchSize the number of stories in a step
     * @param learningRate the highest learning rate
     * @param seed the seed of the weights and the stories
     */
    public record Settings(
            SmallModel model, int steps, int batchSize, double learningRate, long seed) {}

    /** Hears about each step. */
    @FunctionalInterface
    public interface Listener {

        /**
         * Called after a step.
         *
         * @param step the number of steps so far
         * @param loss the loss of the step's tokens
         * @param learningRate the learning rate
         * @param tokensPerSecond tokens per second since the start
         */
        void onStep(int step, double loss, double learningRate, double tokensPerSecond);
    }

    private Pretraining() {}

    /**
     * Trains a tokenizer and a model and writes both as a Hugging Face folder.
     *
     * @param folder an existing folder
     * @param settings how to pretrain
     * @param listener hears about each step
     * @return the loss of held-out stories, in nats per token
     * @throws IOException if a file cannot be written
     */
    public static double run(Path folder, Settings settings, Listener listener) throws IOException {
        // Three streams of stories that have nothing in common: tokenizer, training, held out.
        BpeTrainer bpe = new BpeTrainer();
        StoryGrammar grammar = new StoryGrammar(settings.seed() + 1);
        for (int i = 0; i < STORIES_FOR_TOKENIZER; i++) {
            bpe.add(grammar.next().text());
        }
        SmallModel small = settings.model();
        SpecialTokens special = small.specialTokens();
        int pieces = small.config().get("vocab_size").getAsInt() - special.last().size();
        new TokenizerWriter(bpe.train(pieces, special.first()), special)
                .write(folder, SmallModel.MAX_POSITIONS);

        Device device = Device.cpu();
        Engine.getEngine("PyTorch").setRandomSeed((int) settings.seed());
        LanguageModel block = small.newBlock();
        try (TextTokenizer tokenizer = TextTokenizer.load(folder);
                Model model = Model.newInstance("pretraining", device, "PyTorch")) {
            model.setBlock(block);
            block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 1));
            double loss = train(model, block, tokenizer, settings, listener);
            Files.writeString(
                    folder.resolve("generation_config.json"),
                    GSON.toJson(small.generationConfig()) + "\n");
            HuggingFaceFolder.save(block, folder, null, DataType.BFLOAT16);
            writeSums(folder);
            return loss;
        }
    }

    private static double train(
            Model model,
            LanguageModel block,
            TextTokenizer tokenizer,
            Settings settings,
            Listener listener) {
        StoryBatches batches = batches(settings, 2, tokenizer, settings.batchSize());
        long tokens = 0;
        LearningRateSchedule schedule =
                new LearningRateSchedule(
                        LearningRateSchedule.Fall.COSINE,
                        settings.learningRate(),
                        Math.min(WARMUP, settings.steps()),
                        settings.steps(),
                        FLOOR);
        AdamW adamW =
                AdamW.builder()
                        .optLearningRateTracker(settings.model().rates(schedule, block))
                        .optBeta2(0.95)
                        .build();
        DefaultTrainingConfig config =
                new DefaultTrainingConfig(block.newLoss())
                        .optDevices(new Device[] {model.getNDManager().getDevice()})
                        .optOptimizer(adamW);
        long start = System.nanoTime();
        try (adamW;
                Trainer trainer = model.newTrainer(config)) {
            for (int step = 1; step <= settings.steps(); step++) {
                double loss;
                try (NDManager scratch = trainer.getManager().newSubManager()) {
                    StoryBatches.StoryBatch batch = batches.next(scratch);
                    NDArray mean;
                    try (GradientCollector collector = trainer.newGradientCollector()) {
                        mean = trainer.forward(batch.data(), batch.labels()).head();
                        collector.backward(mean);
                    }
                    GradientClipping.clip(trainer, CLIP);
                    trainer.step();
                    loss = mean.getFloat();
                    tokens += batch.tokens();
                }
                double seconds = (System.nanoTime() - start) / 1e9;
                listener.onStep(step, loss, schedule.at(step), tokens / seconds);
            }
        }
        return loss(block, batches(settings, 3, tokenizer, HELD_OUT_ROWS));
    }

    /**
     * Computes the loss of some stories, in nats per token. Batches hold rows of similar length,
     * and so of a kind; only a whole pool of them stands for the stream.
     */
    static double loss(LanguageModel block, StoryBatches batches) {
        double sum = 0;
        long count = 0;
        for (int i = 0; i < StoryBatches.POOL; i++) {
            NDArray any = block.getParameters().get(0).getValue().getArray();
            try (NDManager scratch = any.getManager().newSubManager()) {
                StoryBatches.StoryBatch batch = batches.next(scratch);
                float mean =
                        block.evaluateLoss(
                                        new ParameterStore(scratch, false),
                                        batch.data(),
                                        batch.labels())
                                .getFloat();
                sum += (double) mean * batch.targets();
                count += batch.targets();
            }
        }
        return sum / count;
    }

    /** Streams with different numbers have nothing in common. */
    private static StoryBatches batches(
            Settings settings, int stream, TextTokenizer tokenizer, int rows) {
        long seed = settings.seed() + stream;
        return new StoryBatches(settings.model(), tokenizer, rows, seed);
    }

    /** Lists the files' digests as sha256sum does, for whoever ships the folder. */
    private static void writeSums(Path folder) throws IOException {
        List<String> lines = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.sorted().toList()) {
                byte[] digest = sha256().digest(Files.readAllBytes(file));
                lines.add(HexFormat.of().formatHex(digest) + "  " + file.getFileName());
            }
        }
        Files.write(folder.resolve("SHA256SUMS"), lines);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}

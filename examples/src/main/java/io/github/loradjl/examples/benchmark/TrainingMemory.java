package io.github.loradjl.examples.benchmark;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.Batchifier;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.examples.report.LiveArrays;
import io.github.loradjl.examples.report.ResidentMemory;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.training.GradientClipping;
import io.github.loradjl.training.LoraOptimizer;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.text.CausalLmLoss;

import java.nio.file.Path;
import java.util.stream.IntStream;

/** Trains 500 steps and prints live native arrays and resident memory after step 50 and later. */
public final class TrainingMemory {

    private static final int STEPS = 500;
    private static final int FIRST = 50;

    private TrainingMemory() {}

    /**
     * Runs the measurement.
     *
     * @param args a Hugging Face folder
     * @throws Exception if the model cannot be loaded or the memory cannot be read
     */
    public static void main(String[] args) throws Exception {
        if (args.length != 1) {
            System.err.println("usage: TrainingMemory HUGGING_FACE_FOLDER");
            System.exit(2);
        }
        LoraConfig config = LoraConfig.builder().optInit(LoraInit.pissa()).build();
        try (ZooModel<NDList, NDList> model =
                        HuggingFaceFolder.load(Path.of(args[0]), Device.cpu(), DataType.FLOAT32);
                LoraModel lora = LoraModel.attach(model, config);
                Trainer trainer =
                        model.newTrainer(
                                new DefaultTrainingConfig(new CausalLmLoss())
                                        .optDevices(new Device[] {Device.cpu()})
                                        .optOptimizer(LoraOptimizer.adamW(lora, 1e-4f)))) {
            for (int step = 1; step <= STEPS; step++) {
                step(trainer, step);
                if (step == FIRST || step % 100 == 0) {
                    System.gc();
                    System.out.printf(
                            "step %d: %d live arrays, %.1f MB resident%n",
                            step, LiveArrays.count(), ResidentMemory.now() / 1e6);
                }
            }
        }
    }

    private static void step(Trainer trainer, int step) {
        NDManager manager = trainer.getManager().newSubManager();
        long[] tokens = IntStream.range(0, 4 * 128).mapToLong(i -> (i * 7L + step) % 500).toArray();
        NDArray ids = manager.create(tokens, new Shape(4, 128));
        Batch batch =
                new Batch(
                        manager,
                        new NDList(ids),
                        new NDList(ids.duplicate()),
                        4,
                        Batchifier.STACK,
                        Batchifier.STACK,
                        0,
                        1);
        EasyTrain.trainBatch(trainer, batch);
        GradientClipping.clip(trainer, 1.0);
        trainer.step();
        batch.close();
    }
}

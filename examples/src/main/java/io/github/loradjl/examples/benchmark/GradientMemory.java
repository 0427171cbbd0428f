package io.github.loradjl.examples.benchmark;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.Batchifier;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraGa;
import io.github.loradjl.LoraGaOptions;
import io.github.loradjl.LoraModel;
import io.github.loradjl.examples.report.ResidentMemory;
import io.github.loradjl.gradient.GradientSvd;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.zoo.text.CausalLmLoss;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Measures the peak resident memory of the LoRA-GA pass above the loaded model, for one strategy on
 * a random 24-layer LLaMA with 8 calibration batches of 4 x 128 tokens in float32, and prints it
 * beside the bound that the layer-by-layer strategy promises.
 */
public final class GradientMemory {

    private static final int LAYERS = 24;
    private static final int HIDDEN = 512;
    private static final int INNER = 1408;
    private static final int VOCABULARY = 1024;
    private static final int BATCHES = 8;
    private static final int ROWS = 4;
    private static final int LENGTH = 128;
    private static final int FLOAT = 4;

    private GradientMemory() {}

    /**
     * Runs one measurement.
     *
     * @param args the strategy: layer-by-layer, spilled, whole, serial or probe
     * @throws Exception if the memory cannot be read
     */
    public static void main(String[] args) throws Exception {
        Map<String, GradientSvd> strategies =
                Map.of(
                        "layer-by-layer", GradientSvd.layerByLayer(),
                        "spilled", GradientSvd.layerByLayer(0),
                        "whole", GradientSvd.wholeModel(),
                        "serial", GradientSvd.serial(84),
                        "probe", GradientSvd.probe());
        GradientSvd strategy = strategies.get(args.length == 1 ? args[0] : "");
        if (strategy == null) {
            System.err.println("usage: GradientMemory " + String.join("|", strategies.keySet()));
            System.exit(2);
        }
        RandomLlama llama = new RandomLlama(LAYERS, HIDDEN, INNER, 8, 8, VOCABULARY, 512);
        try (Model model = llama.create();
                NDManager manager = model.getNDManager().newSubManager()) {
            LoraConfig config =
                    LoraConfig.builder().optRankStabilized(true).optInit(LoraInit.loraGa()).build();
            try (LoraModel lora = LoraModel.attach(model, config)) {
                List<Batch> batches = batches(manager);
                warmUp(lora, batches.get(0));
                System.gc();
                long before = ResidentMemory.now();
                ResidentMemory.resetPeak();
                long start = System.nanoTime();
                LoraGaOptions options = LoraGaOptions.builder().optStrategy(strategy).build();
                LoraGa.start(lora, new CausalLmLoss(), batches, options);
                double seconds = (System.nanoTime() - start) / 1e9;
                print(args[0], ResidentMemory.peak() - before, seconds);
            }
        }
    }

    /** Loads the code and starts the threads that the pass will use, without gradients. */
    private static void warmUp(LoraModel lora, Batch batch) {
        try (NDManager scope = lora.getManager().newSubManager();
                NDArray ids = batch.getData().head().duplicate()) {
            ids.attach(scope);
            NDList logits =
                    lora.getBlock()
                            .forward(new ParameterStore(scope, false), new NDList(ids), false);
            logits.close();
        }
    }

    private static List<Batch> batches(NDManager manager) {
        List<Batch> batches = new ArrayList<>();
        for (int b = 0; b < BATCHES; b++) {
            NDArray ids =
                    manager.randomInteger(0, VOCABULARY, new Shape(ROWS, LENGTH), DataType.INT64);
            batches.add(
                    new Batch(
                            manager.newSubManager(),
                            new NDList(ids),
                            new NDList(ids.duplicate()),
                            ROWS,
                            Batchifier.STACK,
                            Batchifier.STACK,
                            b,
                            BATCHES));
        }
        return batches;
    }

    private static void print(String strategy, long peak, double seconds) {
        long tokens = (long) ROWS * LENGTH;
        long stageInputs = (LAYERS + 1) * BATCHES * tokens * HIDDEN * FLOAT;
        long layer = (4L * HIDDEN * HIDDEN + 3L * HIDDEN * INNER) * FLOAT;
        // Per token: what autograd keeps of two norms (3 each), q, k, v, their turned forms,
        // the attention and its output, and gate, up, silu and product of the inner layer.
        long activations = tokens * (16L * HIDDEN + 4L * INNER) * FLOAT;
        long bound = stageInputs + 3 * layer + activations;
        System.out.printf(
                "%-15s %6.0f MB peak above the model, %5.1f s | stage inputs %.0f MB, one stage's"
                        + " gradients %.1f MB, all gradients %.0f MB, one stage's activations %.0f"
                        + " MB, bound %.0f MB%n",
                strategy,
                peak / 1e6,
                seconds,
                stageInputs / 1e6,
                layer / 1e6,
                LAYERS * layer / 1e6,
                activations / 1e6,
                bound / 1e6);
    }
}

package io.github.loradjl.examples.benchmark.speed;

import ai.djl.Model;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.examples.benchmark.RandomLlama;

/** Trains a random LLaMA, a step for each line of standard input, as {@link SpeedWorker} does. */
public final class GrowthWorker {

    private static final int VOCABULARY = 4096;
    private static final int LONGEST = 4096;

    private GrowthWorker() {}

    /**
     * Works.
     *
     * @param args the number of layers, the rank, the number of rows, their length in tokens
     * @throws Exception if the work fails
     */
    public static void main(String[] args) throws Exception {
        int layers = Integer.parseInt(args[0]);
        LoraConfig config = LoraConfig.builder().optRank(Integer.parseInt(args[1])).build();
        Batches batches =
                Batches.random(Integer.parseInt(args[2]), Integer.parseInt(args[3]), VOCABULARY);
        Model model = new RandomLlama(layers, 256, 768, 4, 2, VOCABULARY, LONGEST).create();
        try (Work work = new Training(LoraModel.attach(model, config), batches, false)) {
            SpeedWorker.repeat(work);
        }
    }
}

package io.github.loradjl.examples.benchmark.speed;

import ai.djl.Model;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.examples.benchmark.RandomLlama;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Trains a random LLaMA, a step for each line of standard input, as {@link SpeedWorker} does. */
public final class GrowthWorker {

    /** The steps on short texts, until Java's compiler has done the most of its work. */
    static final int SHORT_STEPS = 20;

    private static final int SHORT = 16;
    private static final int VOCABULARY = 4096;
    private static final int LONGEST = 4096;

    private GrowthWorker() {}

    /**
     * Works.
     *
     * @param args the number of layers, the rank, the number of rows, their length in tokens, the
     *     number of steps; before these go {@link #SHORT_STEPS} on short texts
     * @throws Exception if the work fails
     */
    public static void main(String[] args) throws Exception {
        int layers = Integer.parseInt(args[0]);
        LoraConfig config = LoraConfig.builder().optRank(Integer.parseInt(args[1])).build();
        int rows = Integer.parseInt(args[2]);
        List<Batches.Row> batch = Batches.random(rows, Integer.parseInt(args[3]), VOCABULARY);
        List<List<Batches.Row>> all = new ArrayList<>();
        all.addAll(Collections.nCopies(SHORT_STEPS, Batches.random(rows, SHORT, VOCABULARY)));
        all.addAll(Collections.nCopies(Integer.parseInt(args[4]), batch));
        Batches batches = new Batches(all);
        Model model = new RandomLlama(layers, 256, 768, 4, 2, VOCABULARY, LONGEST).create();
        try (Work work = new Training(LoraModel.attach(model, config), batches, false)) {
            SpeedWorker.repeat(work);
        }
    }
}

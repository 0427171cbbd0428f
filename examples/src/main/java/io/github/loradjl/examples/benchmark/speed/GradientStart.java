package io.github.loradjl.examples.benchmark.speed;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.dataset.Batch;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraGa;
import io.github.loradjl.LoraGaOptions;
import io.github.loradjl.LoraModel;
import io.github.loradjl.gradient.GradientSvd;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.zoo.text.CausalLmLoss;

import java.util.List;
import java.util.stream.IntStream;

/** LoRA-GA's start, on all batches. */
final class GradientStart implements Work {

    private final ZooModel<NDList, NDList> model;
    private final Batches batches;
    private final GradientSvd strategy;
    private final LoraInit init;
    private LoraModel lora;

    GradientStart(
            ZooModel<NDList, NDList> model, Batches batches, GradientSvd strategy, LoraInit init) {
        this.model = model;
        this.batches = batches;
        this.strategy = strategy;
        this.init = init;
    }

    /** {@inheritDoc} */
    @Override
    public void reset() {
        if (lora != null) {
            lora.close();
        }
    }

    /** {@inheritDoc} */
    @Override
    public double run(int turn) {
        LoraConfig config =
                LoraConfig.builder()
                        .optRank(8)
                        .optAlpha(16)
                        .optRankStabilized(true)
                        .optInit(init)
                        .build();
        lora = LoraModel.attach(model, config);
        LoraGaOptions options = LoraGaOptions.builder().optStrategy(strategy).build();
        try (NDManager manager = model.getNDManager().newSubManager()) {
            List<Batch> all =
                    IntStream.range(0, batches.batches().size())
                            .mapToObj(number -> batches.batch(manager, number))
                            .toList();
            LoraGa.start(lora, new CausalLmLoss(), all, options);
        }
        return Double.NaN;
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        reset();
        model.close();
    }
}

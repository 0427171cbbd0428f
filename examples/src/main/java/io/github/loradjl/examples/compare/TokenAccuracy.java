package io.github.loradjl.examples.compare;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;

import io.github.loradjl.adapter.AdaptedBlock;
import io.github.loradjl.training.TokenCounter;
import io.github.loradjl.zoo.block.LanguageModel;
import io.github.loradjl.zoo.text.TextDataset;

import java.io.IOException;

/**
 * The share of the learnt tokens of the validation rows that a model finds the most probable, given
 * the right tokens before them.
 *
 * @param validation the rows
 */
public record TokenAccuracy(TextDataset validation) implements Setup.Metric {

    /** {@inheritDoc} */
    @Override
    public String name() {
        return "token_accuracy";
    }

    /** {@inheritDoc} */
    @Override
    public double measure(Model model) throws IOException {
        LanguageModel block =
                (LanguageModel)
                        (model.getBlock() instanceof AdaptedBlock adapted
                                ? adapted.getBase()
                                : model.getBlock());
        TokenCounter counter = block.newTokenCounter();
        double correct = 0;
        long all = 0;
        try (NDManager manager = model.getNDManager().newSubManager()) {
            ParameterStore store = new ParameterStore(manager, false);
            for (Batch batch : validation.getEpoch(manager, 0, 0)) {
                try (batch;
                        NDList result = block.evaluate(store, batch.getData(), batch.getLabels())) {
                    correct += result.get(1).getFloat();
                    all += counter.countTargets(batch);
                }
            }
        }
        return correct / all;
    }
}

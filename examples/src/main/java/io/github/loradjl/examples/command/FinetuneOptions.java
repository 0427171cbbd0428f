package io.github.loradjl.examples.command;

import ai.djl.Model;

import io.github.loradjl.LoraModel;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.training.Checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** All options of a run, and the defaults that follow from several of them. */
record FinetuneOptions(
        ModelOptions model,
        DataOptions data,
        RowOptions rows,
        AdapterOptions adapter,
        StartOptions start,
        TrainingOptions training,
        RateOptions rate,
        OptimizerOptions optimizer,
        RunOptions run) {

    /** Checks what no option can check alone. */
    void check() throws IOException {
        data.check();
        start.check();
        optimizer.check();
        run.check();
        run.requireFree();
    }

    /** Returns the defaults that depend on other options, by key. */
    Map<String, Object> decided() {
        Map<String, Object> decided = new HashMap<>();
        decided.put("learning_rate", learningRate());
        decided.put("rank_stabilized", start.isRankStabilized());
        if (training.maxSteps() == null) {
            decided.put("epochs", epochs());
        }
        return decided;
    }

    double learningRate() {
        Double given = rate.learningRate();
        return given != null ? given : model.isShipped() ? 1e-3 : 2e-4;
    }

    int epochs() {
        if (training.epochs() != null) {
            return training.epochs();
        }
        boolean isEndless = training.maxSteps() != null;
        return isEndless ? Integer.MAX_VALUE : data.isShipped() ? 3 : 1;
    }

    /** Attaches the adapter to train: that of a checkpoint, a saved one, or a new one. */
    LoraModel attach(Model loaded, Checkpoint resumed) throws IOException {
        Path saved =
                resumed == null
                        ? NamedAdapter.find("--init-adapter", run.initAdapter())
                        : resumed.getAdapter();
        return saved == null
                ? LoraModel.attach(loaded, start.config(adapter, training.seed()))
                : PeftAdapter.load(loaded, saved);
    }

    /** Returns how the adapter begins, in a few words. */
    String describeStart() {
        return run.initAdapter() == null
                ? start.name() + ", rank " + adapter.rank()
                : "from " + run.initAdapter();
    }
}

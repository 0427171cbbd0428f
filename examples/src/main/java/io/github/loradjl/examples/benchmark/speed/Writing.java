package io.github.loradjl.examples.benchmark.speed;

import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;

import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TokenGenerator;

import java.util.Arrays;
import java.util.List;

/** Greedy generation, not stopped by the end of a text. */
final class Writing implements Work {

    private final ZooModel<NDList, NDList> model;
    private final List<long[]> prompts;
    private final GenerationConfig config;

    Writing(ZooModel<NDList, NDList> model, Batches batches, int tokens) {
        this.model = model;
        prompts = batches.batches().get(0).stream().map(Batches.Row::ids).toList();
        config = GenerationConfig.builder().optMaxNewTokens(tokens).optStopAtEnd(false).build();
    }

    /** Returns a number made of the tokens, by which both sides can be compared. */
    @Override
    public double run(int turn) {
        List<long[]> texts = new TokenGenerator(model).generate(prompts, config);
        return texts.stream().flatMapToLong(Arrays::stream).average().orElseThrow();
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        model.close();
    }
}

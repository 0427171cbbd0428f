package io.github.loradjl.examples.compare;

import io.github.loradjl.LoraConfig;

import java.util.List;

/** Makes results of runs that never were. */
final class Results {

    /** Rank 8, alpha 16, 4 steps, validated after each second one, 8 batches for LoRA-GA. */
    static final Setup.Recipe COMMON =
            new Setup.Recipe(
                    LoraConfig.builder().optRank(8).optAlpha(16).build(),
                    4,
                    2,
                    null,
                    null,
                    1,
                    8,
                    false);

    private Results() {}

    /** A run of 20 steps, validated before the first and after each tenth. */
    static CellResult of(String method, double rate, int seed, Double... validationLosses) {
        return new CellResult(
                method,
                rate,
                seed,
                null,
                new CellResult.Start(10, 0.5, 3.0, null, new ConditionNumbers(1.5, null)),
                new CellResult.Training(
                        List.of(9.0, 8.0),
                        List.of(0L, 10L, 20L),
                        List.of(validationLosses),
                        0.25,
                        7.0,
                        new ConditionNumbers(2.5, 4.0)),
                null);
    }

    static CellResult failed(String method, double rate, int seed) {
        return CellResult.failed(new Cell(Method.parse(method), rate, seed), "the loss is NaN");
    }
}

package io.github.loradjl.examples.benchmark.speed;

import io.github.loradjl.zoo.text.TextTokenizer;

import java.nio.file.Path;

/** A row of the table. */
enum Row {
    /** A step of training on 4 rows of 128 tokens. */
    STEP("step", "step", 15, 9),
    /** Its products of matrices alone, beside the whole step of ours. */
    PRODUCTS("products", "step", 15, 7),
    /** Those within attention alone, beside the whole step of ours. */
    ATTENTION("attention", "step", 15, 7),
    /** A step on 4 rows of 512 tokens with activation checkpointing. */
    CHECKPOINTED("checkpointed", "checkpointed", 3, 5),
    /** The most rows of 512 tokens that train in 4 GB with activation checkpointing. */
    LONGEST("checkpointed", "checkpointed", 0, 2),
    /** Steps on 8 rows of GSM8K each, as long as they are. */
    GSM8K("step", "step", 5, 20),
    /** The start of LoRA-GA, layer by layer. */
    START("start", "start", 0, 5),
    /** The start of LoRA-GA by the probe's two passes, beside steps of ours on as many rows. */
    PROBE("probe", "steps", 0, 5),
    /** A new process as far as its first token. */
    FIRST("write", "write", 1, 5),
    /** 256 tokens after one prompt. */
    WRITE("write", "write", 1, 5),
    /** 256 tokens after each of 8 prompts. */
    WRITE8("write", "write", 1, 5);

    private final String ours;
    private final String other;
    // A JVM compiles what it runs: the steps of a process get faster for the first ten to twenty.
    private final int warmUp;
    private final int turns;

    Row(String ours, String other, int warmUp, int turns) {
        this.ours = ours;
        this.other = other;
        this.warmUp = warmUp;
        this.turns = turns;
    }

    /** Returns the work of {@link SpeedWorker}. */
    String ours() {
        return ours;
    }

    /** Returns the work of the other side. */
    String other() {
        return other;
    }

    /** Tells whether the other side is another work of ours, not one of Python. */
    boolean isBesideOurs() {
        return this == PRODUCTS || this == ATTENTION || this == PROBE;
    }

    int warmUp() {
        return warmUp;
    }

    int turns() {
        return turns;
    }

    /** Returns how many tokens are written after each prompt. */
    int written() {
        return this == FIRST ? 1 : 256;
    }

    /** Returns how far the values of the two sides may be apart, relative to each other. */
    double tolerance(String dtype) {
        if ("float32".equals(dtype)) {
            return 1e-3;
        }
        // Where two tokens are as probable, rounding decides, and the texts part.
        return this == WRITE || this == WRITE8 ? Double.MAX_VALUE : 1e-2;
    }

    Batches batches(TextTokenizer tokenizer, Path data) throws Exception {
        return switch (this) {
            case STEP, PRODUCTS, ATTENTION -> Batches.blocks(tokenizer, data, 9, 4, 128);
            case CHECKPOINTED -> Batches.blocks(tokenizer, data, 6, 4, 512);
            case LONGEST -> Batches.blocks(tokenizer, data, 1, 128, 512);
            case GSM8K -> Batches.questions(tokenizer, data, 200, 8);
            case START, PROBE -> Batches.questions(tokenizer, data, 32, 8);
            case FIRST, WRITE -> Batches.blocks(tokenizer, data, 1, 1, 32);
            case WRITE8 -> Batches.blocks(tokenizer, data, 1, 8, 32);
        };
    }

    long tokens(Batches batches, int turn) {
        return switch (this) {
            case FIRST -> 1;
            case WRITE -> 256;
            case WRITE8 -> 8 * 256;
            case START, PROBE -> {
                long all = 0;
                for (int number = 0; number < batches.batches().size(); number++) {
                    all += batches.tokens(number);
                }
                yield all;
            }
            default -> batches.tokens(turn);
        };
    }
}

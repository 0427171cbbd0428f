package io.github.loradjl.examples.benchmark.speed;

import java.util.List;

/** What grows while the rest of a random LLaMA and its batch stays. */
enum Growing {
    /** The number of layers; rank 8, 4 rows of 128 tokens. */
    LAYERS(1, 4, 8, 16, 32),
    /** The rank; 4 layers, 4 rows of 128 tokens. */
    RANK(1, 4, 16, 64, 256),
    /** The length of one text in tokens; 4 layers, rank 8. */
    LENGTH(2, 128, 256, 512, 1024, 2048, 4096);

    private final int degree;
    private final List<Integer> sizes;

    Growing(int degree, Integer... sizes) {
        this.degree = degree;
        this.sizes = List.of(sizes);
    }

    /** Returns the degree of the polynomial that the seconds are expected to follow. */
    int degree() {
        return degree;
    }

    List<Integer> sizes() {
        return sizes;
    }

    /** Returns the arguments of {@link GrowthWorker}. */
    List<String> arguments(int size, int steps) {
        int layers = this == LAYERS ? size : 4;
        int rank = this == RANK ? size : 8;
        int rows = this == LENGTH ? 1 : 4;
        int length = this == LENGTH ? size : 128;
        return List.of("" + layers, "" + rank, "" + rows, "" + length, "" + steps);
    }
}

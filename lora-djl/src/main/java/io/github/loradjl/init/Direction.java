package io.github.loradjl.init;

import java.util.Random;
import java.util.stream.IntStream;

/**
 * Which of the first 2r singular vectors of the gradient go to A and which to B.
 *
 * <p>The two sets are disjoint in each case, so the first step covers all 2r directions and, as far
 * as it is linear in the learning rate, is the same for all. The directions differ in what comes
 * later and in the product B A.
 */
public enum Direction {

    /** A takes the first r, B the next r: the paper's choice. */
    AR_B2R {
        @Override
        int[] indicesOfA(int rank, long seed) {
            return IntStream.range(0, rank).toArray();
        }
    },

    /** B takes the first r, A the next r. */
    A2R_BR {
        @Override
        int[] indicesOfA(int rank, long seed) {
            return IntStream.range(rank, 2 * rank).toArray();
        }
    },

    /** B takes the even ones, counted from 0, A the odd ones. */
    AR_BR {
        @Override
        int[] indicesOfA(int rank, long seed) {
            return IntStream.range(0, rank).map(i -> 2 * i + 1).toArray();
        }
    },

    /** A takes r of them at random, B the others. */
    RANDOM {
        @Override
        int[] indicesOfA(int rank, long seed) {
            int[] order = IntStream.range(0, 2 * rank).toArray();
            Random random = new Random(seed);
            for (int i = order.length - 1; i > 0; i--) {
                int j = random.nextInt(i + 1);
                int swap = order[i];
                order[i] = order[j];
                order[j] = swap;
            }
            return IntStream.of(order).limit(rank).sorted().toArray();
        }
    };

    /** Returns the indices of the right vectors that become rows of A, ascending. */
    abstract int[] indicesOfA(int rank, long seed);

    /** Returns the indices of the left vectors that become columns of B, ascending. */
    int[] indicesOfB(int rank, long seed) {
        int[] taken = indicesOfA(rank, seed);
        return IntStream.range(0, 2 * rank)
                .filter(i -> IntStream.of(taken).noneMatch(j -> i == j))
                .toArray();
    }
}

package io.github.loradjl.init;

import ai.djl.ndarray.types.Shape;

/** The limits that a weight's shape sets to the rank. */
final class Ranks {

    private Ranks() {}

    /** Requires multiple * rank singular vectors of a weight. */
    static void require(String target, Shape weight, int rank, int multiple, String name) {
        long available = Math.min(weight.get(0), weight.get(1));
        if ((long) multiple * rank > available) {
            String needed = multiple == 1 ? "r" : multiple + "r";
            throw new IllegalArgumentException(
                    String.format(
                            "%s on %s needs %s <= min(m, n), but r is %d and the weight is %d x %d:"
                                    + " use a rank of at most %d for it (a rank pattern), or leave"
                                    + " it out of the targets",
                            name,
                            target,
                            needed,
                            rank,
                            weight.get(0),
                            weight.get(1),
                            available / multiple));
        }
    }
}

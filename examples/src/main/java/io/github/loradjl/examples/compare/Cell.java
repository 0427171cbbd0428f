package io.github.loradjl.examples.compare;

import java.util.Locale;

/**
 * One run of a comparison.
 *
 * @param method how
 * @param rate the highest learning rate
 * @param seed what the order of the rows, dropout and the draws of the start come from
 */
public record Cell(Method method, double rate, int seed) {

    /** Returns the name under which the result is kept. */
    String id() {
        return String.format(Locale.ROOT, "%s@%s@%d", method.label(), Figures.rate(rate), seed);
    }

    /** Returns a few words for a person. */
    @Override
    public String toString() {
        return method.label() + ", rate " + Figures.rate(rate) + ", seed " + seed;
    }
}

package io.github.loradjl.zoo.checkpoint;

import java.nio.file.Path;

/**
 * An adapter to load with a model.
 *
 * @param folder its folder
 * @param weight the factor of its change, 1 for the whole
 */
public record WeightedAdapter(Path folder, double weight) {

    /**
     * Checks the weight.
     *
     * @param folder its folder
     * @param weight the factor of its change, 1 for the whole
     * @throws IllegalArgumentException if the weight is not finite
     */
    public WeightedAdapter {
        if (!Double.isFinite(weight)) {
            throw new IllegalArgumentException(
                    "the weight of adapter " + folder + " is " + weight + "; give a number");
        }
    }
}

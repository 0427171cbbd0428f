package io.github.loradjl.examples.report;

import ai.djl.nn.Block;
import ai.djl.nn.Parameter;

import java.util.HashSet;
import java.util.Set;

/** Counts of parameters. */
public final class Counts {

    private Counts() {}

    /**
     * Counts the numbers in all parameters of a block, shared ones once.
     *
     * @param block the block, with arrays in its parameters
     * @return how many numbers they hold
     */
    public static long parameters(Block block) {
        Set<String> seen = new HashSet<>();
        long count = 0;
        for (Parameter parameter : block.getParameters().values()) {
            if (seen.add(parameter.getId())) {
                count += parameter.getArray().size();
            }
        }
        return count;
    }
}

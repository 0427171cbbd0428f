package io.github.loradjl.examples.command;

import ai.djl.nn.Block;
import ai.djl.nn.Parameter;

import java.util.HashSet;
import java.util.Set;

/** Counts of parameters. */
final class Counts {

    private Counts() {}

    /** Counts the numbers in all parameters of a block, shared ones once. */
    static long parameters(Block block) {
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

package io.github.loradjl.adapter;

import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.norm.BatchNorm;

import java.lang.reflect.Field;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * Keeps the running statistics of {@link BatchNorm} blocks fixed while a model is adapted.
 *
 * <p>In training mode such a block still normalises by its batch, but with a momentum of one each
 * update of the running mean and variance leaves them exactly as they were. DJL has no setting for
 * that after construction.
 */
public final class RunningStatistics implements AutoCloseable {

    private static final Field MOMENTUM = References.field(BatchNorm.class, "momentum");

    private final Map<BatchNorm, Float> momenta = new IdentityHashMap<>();

    private RunningStatistics() {}

    /**
     * Fixes the statistics of all blocks below a root.
     *
     * @param root the root
     * @return the scope that lets them follow the data again when closed
     */
    public static RunningStatistics freeze(Block root) {
        RunningStatistics statistics = new RunningStatistics();
        for (BlockTree.Node node : BlockTree.walk(root)) {
            if (node.block() instanceof BatchNorm norm) {
                statistics.momenta.putIfAbsent(norm, (Float) References.get(MOMENTUM, norm));
            }
        }
        statistics.momenta.keySet().forEach(norm -> References.set(MOMENTUM, norm, 1f));
        return statistics;
    }

    /**
     * Tells whether a parameter is a running mean or variance.
     *
     * @param parameter the parameter
     * @return true if it is
     */
    public static boolean isStatistic(Parameter parameter) {
        return parameter.getType() == Parameter.Type.RUNNING_MEAN
                || parameter.getType() == Parameter.Type.RUNNING_VAR;
    }

    /** Lets the statistics follow the data again. */
    @Override
    public void close() {
        momenta.forEach((norm, momentum) -> References.set(MOMENTUM, norm, momentum));
    }
}

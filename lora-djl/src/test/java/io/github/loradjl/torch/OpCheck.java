package io.github.loradjl.torch;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.GradientCollector;

import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.testing.Distance;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Compares an operation with the same thing written in plain DJL operations: its result and the
 * gradients of all inputs, for a random direction of the output.
 *
 * <p>The plain form runs in double precision on the very numbers that the operation gets, so the
 * difference is the operation's own rounding.
 */
final class OpCheck {

    /**
     * Sums of some tens of float32 products round to a few units of 2<sup>-24</sup> = 6e-8 of their
     * size; ten times that is far below any wrong formula.
     */
    static final double FLOAT32 = 2e-6;

    /**
     * bfloat16 keeps 8 significant bits, so each rounding costs up to 2<sup>-8</sup> = 0.004; the
     * operations round about four times in a row.
     */
    static final double BFLOAT16 = 4.0 / 256;

    /** A norm below this is what double precision leaves of zero. */
    private static final double CANCELLED = 1e-12;

    /** An operation on arrays. */
    @FunctionalInterface
    interface Op {
        NDArray apply(List<NDArray> inputs);
    }

    private OpCheck() {}

    /** Compares in float32 and in bfloat16. */
    static void agrees(NDManager manager, Op op, Op plain, NDArray... inputs) {
        agreesInFloat32(manager, op, plain, inputs);
        agreesInBfloat16(manager, op, plain, BFLOAT16, inputs);
    }

    static void agreesInFloat32(NDManager manager, Op op, Op plain, NDArray... inputs) {
        List<NDArray> leaves = new ArrayList<>();
        for (NDArray input : inputs) {
            leaves.add(input.duplicate());
        }
        compare(manager, op, plain, leaves, DataType.FLOAT32, FLOAT32);
    }

    static void agreesInBfloat16(
            NDManager manager, Op op, Op plain, double tolerance, NDArray... inputs) {
        List<NDArray> leaves = new ArrayList<>();
        for (NDArray input : inputs) {
            leaves.add(TorchOps.toBfloat16(input));
        }
        compare(manager, op, plain, leaves, DataType.UNKNOWN, tolerance);
    }

    private static void compare(
            NDManager manager,
            Op op,
            Op plain,
            List<NDArray> leaves,
            DataType type,
            double tolerance) {
        List<NDArray> wide = leaves.stream().map(x -> Distance.wide(x, manager)).toList();
        List<NDArray> expected = run(manager, plain, wide, DataType.FLOAT64);
        List<NDArray> actual = run(manager, op, leaves, type);
        for (int i = 0; i < expected.size(); i++) {
            // The gradients of these inputs are of order 1. That of a softmax of one term is zero
            // because parts of order 1 cancel, and it is these that are rounded.
            double norm = Math.sqrt(TorchOps.squareSum(expected.get(i)));
            double size = norm < CANCELLED ? 1 : Math.max(0.01, norm);
            assertThat(Distance.absolute(actual.get(i), expected.get(i)) / size)
                    .as(type + (i == 0 ? " result" : " gradient of input " + (i - 1)))
                    .isLessThan(tolerance);
        }
    }

    /** Returns the result and the gradient of each input. */
    private static List<NDArray> run(
            NDManager manager, Op op, List<NDArray> leaves, DataType type) {
        leaves.forEach(x -> x.setRequiresGradient(true));
        List<NDArray> results = new ArrayList<>();
        try (GradientCollector collector = manager.getEngine().newGradientCollector()) {
            NDArray out = op.apply(leaves);
            if (!out.getShape().isScalar()) {
                assertThat(out.getDataType()).as("type of the result").isEqualTo(type);
            }
            NDArray along = direction(manager, out);
            // DJL's own change of type would cut the graph.
            collector.backward(
                    type == DataType.FLOAT64
                            ? out.mul(along.toType(type, false)).sum()
                            : TorchOps.inner(out, along));
            results.add(Distance.wide(out.stopGradient(), manager));
        }
        for (NDArray leaf : leaves) {
            results.add(leaf.getGradient());
        }
        return results;
    }

    private static NDArray direction(NDManager manager, NDArray out) {
        long size = Math.max(1, out.size());
        NDArray direction =
                RandomMatrix.normal(manager, 1, size, 1, new SplittableRandom(size + 7));
        return direction.reshape(out.getShape());
    }
}

package io.github.loradjl.testing;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;

import io.github.loradjl.torch.TorchOps;

/** Distances between arrays, computed in double precision. */
public final class Distance {

    private Distance() {}

    /** Returns the norm of the difference. */
    public static double absolute(NDArray actual, NDArray expected) {
        if (!actual.getShape().equals(expected.getShape())) {
            throw new AssertionError(
                    "shape " + actual.getShape() + " instead of " + expected.getShape());
        }
        try (NDManager scope = actual.getManager().newSubManager()) {
            return norm(wide(actual, scope).sub(wide(expected, scope)));
        }
    }

    /** Returns the norm of the difference over the norm of what was expected. */
    public static double relative(NDArray actual, NDArray expected) {
        try (NDManager scope = expected.getManager().newSubManager()) {
            return absolute(actual, expected) / norm(wide(expected, scope));
        }
    }

    /** Returns the largest magnitude of the difference. */
    public static double largest(NDArray actual, NDArray expected) {
        try (NDManager scope = actual.getManager().newSubManager()) {
            NDArray difference = wide(actual, scope).sub(wide(expected, scope));
            return difference.abs().max().toDoubleArray()[0];
        }
    }

    /** Returns the array in double precision, bfloat16 included. */
    public static NDArray wide(NDArray x, NDManager scope) {
        NDArray wide = x;
        if (x.getDataType() == DataType.UNKNOWN) {
            wide = TorchOps.toFloat32(x);
            wide.attach(scope);
        }
        NDArray result = wide.toType(DataType.FLOAT64, true);
        result.attach(scope);
        return result;
    }

    private static double norm(NDArray wide) {
        return Math.sqrt(wide.square().sum().toDoubleArray()[0]);
    }
}

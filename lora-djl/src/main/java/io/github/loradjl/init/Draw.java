package io.github.loradjl.init;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.linalg.RandomMatrix;

import java.util.random.RandomGenerator;

/** How one factor is drawn; the columns of a factor are the inputs of its linear map. */
interface Draw {

    /** All entries are 0. */
    Draw ZERO = (manager, rows, columns, rank, random) -> manager.zeros(new Shape(rows, columns));

    /** Uniform with variance 1 / (3 inputs). */
    Draw KAIMING_UNIFORM =
            (manager, rows, columns, rank, random) ->
                    RandomMatrix.uniform(manager, rows, columns, 1 / Math.sqrt(columns), random);

    /** Normal with variance 2 / inputs. */
    Draw KAIMING_NORMAL =
            (manager, rows, columns, rank, random) ->
                    RandomMatrix.normal(manager, rows, columns, Math.sqrt(2.0 / columns), random);

    /** Normal with standard deviation 1 / r. */
    Draw GAUSSIAN =
            (manager, rows, columns, rank, random) ->
                    RandomMatrix.normal(manager, rows, columns, 1.0 / rank, random);

    /** Returns a normal draw with a given standard deviation. */
    static Draw gaussian(double sigma) {
        return (manager, rows, columns, rank, random) ->
                RandomMatrix.normal(manager, rows, columns, sigma, random);
    }

    /** Draws a float32 matrix of shape (rows, columns). */
    NDArray draw(NDManager manager, long rows, long columns, int rank, RandomGenerator random);
}

package io.github.loradjl.linalg;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.torch.TorchOps;

import java.nio.charset.StandardCharsets;
import java.util.random.RandomGenerator;

/**
 * Random float32 matrices drawn in Java.
 *
 * <p>Never from LibTorch's generator: a start or a decomposition must not shift the draws of the
 * training run around it, must not depend on the order in which targets are visited, and must be
 * the same on every device.
 */
public final class RandomMatrix {

    private RandomMatrix() {}

    /**
     * Draws independent normal numbers with mean 0.
     *
     * @param manager the owner of the matrix, whose device it is placed on
     * @param rows the number of rows
     * @param columns the number of columns
     * @param sigma the standard deviation
     * @param random the generator to draw from, row by row
     * @return a matrix of shape (rows, columns)
     */
    public static NDArray normal(
            NDManager manager, long rows, long columns, double sigma, RandomGenerator random) {
        float[] values = new float[Math.toIntExact(rows * columns)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (sigma * random.nextGaussian());
        }
        return TorchOps.floats(manager, values, new Shape(rows, columns));
    }

    /**
     * Draws independent numbers that are uniform between -bound and bound.
     *
     * @param manager the owner of the matrix, whose device it is placed on
     * @param rows the number of rows
     * @param columns the number of columns
     * @param bound the largest magnitude
     * @param random the generator to draw from, row by row
     * @return a matrix of shape (rows, columns)
     */
    public static NDArray uniform(
            NDManager manager, long rows, long columns, double bound, RandomGenerator random) {
        float[] values = new float[Math.toIntExact(rows * columns)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (bound * (2 * random.nextDouble() - 1));
        }
        return TorchOps.floats(manager, values, new Shape(rows, columns));
    }

    /**
     * Derives a seed for one of several named things, such as the targets of a model, so that each
     * draws numbers of its own whatever the order.
     *
     * @param seed the common seed
     * @param name the name
     * @return the derived seed
     */
    public static long seedFor(long seed, String name) {
        // FNV-1a over the name, then the finalizer of MurmurHash3: equal names and seeds give equal
        // results in every JVM, near ones give unrelated results.
        long hash = 0xcbf29ce484222325L ^ seed;
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        hash = (hash ^ (hash >>> 33)) * 0xff51afd7ed558ccdL;
        hash = (hash ^ (hash >>> 33)) * 0xc4ceb9fe1a85ec53L;
        return hash ^ (hash >>> 33);
    }
}

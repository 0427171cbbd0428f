package io.github.loradjl.zoo.text.generate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.torch.TorchOps;

/**
 * The keys and values of all positions that a model has seen, so that each new token costs one
 * position only. Allocated once, for a known number of positions.
 */
public final class KeyValueCache implements AutoCloseable {

    private final NDManager manager;
    private final NDArray[] keys;
    private final NDArray[] values;
    private final int capacity;
    private int length;

    /**
     * Allocates a cache.
     *
     * @param parent the manager whose device the cache is on, and which closes it at the latest
     * @param layers the number of layers
     * @param shape (batch, heads, capacity, head size)
     * @param like an array of the type of the keys and values
     */
    public KeyValueCache(NDManager parent, int layers, Shape shape, NDArray like) {
        manager = parent.newSubManager();
        capacity = Math.toIntExact(shape.get(2));
        keys = new NDArray[layers];
        values = new NDArray[layers];
        for (int i = 0; i < layers; i++) {
            keys[i] = TorchOps.zerosLike(manager, shape, like);
            values[i] = TorchOps.zerosLike(manager, shape, like);
        }
    }

    /**
     * Returns how many positions are filled in every layer.
     *
     * @return the number of positions
     */
    public int getLength() {
        return length;
    }

    /**
     * Writes the keys and values of new positions behind the filled ones.
     *
     * @param layer the number of the layer
     * @param k keys of shape (batch, heads, t, head size)
     * @param v values of the same shape
     * @throws IllegalStateException if there is no room for them
     */
    public void write(int layer, NDArray k, NDArray v) {
        long end = length + k.getShape().get(2);
        if (end > capacity) {
            throw new IllegalStateException(
                    "the cache has room for " + capacity + " positions, " + end + " are needed");
        }
        TorchOps.writeAt(keys[layer], k, length);
        TorchOps.writeAt(values[layer], v, length);
    }

    /**
     * Views the keys of a layer.
     *
     * @param layer the number of the layer
     * @param added the number of positions just written
     * @return keys of shape (batch, heads, length + added, head size)
     */
    public NDArray keys(int layer, long added) {
        return TorchOps.readTo(keys[layer], length + added);
    }

    /**
     * Views the values of a layer.
     *
     * @param layer the number of the layer
     * @param added the number of positions just written
     * @return values of shape (batch, heads, length + added, head size)
     */
    public NDArray values(int layer, long added) {
        return TorchOps.readTo(values[layer], length + added);
    }

    /**
     * Counts positions as filled, once they are written in every layer.
     *
     * @param added the number of positions
     */
    public void advance(long added) {
        length = Math.toIntExact(length + added);
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        manager.close();
    }
}

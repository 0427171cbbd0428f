package io.github.loradjl.zoo.text.generate;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.torch.DecodingOps;
import io.github.loradjl.torch.TorchOps;

import java.util.Arrays;
import java.util.function.Supplier;

/**
 * The keys and values of all positions that a model has seen, so that each new token costs one
 * position only. Allocated once, for a known number of positions.
 *
 * <p>It also keeps the layers' weights as single positions go through them: a generation runs with
 * the weights and adapters that it began with.
 *
 * <p>Rows of different lengths end together: the shorter ones begin with padding, which no position
 * but itself sees, and their positions are counted from behind it.
 */
public final class KeyValueCache implements AutoCloseable {

    private final NDManager manager;
    private final NDManager cpu;
    private final NDArray[] keys;
    private final NDArray[] values;
    private final int capacity;
    private int length;
    // The length once more, for operations; made when it is asked for.
    private NDArray end;
    // INT32, of shape (batch, 1, 1, 1); null where no row is padded.
    private NDArray padding;
    // What steps run with, for each layer; null before the first.
    private final DecodingOps.Layer[] prepared;
    // Of the input of an encoder, for each layer; null without one.
    private NDArray[] memoryKeys;
    private NDArray[] memoryValues;
    // Null where no input is padded.
    private NDArray memoryBias;

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
        cpu = manager.newSubManager(Device.cpu());
        capacity = Math.toIntExact(shape.get(2));
        keys = new NDArray[layers];
        values = new NDArray[layers];
        prepared = new DecodingOps.Layer[layers];
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
     * Says how many of the first positions of each row are padding, none unless this is called.
     *
     * @param counts a number for each row
     * @throws IllegalStateException if there are positions already
     */
    public void setPadding(int[] counts) {
        if (length > 0) {
            throw new IllegalStateException("padding stands before all other positions");
        }
        boolean isPadded = Arrays.stream(counts).anyMatch(count -> count > 0);
        padding = isPadded ? manager.create(counts, new Shape(counts.length, 1, 1, 1)) : null;
    }

    /**
     * Tells whether a row begins with padding.
     *
     * @return true if one does
     */
    public boolean isPadded() {
        return padding != null;
    }

    /**
     * Numbers new positions, in each row from behind its padding.
     *
     * @param owner the manager of the result
     * @param added the number of positions, which are not written yet or not counted yet
     * @return an INT64 array of shape (batch, added), or of shape (1, added) where no row is padded
     */
    public NDArray positions(NDManager owner, long added) {
        try (NDArray columns = owner.arange(length, Math.toIntExact(length + added))) {
            if (padding == null) {
                try (NDArray row = columns.expandDims(0)) {
                    return row.toType(DataType.INT64, true);
                }
            }
            try (NDArray offsets = padding.reshape(-1, 1);
                    NDArray shifted = columns.sub(offsets);
                    NDArray positions = shifted.maximum(0)) {
                return positions.toType(DataType.INT64, true);
            }
        }
    }

    /**
     * Makes the mask of attention from new positions: each sees itself and what stands before it,
     * save padding.
     *
     * @param owner the manager of the result
     * @param added the number of positions, which are not written yet or not counted yet
     * @return a boolean array that broadcasts to (batch, heads, added, length + added), or null
     *     where causal attention, or that of one position to all, says the same
     */
    public NDArray mask(NDManager owner, long added) {
        if (padding == null && (length == 0 || added == 1)) {
            return null;
        }
        int end = Math.toIntExact(length + added);
        try (NDArray keys = owner.arange(end);
                NDArray row = owner.arange(length, end);
                NDArray queries = row.reshape(1, 1, added, 1)) {
            if (padding == null) {
                return queries.gte(keys);
            }
            return added == 1 ? keys.gte(padding) : paddedMask(queries, keys);
        }
    }

    /** Padding sees itself, so that no row of the softmax is empty. */
    private NDArray paddedMask(NDArray queries, NDArray keys) {
        try (NDArray causal = queries.gte(keys);
                NDArray tokens = keys.gte(padding);
                NDArray seen = causal.logicalAnd(tokens);
                NDArray itself = queries.eq(keys)) {
            return seen.logicalOr(itself);
        }
    }

    /**
     * Keeps what every step of a decoder needs of the encoder's output.
     *
     * @param layerKeys the keys of each layer, of shape (batch, heads, s, head size); the cache's
     *     from now on
     * @param layerValues the values of each layer, likewise
     * @param bias numbers to add to the scores, of shape (batch, 1, 1, s); likewise, or null
     */
    public void setMemory(NDList layerKeys, NDList layerValues, NDArray bias) {
        layerKeys.attach(manager);
        layerValues.attach(manager);
        memoryKeys = layerKeys.toArray(NDArray[]::new);
        memoryValues = layerValues.toArray(NDArray[]::new);
        memoryBias = bias;
        if (bias != null) {
            bias.attach(manager);
        }
    }

    /**
     * Returns the keys of the encoder's output.
     *
     * @param layer the number of the layer
     * @return keys of shape (batch, heads, s, head size), which stay the cache's
     */
    public NDArray memoryKeys(int layer) {
        return memoryKeys[layer];
    }

    /**
     * Returns the values of the encoder's output.
     *
     * @param layer the number of the layer
     * @return values of shape (batch, heads, s, head size), which stay the cache's
     */
    public NDArray memoryValues(int layer) {
        return memoryValues[layer];
    }

    /**
     * Returns what hides the padding of the encoder's input.
     *
     * @return numbers to add to the scores, of shape (batch, 1, 1, s), or null where no row is
     *     padded
     */
    public NDArray memoryBias() {
        return memoryBias;
    }

    /**
     * Keeps some rows and forgets the others.
     *
     * @param rows the rows to keep, in their new order; a row may be kept several times
     */
    public void keepRows(int[] rows) {
        try (NDArray index = index(rows)) {
            takePositions(index);
            if (padding != null) {
                padding = taken(padding, index);
            }
            if (memoryKeys != null) {
                Arrays.setAll(memoryKeys, i -> taken(memoryKeys[i], index));
                Arrays.setAll(memoryValues, i -> taken(memoryValues[i], index));
            }
            if (memoryBias != null) {
                memoryBias = taken(memoryBias, index);
            }
        }
    }

    /**
     * Gives rows the positions of others that follow the same prompt. What they have in common
     * stays where it is: their padding, and what an encoder has read.
     *
     * @param rows for each row the one whose positions it takes
     */
    public void moveRows(int[] rows) {
        try (NDArray index = index(rows)) {
            takePositions(index);
        }
    }

    private NDArray index(int[] rows) {
        return manager.create(Arrays.stream(rows).asLongStream().toArray());
    }

    private void takePositions(NDArray index) {
        for (int i = 0; i < keys.length; i++) {
            keys[i] = taken(keys[i], index);
            values[i] = taken(values[i], index);
        }
    }

    private void checkRoom(long added) {
        if (length + added > capacity) {
            throw new IllegalStateException(
                    "the cache has room for "
                            + capacity
                            + " positions, "
                            + (length + added)
                            + " are needed");
        }
    }

    private static NDArray taken(NDArray array, NDArray index) {
        try (array) {
            return TorchOps.takeRows(array, index);
        }
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
        checkRoom(k.getShape().get(2));
        TorchOps.writeAt(keys[layer], k, length);
        TorchOps.writeAt(values[layer], v, length);
    }

    /**
     * Returns the keys of a layer for an operation that writes the next position by itself.
     *
     * @param layer the number of the layer
     * @return keys of shape (batch, heads, capacity, head size), which stay the cache's
     * @throws IllegalStateException if there is no room for a position
     */
    public NDArray openKeys(int layer) {
        checkRoom(1);
        return keys[layer];
    }

    /**
     * Returns the values of a layer, as {@link #openKeys} does.
     *
     * @param layer the number of the layer
     * @return values of shape (batch, heads, capacity, head size), which stay the cache's
     */
    public NDArray openValues(int layer) {
        return values[layer];
    }

    /**
     * Returns a layer as every step of the generation runs it, prepared in the first.
     *
     * @param layer the number of the layer
     * @param weights gives its weights, or null where they do not say all of what it does
     * @return the layer, which stays the cache's, or null where there are no such weights
     */
    public DecodingOps.Layer prepared(int layer, Supplier<DecodingOps.LayerWeights> weights) {
        if (prepared[layer] == null) {
            DecodingOps.LayerWeights given = weights.get();
            prepared[layer] = given == null ? null : new DecodingOps.Layer(given, manager);
        }
        return prepared[layer];
    }

    /**
     * Returns the column of the next position for an operation that writes it.
     *
     * @return the length as an INT64 scalar on the CPU, which stays the cache's
     */
    public NDArray end() {
        if (end == null) {
            end = cpu.create((long) length);
        }
        return end;
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
        if (end != null) {
            end.close();
            end = null;
        }
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        manager.close();
    }
}

package io.github.loradjl.zoo.llama;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.torch.TorchOps;

import java.util.HashMap;
import java.util.Map;

/**
 * The cosines and sines of all positions met so far, one pair of tables for each device and type.
 *
 * <p>The tables live as long as the model's weights and grow by doubling; what a forward pass gets
 * is its own handle on a part of them, without a copy.
 */
final class RotaryTables {

    private static final int SMALLEST = 256;

    private final float[] frequencies;
    private final Map<Key, Table> tables = new HashMap<>();

    RotaryTables(float[] frequencies) {
        this.frequencies = frequencies;
    }

    private record Key(Device device, Object type) {}

    private record Table(int length, NDArray cos, NDArray sin) {}

    /**
     * Gives the rows of consecutive positions.
     *
     * @param like an array of the device and type that are wanted; the rows get its manager
     * @param owner the manager of the model's weights
     * @param from the first position
     * @param to the position after the last
     * @return cosines and sines, each of shape (to - from, head size)
     */
    synchronized NDList rows(NDArray like, NDManager owner, long from, long to) {
        Table table = table(like, owner, to);
        NDIndex rows = new NDIndex("{}:{}", from, to);
        return attached(like, table.cos.get(rows), table.sin.get(rows));
    }

    /**
     * Gives the rows of any positions.
     *
     * @param positions an INT64 array of shape (b, t)
     * @return cosines and sines, each of shape (b, 1, t, head size)
     */
    synchronized NDList gather(NDArray like, NDManager owner, NDArray positions, long largest) {
        Table table = table(like, owner, largest + 1);
        try (NDArray cos = TorchOps.embedding(table.cos, positions);
                NDArray sin = TorchOps.embedding(table.sin, positions)) {
            return attached(like, cos.expandDims(1), sin.expandDims(1));
        }
    }

    private static NDList attached(NDArray like, NDArray cos, NDArray sin) {
        cos.attach(like.getManager());
        sin.attach(like.getManager());
        return new NDList(cos, sin);
    }

    private Table table(NDArray like, NDManager owner, long needed) {
        Key key = new Key(like.getDevice(), like.getDataType());
        Table table = tables.get(key);
        if (table == null || table.length < needed || table.cos.isReleased()) {
            int length = SMALLEST;
            while (length < needed) {
                length *= 2;
            }
            if (table != null) {
                table.cos.close();
                table.sin.close();
            }
            table = new Table(length, make(like, owner, length, 0), make(like, owner, length, 1));
            tables.put(key, table);
        }
        return table;
    }

    /** Fills a table with cosines (phase 0) or sines (phase 1), once for each half of a head. */
    private NDArray make(NDArray like, NDManager owner, int length, int phase) {
        int half = frequencies.length;
        float[] values = new float[length * 2 * half];
        for (int position = 0; position < length; position++) {
            for (int i = 0; i < half; i++) {
                float angle = position * frequencies[i];
                float value = (float) (phase == 0 ? Math.cos(angle) : Math.sin(angle));
                values[position * 2 * half + i] = value;
                values[position * 2 * half + half + i] = value;
            }
        }
        // The copy belongs to LibTorch: a graph may outlive the handle on a table that has grown,
        // while an array over a Java buffer ends with its handle.
        Device device = like.getDevice();
        NDManager home = device.equals(owner.getDevice()) ? owner : owner.newSubManager(device);
        try (NDArray buffer = home.create(values, new Shape(length, 2 * half));
                NDArray cast = TorchOps.toTypeOf(buffer, like)) {
            return cast.duplicate();
        }
    }
}

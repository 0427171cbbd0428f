package io.github.loradjl.zoo.t5;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.torch.TorchOps;

/**
 * Sorts the distance from a query to a key into buckets: one for each short distance, wider ones
 * for longer distances, the last for all from a largest one on. The encoder has half of them for
 * keys behind the query; the decoder sees none of those.
 */
final class RelativePositions {

    private final int buckets;
    private final int maxDistance;
    private final boolean bidirectional;

    RelativePositions(T5Config config, boolean bidirectional) {
        buckets = bidirectional ? config.getBuckets() / 2 : config.getBuckets();
        maxDistance = config.getMaxDistance();
        this.bidirectional = bidirectional;
    }

    /**
     * Returns the bucket of a distance.
     *
     * @param distance the position of the key less that of the query
     */
    int bucket(int distance) {
        int offset = bidirectional && distance > 0 ? buckets : 0;
        int far = bidirectional ? Math.abs(distance) : Math.max(0, -distance);
        int exact = buckets / 2;
        if (far < exact) {
            return offset + far;
        }
        // In float32, as the original: where a bucket begins depends on the rounding.
        float steps = (float) Math.log(far / (float) exact);
        steps = steps / (float) Math.log((double) maxDistance / exact) * (buckets - exact);
        return offset + Math.min(buckets - 1, exact + (int) steps);
    }

    /**
     * Makes the buckets of all pairs.
     *
     * @param manager the owner of the result
     * @param from the position of the first query
     * @param queries the number of queries
     * @param keys the number of keys, which begin at position 0
     * @return an INT64 array of shape (queries, keys)
     */
    NDArray buckets(NDManager manager, int from, int queries, int keys) {
        int last = from + queries - 1;
        // From the first key as the last query sees it to the last key as the first one does.
        int[] byDistance = new int[last + keys - from];
        for (int i = 0; i < byDistance.length; i++) {
            byDistance[i] = bucket(i - last);
        }
        long[] all = new long[queries * keys];
        for (int q = 0; q < queries; q++) {
            for (int k = 0; k < keys; k++) {
                all[q * keys + k] = byDistance[k - (from + q) + last];
            }
        }
        return TorchOps.longs(manager, all, new Shape(queries, keys));
    }

    /**
     * Makes the mask by which a query sees itself and what stands before it.
     *
     * @return an INT64 array of shape (queries, keys), 1 where a query sees a key
     */
    static NDArray causal(NDManager manager, int from, int queries, int keys) {
        long[] seen = new long[queries * keys];
        for (int q = 0; q < queries; q++) {
            for (int k = 0; k <= from + q; k++) {
                seen[q * keys + k] = 1;
            }
        }
        return TorchOps.longs(manager, seen, new Shape(queries, keys));
    }
}

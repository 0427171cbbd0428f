package io.github.loradjl.torch;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;

/**
 * What a decoder does for one new position of each text, in few calls: the work is small there, and
 * what counts are the weights that are read and the number of operations.
 *
 * <p>Nothing here is recorded: call it with {@link GradientMode#off}. Everything else is as in
 * {@link TorchOps}.
 */
public final class DecodingOps {

    private static final String TEXT = "decoding_ops.py";

    /** LibTorch's own product. */
    private static final TorchModule PLAIN = new TorchModule(TEXT, "product_plain.py");

    /** One product for each 64 rows of the weight. */
    private static final TorchModule BLOCKS = new TorchModule(TEXT, "product_blocks.py");

    /** oneDNN's inner product. */
    private static final TorchModule INNER = new TorchModule(TEXT, "product_one_dnn.py");

    /** What the operations take for no mask, or for a weight that is joined to another. */
    private static final NDArray NONE = TorchModule.MANAGER.zeros(new Shape(0));

    /** The numbers of rows for which blocks are faster in float32. */
    private static final int FEWEST_FOR_BLOCKS = 4;

    private static final int MOST_FOR_BLOCKS = 8;

    /** The largest number of rows for which the inner product is faster in bfloat16. */
    private static final int MOST_FOR_INNER = 4;

    /**
     * The size in bytes up to which the weights of queries, keys and values are joined, 4 MiB: for
     * larger ones a product costs what it reads, and one is worth no copy.
     */
    private static final long MOST_TO_JOIN = 1 << 22;

    private DecodingOps() {}

    /** What LibTorch was built with, found out on first use. */
    private static final class Backend {

        /** LibTorch has MKL on this architecture alone. */
        static final boolean HAS_MKL =
                List.of("amd64", "x86_64")
                        .contains(System.getProperty("os.arch").toLowerCase(Locale.ROOT));

        static final boolean HAS_ONE_DNN = hasOneDnn();

        private Backend() {}

        /** Tries a product, as bfloat16 also takes a processor that oneDNN knows it on. */
        private static boolean hasOneDnn() {
            try (GradientMode mode = GradientMode.off();
                    NDManager manager = TorchModule.MANAGER.newSubManager();
                    NDArray ones = manager.ones(new Shape(1, 1));
                    NDArray x = TorchOps.toBfloat16(ones)) {
                INNER.one("linear", x, x).close();
                return true;
            } catch (EngineException e) {
                return false;
            }
        }
    }

    /**
     * The weights of a decoder layer, projections of shape (out, in).
     *
     * @param inputNorm the scale of the norm before attention
     * @param query makes h heads
     * @param key makes g heads where g divides h
     * @param value likewise
     * @param output joins the h heads
     * @param innerNorm the scale of the norm before the feed-forward part
     * @param gate the factor that goes through silu
     * @param up the other factor
     * @param down joins the inner part
     * @param eps the number added to the mean square in both norms
     */
    public record LayerWeights(
            NDArray inputNorm,
            NDArray query,
            NDArray key,
            NDArray value,
            NDArray output,
            NDArray innerNorm,
            NDArray gate,
            NDArray up,
            NDArray down,
            float eps) {}

    /**
     * A decoder layer as its positions go through it, one after the other: the weights of queries,
     * keys and values joined where that saves time.
     */
    public static final class Layer {

        private final NDArray[] arrays;

        /**
         * Prepares a layer.
         *
         * @param weights its weights, which must stay as they are
         * @param manager the owner of second handles on them and of what is joined
         */
        public Layer(LayerWeights weights, NDManager manager) {
            // Second handles have no names, which DJL would look at in each call.
            UnaryOperator<NDArray> handle = array -> TorchOps.alias(array, manager);
            NDList inputs = new NDList(weights.query, weights.key, weights.value);
            boolean isJoined = inputs.stream().mapToLong(Layer::bytes).sum() <= MOST_TO_JOIN;
            NDArray joined = isJoined ? NDArrays.concat(inputs) : null;
            if (isJoined) {
                joined.attach(manager);
            }
            arrays =
                    new NDArray[] {
                        TorchModule.scalar(Math.sqrt(weights.eps)),
                        handle.apply(weights.inputNorm),
                        isJoined ? joined : handle.apply(weights.query),
                        isJoined ? NONE : handle.apply(weights.key),
                        isJoined ? NONE : handle.apply(weights.value),
                        handle.apply(weights.output),
                        handle.apply(weights.innerNorm),
                        handle.apply(weights.gate),
                        handle.apply(weights.up),
                        handle.apply(weights.down)
                    };
        }

        private static long bytes(NDArray weight) {
            int each = weight.getDataType() == DataType.FLOAT32 ? Float.BYTES : Short.BYTES;
            return weight.getShape().size() * each;
        }
    }

    /**
     * The new position of each text in a layer.
     *
     * @param cos cosines of shape (1, d) or of b d numbers
     * @param sin sines likewise
     * @param column the column of the caches to write to, a scalar on the CPU; the columns before
     *     it are filled
     * @param mask true where a column may be seen, of shape (b, 1, 1, column + 1), or null where
     *     all are
     * @param keys the cache of keys, of shape (b, g, capacity, d); written to
     * @param values the cache of values, likewise
     */
    public record Position(
            NDArray cos, NDArray sin, NDArray column, NDArray mask, NDArray keys, NDArray values) {}

    /**
     * Computes x W<sup>T</sup> for few rows.
     *
     * @param x a matrix of shape (b, n)
     * @param weight an array of shape (m, n) and the type of {@code x}
     * @return a matrix of shape (b, m)
     */
    public static NDArray linear(NDArray x, NDArray weight) {
        return ops(x).one("linear", x, weight);
    }

    /**
     * Turns queries and keys by their position, as {@link TorchOps#rotary} does, writes keys and
     * values into the caches and attends to all that is there.
     *
     * @param q queries of shape (b, 1, h d)
     * @param k keys of shape (b, 1, g d) where g divides h
     * @param v values of shape (b, 1, g d)
     * @param position the new position
     * @return an array of shape (b, 1, h d)
     */
    public static NDArray attention(NDArray q, NDArray k, NDArray v, Position position) {
        return PLAIN.one(
                "attention",
                q,
                k,
                v,
                position.cos,
                position.sin,
                position.keys,
                position.values,
                position.column,
                maskOf(position));
    }

    /**
     * Runs a whole layer: attention and SwiGLU, each on the normalised hidden states and added to
     * them, all projections without bias.
     *
     * @param x hidden states of shape (b, 1, hidden size)
     * @param layer the layer, of the type of {@code x}
     * @param position the new position
     * @return an array of the shape of {@code x}
     */
    public static NDArray layer(NDArray x, Layer layer, Position position) {
        NDArray[] inputs = {
            x,
            position.cos,
            position.sin,
            position.keys,
            position.values,
            position.column,
            maskOf(position)
        };
        NDArray[] all = Arrays.copyOf(inputs, inputs.length + layer.arrays.length);
        System.arraycopy(layer.arrays, 0, all, inputs.length, layer.arrays.length);
        return ops(x).one("layer", all);
    }

    /**
     * Finds the largest number of each row.
     *
     * @param logits a matrix of shape (b, n)
     * @return those numbers, float32 of shape (b), NaN where a row has one; and the first column of
     *     each, INT64 of shape (b)
     */
    public static NDList largest(NDArray logits) {
        return PLAIN.run("largest", logits);
    }

    private static NDArray maskOf(Position position) {
        return position.mask == null ? NONE : position.mask;
    }

    /**
     * Chooses how to multiply by a weight. LibTorch's own product reads it more slowly than the
     * memory gives it: in bfloat16 with very few rows, where oneDNN's inner product does not, and
     * in float32 with a few, where MKL is faster with blocks of the weight.
     */
    private static TorchModule ops(NDArray x) {
        if (!x.getDevice().equals(Device.cpu())) {
            return PLAIN;
        }
        long rows = x.getShape().get(0);
        if (x.getDataType() == DataType.FLOAT32) {
            boolean isBetween = rows >= FEWEST_FOR_BLOCKS && rows <= MOST_FOR_BLOCKS;
            return isBetween && Backend.HAS_MKL ? BLOCKS : PLAIN;
        }
        boolean isBfloat16 = x.getDataType() == DataType.UNKNOWN;
        return isBfloat16 && rows <= MOST_FOR_INNER && Backend.HAS_ONE_DNN ? INNER : PLAIN;
    }
}

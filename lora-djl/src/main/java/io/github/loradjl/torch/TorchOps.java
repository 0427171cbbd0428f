package io.github.loradjl.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;

import java.util.List;

/**
 * LibTorch operations that DJL does not expose, one typed method each.
 *
 * <p>DJL reaches only a fixed list of tensor operations, but it can run any TorchScript module, and
 * LibTorch compiles such a module from plain text. The operations stand in {@code ops.py} beside
 * this class, in TorchScript's serialised dialect; the first use packs them into an archive, loads
 * it, and every method here is one call into it.
 *
 * <p>All operations record gradients when the calling thread does (see {@link GradientMode}), work
 * on any device, from any number of threads, and in float32 and bfloat16 unless stated. bfloat16 is
 * a type that DJL cannot name: such an array reads as {@link DataType#UNKNOWN}, and only casts of
 * this class make one. Results belong to the manager of the first argument.
 *
 * <p>TorchScript's graph optimizer is switched off in each calling thread, because it changes the
 * rounding of an operation after its first calls.
 */
public final class TorchOps {

    /** The label that {@link #crossEntropy} and {@link #nextTokenRows} skip. */
    public static final long IGNORE_INDEX = -100;

    private static final TorchModule OPS = new TorchModule("ops.py");

    private TorchOps() {}

    /**
     * Computes the thin singular value decomposition x = U diag(S) V<sup>T</sup>.
     *
     * @param x a float32 matrix of shape (m, n)
     * @return U of shape (m, k), S of shape (k) descending, V<sup>T</sup> of shape (k, n), with k =
     *     min(m, n)
     */
    public static NDList svd(NDArray x) {
        return run("svd", x);
    }

    /**
     * Computes the reduced QR decomposition x = Q R.
     *
     * @param x a float32 matrix of shape (m, n)
     * @return Q of shape (m, k) with orthonormal columns and R of shape (k, n), with k = min(m, n)
     */
    public static NDList qr(NDArray x) {
        return run("qr", x);
    }

    /**
     * Casts to float32.
     *
     * @param x an array of any type
     * @return a float32 array of the same shape; shares the memory of {@code x} if that is float32
     */
    public static NDArray toFloat32(NDArray x) {
        return one("to_float32", x);
    }

    /**
     * Casts to float16.
     *
     * @param x an array of any type
     * @return a float16 array of the same shape
     */
    public static NDArray toFloat16(NDArray x) {
        return one("to_float16", x);
    }

    /**
     * Casts to bfloat16.
     *
     * @param x an array of any type
     * @return a bfloat16 array of the same shape
     */
    public static NDArray toBfloat16(NDArray x) {
        return one("to_bfloat16", x);
    }

    /**
     * Casts to the type of another array.
     *
     * @param x the array to cast
     * @param like the array whose type is wanted
     * @return an array with the values of {@code x} and the type of {@code like}
     */
    public static NDArray toTypeOf(NDArray x, NDArray like) {
        return one("to_type_of", x, like);
    }

    /**
     * Copies stored bytes into an array of bfloat16 numbers.
     *
     * @param bytes an UINT8 array whose last dimension is 2 k
     * @return a bfloat16 array whose last dimension is k
     */
    public static NDArray bytesAsBfloat16(NDArray bytes) {
        return one("bytes_as_bfloat16", bytes);
    }

    /**
     * Reads bfloat16 numbers as the bytes that a file stores.
     *
     * @param x a bfloat16 array whose last dimension is k
     * @return an UINT8 array whose last dimension is 2 k
     */
    public static NDArray bfloat16AsBytes(NDArray x) {
        return one("bfloat16_as_bytes", x);
    }

    /**
     * Tells how many bytes one element takes, also where DJL does not know the type.
     *
     * @param x an array
     * @return the bytes of one element
     */
    public static int elementSize(NDArray x) {
        try (NDArray size = one("element_size", x)) {
            return (int) size.toLongArray()[0];
        }
    }

    /**
     * Computes scaled dot-product attention where each position sees itself and earlier ones.
     *
     * @param q queries of shape (b, h, t, d)
     * @param k keys of shape (b, g, t, d) where g divides h
     * @param v values of shape (b, g, t, d)
     * @return an array of shape (b, h, t, d)
     */
    public static NDArray causalAttention(NDArray q, NDArray k, NDArray v) {
        return one("attention_causal", q, k, v);
    }

    /**
     * Computes scaled dot-product attention.
     *
     * @param q queries of shape (b, h, t, d)
     * @param k keys of shape (b, g, s, d) where g divides h
     * @param v values of shape (b, g, s, d)
     * @param mask true where a query may see a key, or numbers to add to the scores, broadcast to
     *     (b, h, t, s); null to let every query see every key
     * @return an array of shape (b, h, t, d)
     */
    public static NDArray attention(NDArray q, NDArray k, NDArray v, NDArray mask) {
        if (mask == null) {
            return one("attention_full", q, k, v);
        }
        Shape shape = mask.getShape();
        // Where all queries of a row see the same keys, heads that share keys need no copies of
        // them.
        boolean isOfKeys = shape.dimension() == 4 && shape.get(1) == 1 && shape.get(2) == 1;
        return one(isOfKeys ? "attention_masked_keys" : "attention_masked", q, k, v, mask);
    }

    /**
     * Computes causal attention within each of several texts that stand one behind another. Heads
     * that share keys need no copies of them, and there is neither a mask nor padding.
     *
     * @param q queries of shape (n, h, d)
     * @param k keys of shape (n, g, d) where g divides h
     * @param v values of shape (n, g, d)
     * @param lengths the lengths of the texts, an INT64 vector on the CPU whose sum is n
     * @return an array of shape (n, h d)
     */
    public static NDArray textAttention(NDArray q, NDArray k, NDArray v, NDArray lengths) {
        return one("text_attention", q, k, v, lengths);
    }

    /**
     * Computes attention whose scores are the plain products of queries and keys plus a bias.
     *
     * @param q queries of shape (b, h, t, d)
     * @param k keys of shape (b, h, s, d)
     * @param v values of shape (b, h, s, d)
     * @param bias numbers to add to the scores, broadcast to (b, h, t, s) and differentiated; null
     *     to add nothing
     * @param dropout the share of attention weights to zero, in [0, 1)
     * @return an array of shape (b, h, t, d)
     * @see <a href="https://arxiv.org/abs/1910.10683">T5</a>
     */
    public static NDArray biasedAttention(
            NDArray q, NDArray k, NDArray v, NDArray bias, double dropout) {
        NDArray rate = TorchModule.scalar(dropout);
        return bias == null
                ? one("attention_unscaled", q, k, v, rate)
                : one("attention_biased", q, k, v, bias, rate);
    }

    /**
     * Looks up the bias of attention by the distance of two positions.
     *
     * @param table the biases, of shape (buckets, h)
     * @param buckets an INT64 array of shape (t, s)
     * @return an array of shape (1, h, t, s)
     * @see <a href="https://arxiv.org/abs/1910.10683">T5</a>
     */
    public static NDArray positionBias(NDArray table, NDArray buckets) {
        // As for an embedding, the result belongs with the indices.
        NDArray result = one("position_bias", table, buckets);
        result.attach(buckets.getManager());
        return result;
    }

    /**
     * Makes numbers to add to attention scores so small that nothing is seen there. They stay
     * finite: a query that sees no key at all sees every key alike.
     *
     * @param bias an array of numbers to add
     * @param seen zero where nothing may be seen; broadcasts with {@code bias}
     * @return an array of their common shape
     */
    public static NDArray hide(NDArray bias, NDArray seen) {
        return one("hide", bias, seen);
    }

    /**
     * Multiplies by a constant. DJL's own {@code mul(Number)} must not be recorded: the graph would
     * refer to the number's memory, which ends with the call.
     *
     * @param x an array
     * @param factor one of a few constants; each is kept
     * @return an array of the shape and type of {@code x}
     */
    public static NDArray scale(NDArray x, double factor) {
        return one("scale", x, TorchModule.scalar(factor));
    }

    /**
     * Normalises by the root mean square, computed in float32, and scales: {@code weight * x /
     * sqrt(mean(x^2) + eps)}.
     *
     * @param x an array of shape (..., d)
     * @param weight an array of shape (d)
     * @param eps the number added to the mean square
     * @return an array of the shape of {@code x}
     * @see <a href="https://arxiv.org/abs/1910.07467">Root Mean Square Layer Normalization</a>
     */
    public static NDArray rmsNorm(NDArray x, NDArray weight, float eps) {
        return one("rms_norm", x, weight, TorchModule.scalar(eps));
    }

    /**
     * Computes {@code silu(gate) * up}, the inner part of a SwiGLU layer.
     *
     * @param gate an array
     * @param up an array of the same shape
     * @return an array of the same shape
     * @see <a href="https://arxiv.org/abs/2002.05202">GLU Variants Improve Transformer</a>
     */
    public static NDArray siluProduct(NDArray gate, NDArray up) {
        return one("silu_product", gate, up);
    }

    /**
     * Computes {@code gelu(gate) * up}, the inner part of a GEGLU layer, with the approximation of
     * gelu by tanh.
     *
     * @param gate an array
     * @param up an array of the same shape
     * @return an array of the same shape
     * @see <a href="https://arxiv.org/abs/2002.05202">GLU Variants Improve Transformer</a>
     */
    public static NDArray geluProduct(NDArray gate, NDArray up) {
        return one("gelu_product", gate, up);
    }

    /**
     * Turns the two halves of each head by position-dependent angles.
     *
     * @param x an array of shape (b, h, t, d)
     * @param cos cosines, broadcast to (b, h, t, d), in the type of {@code x}
     * @param sin sines likewise
     * @return an array of the shape of {@code x}
     * @see <a href="https://arxiv.org/abs/2104.09864">RoFormer</a>
     */
    public static NDArray rotary(NDArray x, NDArray cos, NDArray sin) {
        return one("rotary", x, cos, sin);
    }

    /**
     * Computes the mean cross-entropy in float32 over rows whose label is not {@link
     * #IGNORE_INDEX}.
     *
     * @param logits an array of shape (k, classes)
     * @param labels an INT64 array of shape (k)
     * @return a float32 scalar; NaN if every label is ignored
     */
    public static NDArray crossEntropy(NDArray logits, NDArray labels) {
        return one("cross_entropy_mean", logits, labels);
    }

    /**
     * Computes the cross-entropy of each row in float32.
     *
     * @param logits an array of shape (k, classes)
     * @param labels an INT64 array of shape (k)
     * @return a float32 array of shape (k), 0 where the label is {@link #IGNORE_INDEX}
     */
    public static NDArray crossEntropyEach(NDArray logits, NDArray labels) {
        return one("cross_entropy_each", logits, labels);
    }

    /**
     * Computes the sum of the cross-entropy in float32 over rows whose label is not {@link
     * #IGNORE_INDEX}.
     *
     * @param logits an array of shape (k, classes)
     * @param labels an INT64 array of shape (k)
     * @return a float32 scalar
     */
    public static NDArray crossEntropySum(NDArray logits, NDArray labels) {
        return one("cross_entropy_sum", logits, labels);
    }

    /**
     * Tells whether a backward pass would reach an array. DJL's {@code hasGradient} knows this only
     * of parameters, not of what was computed from them.
     *
     * @param x an array
     * @return true if it requires a gradient or was recorded from an array that does
     */
    public static boolean requiresGradient(NDArray x) {
        try (NDArray answer = one("requires_gradient", x)) {
            return answer.toBooleanArray()[0];
        }
    }

    /**
     * Computes the sum of the cross-entropy in float32 together with its gradient, without
     * recording.
     *
     * @param logits an array of shape (k, classes); if it is float32, its memory becomes that of
     *     the gradient
     * @param labels an INT64 array of shape (k), none of them {@link #IGNORE_INDEX}
     * @return a float32 scalar, and its derivative by the logits in their shape and type
     */
    public static NDList crossEntropyGradient(NDArray logits, NDArray labels) {
        try (GradientMode mode = GradientMode.off()) {
            return run("cross_entropy_gradient", logits, labels);
        }
    }

    /**
     * Counts the rows in which no logit is larger than that of the label.
     *
     * @param logits an array of shape (k, classes)
     * @param labels an INT64 array of shape (k), none of them {@link #IGNORE_INDEX}
     * @return a float32 scalar
     */
    public static NDArray countLargest(NDArray logits, NDArray labels) {
        return one("count_largest", logits, labels);
    }

    /**
     * Gives a number that was computed without recording a gradient that is known.
     *
     * @param x the array that the number depends on
     * @param value a float32 scalar
     * @param gradient the derivative of {@code value} by {@code x}, in the shape of {@code x}
     * @return {@code value}, whose backward pass hands {@code gradient} to {@code x}
     */
    public static NDArray withGradient(NDArray x, NDArray value, NDArray gradient) {
        return one("with_gradient", x, value, gradient);
    }

    /**
     * Gathers the positions that predict a token: position i of a row predicts label i + 1, and
     * those with {@link #IGNORE_INDEX} are left out.
     *
     * @param x an array of shape (b, t, d)
     * @param labels an INT64 array of shape (b, t), not shifted
     * @return the k kept positions of {@code x}, of shape (k, d), and their labels, of shape (k)
     */
    public static NDList nextTokenRows(NDArray x, NDArray labels) {
        return run("next_token_rows", x, labels);
    }

    /**
     * Gathers the positions that predict a token where what stands in a batch is kept elsewhere.
     *
     * @param x an array of n rows of width d in all
     * @param labels an INT64 array of shape (b, t), not shifted
     * @param rows the row of each position, an INT64 array of shape (b, t), -1 where it has none;
     *     such a position predicts nothing
     * @return the k kept rows of {@code x}, of shape (k, d), and their labels, of shape (k)
     */
    public static NDList nextTokenRows(NDArray x, NDArray labels, NDArray rows) {
        return run("next_token_kept_rows", x, labels, rows);
    }

    /**
     * Puts rows in their places in a batch.
     *
     * @param x an array of n rows of width d in all
     * @param rows the row of each place, an INT64 array of shape (b, t), -1 where it has none and
     *     gets that of another
     * @return an array of shape (b, t, d)
     */
    public static NDArray spreadRows(NDArray x, NDArray rows) {
        return one("spread_rows", x, rows);
    }

    /**
     * Gathers the positions that have a label of their own, all but those with {@link
     * #IGNORE_INDEX}.
     *
     * @param x an array of shape (b, t, d)
     * @param labels an INT64 array of shape (b, t)
     * @return the k kept positions of {@code x}, of shape (k, d), and their labels, of shape (k)
     */
    public static NDList labelledRows(NDArray x, NDArray labels) {
        return run("labelled_rows", x, labels);
    }

    /**
     * Looks up rows of a table.
     *
     * @param weight the table, of shape (rows, d)
     * @param ids an INT64 array of any shape
     * @return an array of the shape of {@code ids} with d appended
     */
    public static NDArray embedding(NDArray weight, NDArray ids) {
        // The result belongs with the ids, which live as long as the batch.
        NDArray result = one("embedding", weight, ids);
        result.attach(ids.getManager());
        return result;
    }

    /**
     * Copies some rows of an array of any type.
     *
     * @param x an array of shape (n, ...)
     * @param rows an INT64 array of shape (k), on the device of {@code x}
     * @return an array of shape (k, ...)
     */
    public static NDArray takeRows(NDArray x, NDArray rows) {
        return one("take_rows", x, rows);
    }

    /**
     * Computes x W<sup>T</sup>.
     *
     * @param x an array of shape (..., n)
     * @param weight an array of shape (m, n) and the type of {@code x}
     * @return an array of shape (..., m)
     */
    public static NDArray linear(NDArray x, NDArray weight) {
        return one("linear", x, weight);
    }

    /**
     * Computes x W<sup>T</sup> + scaling x A<sup>T</sup> B<sup>T</sup> without forming the update
     * of W.
     *
     * @param x an array of shape (..., n)
     * @param weight the frozen weight W, of shape (m, n) and the type of {@code x}
     * @param a A, of shape (r, n); cast to the type of {@code x}
     * @param b B, of shape (m, r); cast to the type of {@code x}
     * @param scaling eta
     * @return an array of shape (..., m)
     * @see <a href="https://arxiv.org/abs/2106.09685">LoRA</a>
     */
    public static NDArray loraLinear(
            NDArray x, NDArray weight, NDArray a, NDArray b, double scaling) {
        return one("lora_linear", x, weight, a, b, TorchModule.scalar(scaling));
    }

    /**
     * Computes y + scaling x A<sup>T</sup> B<sup>T</sup>.
     *
     * @param y an array of shape (..., m)
     * @param x an array of shape (..., n)
     * @param a A, of shape (r, n)
     * @param b B, of shape (m, r)
     * @param scaling eta
     * @return an array of shape (..., m)
     */
    public static NDArray addLora(NDArray y, NDArray x, NDArray a, NDArray b, double scaling) {
        return one("add_lora", y, x, a, b, TorchModule.scalar(scaling));
    }

    /**
     * Computes y + scaling (x A<sup>T</sup> B<sup>T</sup> - x A0<sup>T</sup> B0<sup>T</sup>). While
     * A = A0 and B = B0 the result is {@code y} to the last bit.
     *
     * <p>All products are of two matrices: for arrays of more dimensions LibTorch would choose
     * another product, which rounds differently, where a factor requires a gradient.
     *
     * @param y an array of shape (..., m)
     * @param x an array of shape (..., n)
     * @param a A, of shape (r, n)
     * @param b B, of shape (m, r)
     * @param a0 the A that training started from
     * @param b0 the B that training started from
     * @param scaling eta
     * @return an array of shape (..., m)
     */
    public static NDArray addLoraDifference(
            NDArray y, NDArray x, NDArray a, NDArray b, NDArray a0, NDArray b0, double scaling) {
        return one("add_lora_difference", y, x, a, b, a0, b0, TorchModule.scalar(scaling));
    }

    /**
     * Zeroes elements at random and scales the others by 1 / (1 - rate), drawing from LibTorch's
     * generator.
     *
     * @param x an array
     * @param rate the share of elements to zero, in [0, 1)
     * @return an array of the same shape
     */
    public static NDArray dropout(NDArray x, double rate) {
        return one("dropout", x, TorchModule.scalar(rate));
    }

    /**
     * Sums the products of the elements of two arrays, in float32.
     *
     * @param x an array
     * @param y an array of the same shape
     * @return a float32 scalar
     */
    public static NDArray inner(NDArray x, NDArray y) {
        return one("inner", x, y);
    }

    /**
     * Sums the squares of the elements in double precision.
     *
     * @param x an array
     * @return the squared Frobenius norm
     */
    public static double squareSum(NDArray x) {
        try (NDArray sum = one("square_sum", x)) {
            return sum.toDoubleArray()[0];
        }
    }

    /**
     * Computes the norm of all elements of several arrays together.
     *
     * @param arrays float32 arrays
     * @return the root of the sum of all squares
     */
    public static float globalNorm(List<NDArray> arrays) {
        try (NDArray norm = onList("global_norm", arrays, TorchModule.scalar(0))) {
            return norm.toFloatArray()[0];
        }
    }

    /**
     * Multiplies all elements of several arrays in place.
     *
     * @param arrays float32 arrays
     * @param factor the factor
     */
    public static void scaleAll(List<NDArray> arrays, double factor) {
        try (NDArray f = TorchModule.MANAGER.create(factor)) {
            onList("scale_all", arrays, f).close();
        }
    }

    /**
     * Makes one AdamW update in place, with the semantics of {@code torch.optim.AdamW}: decay
     * first, eps added after the bias-corrected root.
     *
     * @param weight the weight to update
     * @param gradient its gradient
     * @param mean the first moment, updated in place
     * @param square the second moment, updated in place
     * @param hyper seven FLOAT64 numbers on the CPU: learning rate, beta1, beta2, eps, weight
     *     decay, 1 - beta1<sup>t</sup>, sqrt(1 - beta2<sup>t</sup>)
     * @see <a href="https://arxiv.org/abs/1711.05101">Decoupled Weight Decay Regularization</a>
     */
    public static void adamw(
            NDArray weight, NDArray gradient, NDArray mean, NDArray square, NDArray hyper) {
        try (GradientMode mode = GradientMode.off()) {
            one("adamw", weight, gradient, mean, square, hyper).close();
        }
    }

    /**
     * Sets the gradient of an array to zero, whatever it holds; without one, does nothing.
     *
     * @param weight an array that requires a gradient
     */
    public static void zeroGradient(NDArray weight) {
        JniUtils.zeroGrad((PtNDArray) weight);
    }

    /**
     * Writes the elements of an array into the memory of another. DJL's {@code copyTo} may give the
     * handle other memory instead, which no alias and no holder of the old memory sees.
     *
     * @param into the array to overwrite, on any device and of any floating type
     * @param from an array of the same shape
     * @throws IllegalArgumentException if the shapes differ
     */
    public static void copyInto(NDArray into, NDArray from) {
        if (!into.getShape().equals(from.getShape())) {
            throw new IllegalArgumentException(
                    "cannot copy an array of shape "
                            + from.getShape()
                            + " into one of shape "
                            + into.getShape());
        }
        try (GradientMode mode = GradientMode.off()) {
            one("copy_into", into, from).close();
        }
    }

    /**
     * Writes rows into a cache in place.
     *
     * @param cache an array of shape (b, g, capacity, d)
     * @param x an array of shape (b, g, t, d)
     * @param position the first index of the third dimension to write to
     */
    public static void writeAt(NDArray cache, NDArray x, long position) {
        try (NDArray at = TorchModule.MANAGER.create(position)) {
            one("write_at", cache, x, at).close();
        }
    }

    /**
     * Views the first rows of a cache, without a copy.
     *
     * @param cache an array of shape (b, g, capacity, d)
     * @param length the number of rows of the third dimension to view
     * @return a view of shape (b, g, length, d)
     */
    public static NDArray readTo(NDArray cache, long length) {
        try (NDArray n = TorchModule.MANAGER.create(length)) {
            return one("read_to", cache, n);
        }
    }

    /**
     * Runs the backward pass of a recorded scalar and frees its graph. Unlike DJL's gradient
     * collector it can run while another collector is open.
     *
     * @param target a recorded scalar
     */
    public static void backward(NDArray target) {
        try (NDArray one = target.onesLike()) {
            JniUtils.backward((PtNDArray) target, (PtNDArray) one, false, false);
        }
    }

    /**
     * Returns the gradient that backward passes have accumulated in an array.
     *
     * @param array an array that requires a gradient
     * @return a handle on the gradient, which belongs to the array's manager, or null if no
     *     backward pass reached the array
     */
    public static NDArray gradientOf(NDArray array) {
        return JniUtils.getGradient((PtNDArray) array);
    }

    /**
     * Seeds LibTorch's generator, and nothing else.
     *
     * @param seed the seed
     */
    public static void seed(long seed) {
        JniUtils.setSeed(seed);
    }

    /**
     * Makes an array that a graph may refer to after its handle is closed. An array that DJL makes
     * from Java's numbers lies in Java's memory, which ends some time after the handle does, while
     * LibTorch goes on reading there.
     *
     * @param manager the owner of the array
     * @param values the numbers
     * @param shape their shape
     * @return an INT64 array
     */
    public static NDArray longs(NDManager manager, long[] values, Shape shape) {
        try (NDArray borrowed = manager.create(values, shape)) {
            return borrowed.duplicate();
        }
    }

    /**
     * Makes an array in memory of LibTorch's own. That of Java's numbers is aligned by chance, and
     * products of matrices round by the alignment: the same numbers could differ in their last bits
     * from run to run.
     *
     * @param manager the owner of the array, whose device it is placed on
     * @param values the numbers
     * @param shape their shape
     * @return a float32 array
     */
    public static NDArray floats(NDManager manager, float[] values, Shape shape) {
        try (NDArray borrowed = manager.create(values, shape)) {
            return borrowed.duplicate();
        }
    }

    /**
     * Makes a second handle on the same memory that is not connected to any graph.
     *
     * @param x an array
     * @param manager the manager that shall own the handle
     * @return the handle
     */
    public static NDArray alias(NDArray x, NDManager manager) {
        NDArray alias = x.stopGradient();
        alias.attach(manager);
        return alias;
    }

    /**
     * Makes second handles on the memory of several arrays.
     *
     * @param list arrays
     * @param manager the manager that shall own the handles
     * @return the handles
     * @see #alias
     */
    public static NDList aliases(NDList list, NDManager manager) {
        NDList aliases = new NDList(list.size());
        list.forEach(x -> aliases.add(alias(x, manager)));
        return aliases;
    }

    /**
     * Creates zeros of any floating point type, also where DJL cannot name it.
     *
     * @param manager the owner, whose device the array is placed on
     * @param shape the shape
     * @param like the array whose type is wanted, bfloat16 included
     * @return zeros of the type of {@code like}
     */
    public static NDArray zerosLike(NDManager manager, Shape shape, NDArray like) {
        NDArray zeros = manager.zeros(shape, DataType.FLOAT32);
        if (like.getDataType() == DataType.FLOAT32) {
            return zeros;
        }
        try (zeros) {
            return toTypeOf(zeros, like);
        }
    }

    private static NDArray onList(String method, List<NDArray> arrays, NDArray last) {
        try (GradientMode mode = GradientMode.off()) {
            return OPS.onList(method, arrays, last).singletonOrThrow();
        }
    }

    private static NDArray one(String method, NDArray... inputs) {
        return OPS.one(method, inputs);
    }

    private static NDList run(String method, NDArray... inputs) {
        return OPS.run(method, inputs);
    }
}

package io.github.loradjl.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;

import java.util.ArrayList;
import java.util.List;

/**
 * Forward passes together with their backward passes by formula, for code that keeps by itself what
 * the backward pass needs, instead of a recorded graph that would keep each intermediate.
 *
 * <p>Nothing here is recorded: call it with {@link GradientMode#off}. Matrices have a row for each
 * token. Many methods write to an argument of theirs, which is then said. Everything else is as in
 * {@link TorchOps}.
 */
public final class BackwardOps {

    /**
     * The number of queries of a text whose attention is taken at once: fewer compute less of what
     * later keys hide, more make larger products, which bfloat16 needs.
     */
    private static final int QUERIES_FLOAT32 = 64;

    private static final int QUERIES_NARROW = 128;

    /** The number of scores taken at once of texts of one length, 8 MiB. */
    private static final int SCORES = 1 << 21;

    private static final TorchModule OPS = new TorchModule("backward_ops.py");

    private BackwardOps() {}

    /**
     * Computes {@code weight * x * scale} with {@code scale = 1 / sqrt(mean(x^2) + eps)}, as {@link
     * TorchOps#rmsNorm} does.
     *
     * @param x a matrix of shape (n, d)
     * @param weight an array of shape (d)
     * @param eps the number added to the mean square
     * @return the normalised rows, and the scales, float32 of shape (n, 1)
     */
    public static NDList rmsNorm(NDArray x, NDArray weight, float eps) {
        return OPS.run("rms_norm", x, weight, TorchModule.scalar(eps));
    }

    /**
     * Normalises again with known scales.
     *
     * @param x a matrix of shape (n, d)
     * @param weight an array of shape (d)
     * @param scale the scales
     * @return the normalised rows
     */
    public static NDArray rmsNormAgain(NDArray x, NDArray weight, NDArray scale) {
        return OPS.one("rms_norm_again", x, weight, scale);
    }

    /**
     * Computes the gradient of the rows that were normalised: with g = dy weight, {@code scale (g -
     * x scale^2 mean(g x))}, and adds the gradient that reaches them on another way.
     *
     * @param dy the gradient of the normalised rows; overwritten
     * @param x the rows
     * @param weight the weight
     * @param scale the scales
     * @param residual a gradient to add, of the shape of {@code x}
     * @return the gradient of {@code x}
     */
    public static NDArray rmsNormBackward(
            NDArray dy, NDArray x, NDArray weight, NDArray scale, NDArray residual) {
        return OPS.one("rms_norm_backward", dy, x, weight, scale, residual);
    }

    /**
     * Computes {@code silu(gate) * up}.
     *
     * @param gate a matrix
     * @param up a matrix of the same shape
     * @return the product
     */
    public static NDArray siluProduct(NDArray gate, NDArray up) {
        return OPS.one("silu_product", gate, up);
    }

    /**
     * Computes both what {@link #siluProduct} gave and what its backward pass begins with.
     *
     * @param gate a matrix
     * @param up a matrix of the same shape
     * @return {@code silu(gate)}, and the product
     */
    public static NDList siluProductAgain(NDArray gate, NDArray up) {
        return OPS.run("silu_product_again", gate, up);
    }

    /**
     * Computes the gradients of gate and up.
     *
     * @param dy the gradient of the product; becomes the gradient of the gate
     * @param silu {@code silu(gate)}; becomes the gradient of up
     * @param gate the gate
     * @param up the other factor
     * @return the gradients of gate and up, second handles on {@code dy} and {@code silu}
     */
    public static NDList siluProductBackward(NDArray dy, NDArray silu, NDArray gate, NDArray up) {
        return OPS.run("silu_product_backward", dy, silu, gate, up);
    }

    /**
     * Computes x W<sup>T</sup> + b.
     *
     * @param x a matrix of shape (n, in)
     * @param weight W, of shape (out, in)
     * @param bias b, of shape (out), or null
     * @return a matrix of shape (n, out)
     */
    public static NDArray linear(NDArray x, NDArray weight, NDArray bias) {
        return bias == null
                ? OPS.one("linear", x, weight)
                : OPS.one("linear_bias", x, weight, bias);
    }

    /**
     * Computes dy W, the gradient of the input of a linear layer.
     *
     * @param dy a matrix of shape (n, out)
     * @param weight W, of shape (out, in)
     * @return a matrix of shape (n, in)
     */
    public static NDArray product(NDArray dy, NDArray weight) {
        return OPS.one("product", dy, weight);
    }

    /**
     * Adds dy W in place.
     *
     * @param dx a matrix of shape (n, in); written to
     * @param dy a matrix of shape (n, out)
     * @param weight W, of shape (out, in), cast to the type of {@code dx}
     */
    public static void addProduct(NDArray dx, NDArray dy, NDArray weight) {
        OPS.one("add_product", dx, dy, weight).close();
    }

    /**
     * Adds h A in place, as far as the input was not dropped.
     *
     * @param dx a matrix of shape (n, in); written to
     * @param h a matrix of shape (n, r)
     * @param a A, of shape (r, in)
     * @param mask what was kept, of shape (n, in)
     * @param rate the share that was dropped
     */
    public static void addDroppedProduct(
            NDArray dx, NDArray h, NDArray a, NDArray mask, double rate) {
        OPS.one("add_dropped_product", dx, h, a, mask, TorchModule.scalar(rate)).close();
    }

    /**
     * Zeroes elements at random, as {@link TorchOps#dropout} does.
     *
     * @param x a matrix
     * @param rate the share to zero
     * @return the matrix with the others scaled, and true where they are kept
     */
    public static NDList dropout(NDArray x, double rate) {
        return OPS.run("dropout", x, TorchModule.scalar(rate));
    }

    /**
     * Drops the same elements again.
     *
     * @param x a matrix
     * @param mask where elements are kept
     * @param rate the share that was dropped
     * @return the matrix with the others scaled
     */
    public static NDArray dropped(NDArray x, NDArray mask, double rate) {
        return OPS.one("dropped", x, mask, TorchModule.scalar(rate));
    }

    /**
     * Adds scaling x A<sub>i</sub><sup>T</sup> B<sub>i</sub><sup>T</sup> to several outputs in
     * place.
     *
     * @param ys matrices of shapes (n, m<sub>i</sub>); written to, and one may come twice
     * @param x a matrix of shape (n, in)
     * @param a the A<sub>i</sub>, one below the other, of shape (sum of r<sub>i</sub>, in), float32
     * @param bs the B<sub>i</sub>, of shapes (m<sub>i</sub>, r<sub>i</sub>), float32
     * @param scaling eta
     * @return scaling x A<sup>T</sup>, which the backward pass needs
     */
    public static NDArray addLoras(
            List<NDArray> ys, NDArray x, NDArray a, List<NDArray> bs, double scaling) {
        NDArray eta = TorchModule.scalar(scaling);
        return OPS.onList("add_loras", joined(ys, bs), x, a, eta).singletonOrThrow();
    }

    /**
     * Adds scaling (x A<sub>i</sub><sup>T</sup> B<sub>i</sub><sup>T</sup> - x
     * A0<sub>i</sub><sup>T</sup> B0<sub>i</sub><sup>T</sup>) to several outputs in place; zero to
     * the last bit while A = A0 and B = B0.
     *
     * @param ys matrices of shapes (n, m<sub>i</sub>); written to, and one may come twice
     * @param x a matrix of shape (n, in)
     * @param a the A<sub>i</sub>, one below the other, float32
     * @param bs the B<sub>i</sub>, float32
     * @param a0 the A<sub>i</sub> that training started from, one below the other
     * @param b0s the B<sub>i</sub> that training started from
     * @param scaling eta
     * @return scaling x A<sup>T</sup>, which the backward pass needs
     */
    public static NDArray addLoraDifferences(
            List<NDArray> ys,
            NDArray x,
            NDArray a,
            List<NDArray> bs,
            NDArray a0,
            List<NDArray> b0s,
            double scaling) {
        NDArray eta = TorchModule.scalar(scaling);
        return OPS.onList("add_lora_differences", joined(ys, bs, b0s), x, a, a0, eta)
                .singletonOrThrow();
    }

    /**
     * Computes scaling dy<sub>i</sub> B<sub>i</sub>, side by side: what the gradient of A begins
     * with, and whose product with A is that of the input.
     *
     * @param dys matrices of shapes (n, m<sub>i</sub>)
     * @param bs the B<sub>i</sub>, of shapes (m<sub>i</sub>, r<sub>i</sub>)
     * @param scaling the factor
     * @return a matrix of shape (n, sum of r<sub>i</sub>)
     */
    public static NDArray scaledProducts(List<NDArray> dys, List<NDArray> bs, double scaling) {
        NDArray eta = TorchModule.scalar(scaling);
        return OPS.onList("scaled_products", joined(dys, bs), eta).singletonOrThrow();
    }

    /**
     * Computes scaling x A<sup>T</sup>.
     *
     * @param x a matrix of shape (n, in)
     * @param a the A<sub>i</sub>, one below the other, float32
     * @param scaling the factor
     * @return a matrix of shape (n, sum of r<sub>i</sub>) and the type of {@code x}
     */
    public static NDArray reduced(NDArray x, NDArray a, double scaling) {
        return OPS.one("reduced", x, a, TorchModule.scalar(scaling));
    }

    /**
     * Computes the gradients of A<sub>i</sub>, h<sub>i</sub><sup>T</sup> x.
     *
     * @param h the {@link #scaledProducts}
     * @param x the input, of shape (n, in)
     * @param bs the B<sub>i</sub>, whose ranks divide the columns of {@code h}
     * @return for each a matrix of shape (r<sub>i</sub>, in), float32
     */
    public static NDList aGradients(NDArray h, NDArray x, List<NDArray> bs) {
        return OPS.onList("a_gradients", bs, h, x);
    }

    /**
     * Computes the gradients of B<sub>i</sub>, dy<sub>i</sub><sup>T</sup> (scaling x
     * A<sub>i</sub><sup>T</sup>).
     *
     * @param dys the gradients of the layers' outputs, of shapes (n, m<sub>i</sub>)
     * @param xa scaling x A<sup>T</sup>
     * @param bs the B<sub>i</sub>, whose ranks divide the columns of {@code xa}
     * @return for each a matrix of shape (m<sub>i</sub>, r<sub>i</sub>), float32
     */
    public static NDList bGradients(List<NDArray> dys, NDArray xa, List<NDArray> bs) {
        return OPS.onList("b_gradients", joined(dys, bs), xa);
    }

    @SafeVarargs
    private static List<NDArray> joined(List<NDArray>... lists) {
        List<NDArray> all = new ArrayList<>();
        for (List<NDArray> list : lists) {
            all.addAll(list);
        }
        return all;
    }

    /**
     * Turns the two halves of each head in place, as {@link TorchOps#rotary} does.
     *
     * @param x an array of shape (n, heads, d); written to
     * @param cos cosines of shape (t, d) where n is a multiple of t, or of n d numbers in all
     * @param sin sines likewise
     */
    public static void rotary(NDArray x, NDArray cos, NDArray sin) {
        OPS.one("rotary", x, cos, sin).close();
    }

    /**
     * Turns the two halves of each head back in place: what {@link #rotary} does to a gradient.
     *
     * @param x an array of shape (n, heads, d); written to
     * @param cos cosines as above
     * @param sin sines as above
     */
    public static void rotaryBackward(NDArray x, NDArray cos, NDArray sin) {
        OPS.one("rotary_backward", x, cos, sin).close();
    }

    /**
     * Computes the gradients of {@link TorchOps#textAttention}. The scores are computed again, a
     * block of queries at a time, in float32: P = softmax(q k<sup>T</sup> / sqrt(d)), dP = do
     * v<sup>T</sup>, dS = P (dP - rowsum(dP P)), dq = dS k / sqrt(d), dk = dS<sup>T</sup> q /
     * sqrt(d), dv = P<sup>T</sup> do.
     *
     * @param dy the gradient of the output, of shape (n, h d)
     * @param q queries of shape (n, h, d)
     * @param k keys of shape (n, g, d)
     * @param v values of shape (n, g, d)
     * @param lengths the lengths of the texts
     * @return the gradients of q, k and v, of shapes (n, h d), (n, g d), (n, g d)
     * @see <a href="https://arxiv.org/abs/2205.14135">FlashAttention</a>
     */
    public static NDList textAttentionBackward(
            NDArray dy, NDArray q, NDArray k, NDArray v, NDArray lengths) {
        boolean wide = q.getDataType() == DataType.FLOAT32;
        NDArray block = TorchModule.scalar(wide ? QUERIES_FLOAT32 : QUERIES_NARROW);
        NDArray scores = TorchModule.scalar(SCORES);
        return OPS.run("attention_backward", dy, q, k, v, lengths, block, scores);
    }

    /**
     * Makes one vector of all elements of several arrays.
     *
     * @param arrays float32 arrays, at least one
     * @return a vector, which belongs to the manager of the first
     */
    public static NDArray flattened(List<NDArray> arrays) {
        return OPS.onList("flattened", arrays, TorchModule.scalar(0)).singletonOrThrow();
    }

    /**
     * Gives a number that was computed without recording the gradients that are known. Unlike
     * everything else here this is recorded.
     *
     * @param arrays float32 arrays that the number depends on
     * @param value a float32 scalar
     * @param gradient its derivative by all elements of the arrays, one vector
     * @return {@code value}, whose backward pass hands each array its part of {@code gradient}
     */
    public static NDArray withGradients(List<NDArray> arrays, NDArray value, NDArray gradient) {
        NDArray result = OPS.onList("with_gradients", arrays, value, gradient).singletonOrThrow();
        result.attach(value.getManager());
        return result;
    }
}

package io.github.loradjl.torch;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.testing.Distance;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.SplittableRandom;

/** Attention, its masks and caches, and rotary embeddings against an explicit softmax. */
class TorchOpsAttentionTest {

    private static final int B = 2;
    private static final int D = 8;

    private NDManager manager;
    private SplittableRandom random;

    @BeforeEach
    void setUp() {
        manager = NDManager.newBaseManager();
        random = new SplittableRandom(21);
    }

    @AfterEach
    void tearDown() {
        manager.close();
    }

    private NDArray normal(long... dims) {
        Shape shape = new Shape(dims);
        return RandomMatrix.normal(manager, 1, shape.size(), 1, random).reshape(shape);
    }

    /** Softmax of the scores written out, each group of keys repeated for its heads. */
    private static NDArray plain(NDArray q, NDArray k, NDArray v, NDArray add) {
        long heads = q.getShape().get(1) / k.getShape().get(1);
        NDArray keys = k.repeat(1, heads);
        NDArray values = v.repeat(1, heads);
        NDArray scores = q.matMul(keys.transpose(0, 1, 3, 2)).div(Math.sqrt(q.getShape().get(3)));
        if (add != null) {
            scores = scores.add(add);
        }
        return scores.softmax(-1).matMul(values);
    }

    /** 0 where a query sees a key, a number that no score outweighs elsewhere. */
    private NDArray hidden(NDArray mask) {
        return mask.toType(DataType.FLOAT64, true).sub(1).mul(1e9);
    }

    private NDArray lowerTriangle(int t) {
        float[] values = new float[t * t];
        for (int i = 0; i < t; i++) {
            for (int j = 0; j <= i; j++) {
                values[i * t + j] = 1;
            }
        }
        return manager.create(values, new Shape(1, 1, t, t));
    }

    @ParameterizedTest
    @CsvSource({"4,4,6", "4,2,6", "6,1,5", "2,2,1"})
    void causalAttention_isTheSoftmaxOverEarlierPositions(int heads, int groups, int t) {
        NDArray hidden = hidden(lowerTriangle(t));
        OpCheck.agrees(
                manager,
                x -> TorchOps.causalAttention(x.get(0), x.get(1), x.get(2)),
                x -> plain(x.get(0), x.get(1), x.get(2), hidden),
                normal(B, heads, t, D),
                normal(B, groups, t, D),
                normal(B, groups, t, D));
    }

    @ParameterizedTest
    @CsvSource({"4,4,3,7", "4,2,7,3", "6,1,1,5"})
    void attention_withoutMask_isTheSoftmaxOverAllKeys(int heads, int groups, int t, int s) {
        OpCheck.agrees(
                manager,
                x -> TorchOps.attention(x.get(0), x.get(1), x.get(2), null),
                x -> plain(x.get(0), x.get(1), x.get(2), null),
                normal(B, heads, t, D),
                normal(B, groups, s, D),
                normal(B, groups, s, D));
    }

    /** True where a key is not behind its query. */
    private NDArray causal(int t) {
        NDArray places = manager.arange(t);
        return places.reshape(t, 1).gte(places).reshape(1, 1, t, t);
    }

    @Test
    void attention_booleanMask_hidesKeys() {
        int t = 5;
        NDArray keep = manager.create(new long[] {1, 1, 1, 1, 1, 1, 1, 1, 0, 0}, new Shape(B, t));
        NDArray mask = causal(t).logicalAnd(keep.reshape(B, 1, 1, t).gt(0));
        OpCheck.agrees(
                manager,
                x -> TorchOps.attention(x.get(0), x.get(1), x.get(2), mask),
                x -> plain(x.get(0), x.get(1), x.get(2), hidden(mask)),
                normal(B, 4, t, D),
                normal(B, 2, t, D),
                normal(B, 2, t, D));
    }

    @Test
    void attention_maskOfKeysAlone_hidesThemFromAllHeadsAndQueries() {
        boolean[] seen = {false, true, true, true, true, true, true, true, false, true};
        NDArray mask = manager.create(seen, new Shape(B, 1, 1, 5));
        OpCheck.agrees(
                manager,
                x -> TorchOps.attention(x.get(0), x.get(1), x.get(2), mask),
                x -> plain(x.get(0), x.get(1), x.get(2), hidden(mask)),
                normal(B, 4, 3, D),
                normal(B, 2, 5, D),
                normal(B, 2, 5, D));
    }

    @Test
    void attention_numbersAsMask_areAddedToTheScoresAndDifferentiated() {
        // As a relative position bias: its own gradient matters.
        OpCheck.agrees(
                manager,
                x -> TorchOps.attention(x.get(0), x.get(1), x.get(2), x.get(3)),
                x -> plain(x.get(0), x.get(1), x.get(2), x.get(3)),
                normal(B, 4, 5, D),
                normal(B, 4, 6, D),
                normal(B, 4, 6, D),
                normal(1, 4, 5, 6));
    }

    /** What attention without the root of the head size is. */
    private static NDArray unscaled(NDArray q, NDArray k, NDArray v, NDArray add) {
        return plain(q.mul(Math.sqrt(q.getShape().get(3))), k, v, add);
    }

    @Test
    void biasedAttention_addsTheBiasToPlainProductsAndDifferentiatesIt() {
        OpCheck.agrees(
                manager,
                x -> TorchOps.biasedAttention(x.get(0), x.get(1), x.get(2), x.get(3), 0),
                x -> unscaled(x.get(0), x.get(1), x.get(2), x.get(3)),
                normal(B, 4, 5, D),
                normal(B, 4, 6, D),
                normal(B, 4, 6, D),
                normal(1, 4, 5, 6));
        OpCheck.agrees(
                manager,
                x -> TorchOps.biasedAttention(x.get(0), x.get(1), x.get(2), null, 0),
                x -> unscaled(x.get(0), x.get(1), x.get(2), null),
                normal(B, 4, 5, D),
                normal(B, 4, 6, D),
                normal(B, 4, 6, D));
    }

    @Test
    void biasedAttention_dropout_keepsTheMean() {
        // Equal scores: each of 4096 weights is 0 or 1 / (0.75 * 4096).
        NDArray q = manager.zeros(new Shape(1, 1, 8, D));
        NDArray k = manager.zeros(new Shape(1, 1, 4096, D));
        TorchOps.seed(3);
        NDArray y = TorchOps.biasedAttention(q, k, k.onesLike(), null, 0.25);
        // The standard deviation of a mean is 0.009.
        assertThat(Distance.largest(y, y.onesLike())).isBetween(1e-4, 0.04);
    }

    @Test
    void positionBias_looksUpEachPair() {
        NDArray buckets = manager.create(new long[] {0, 2, 1, 3, 0, 2}, new Shape(2, 3));
        OpCheck.agrees(
                manager,
                x -> TorchOps.positionBias(x.get(0), buckets),
                x ->
                        x.get(0)
                                .get(buckets.flatten())
                                .reshape(2, 3, 4)
                                .transpose(2, 0, 1)
                                .expandDims(0),
                normal(5, 4));
    }

    @Test
    void hide_leavesOneKeyOrAllAlikeInBothTypes() {
        NDArray bias = normal(1, 2, 3, 4);
        NDArray seen = manager.create(new long[] {0, 0, 1, 0, 0, 0, 0, 0}, new Shape(2, 1, 1, 4));
        for (NDArray typed : new NDArray[] {bias, TorchOps.toBfloat16(bias)}) {
            NDArray hidden = TorchOps.toFloat32(TorchOps.hide(typed, seen));
            assertThat(hidden.getShape()).isEqualTo(new Shape(2, 2, 3, 4));
            NDArray shares = hidden.softmax(-1);
            assertThat(shares.get("0, 1, 2").toFloatArray()).containsExactly(0, 0, 1, 0);
            assertThat(shares.get("1, 1, 2").toFloatArray())
                    .containsExactly(0.25f, 0.25f, 0.25f, 0.25f);
        }
    }

    @Test
    void causalAttention_equalsTheMaskedOneWithoutPadding() {
        NDArray q = normal(B, 4, 6, D);
        NDArray k = normal(B, 2, 6, D);
        NDArray v = normal(B, 2, 6, D);
        NDArray mask = causal(6);
        assertThat(
                        Distance.relative(
                                TorchOps.causalAttention(q, k, v),
                                TorchOps.attention(q, k, v, mask)))
                .isLessThan(OpCheck.FLOAT32);
    }

    @Test
    void rotary_turnsPairsOfHalves() {
        NDArray cos = normal(1, 1, 5, D);
        NDArray sin = normal(1, 1, 5, D);
        NDIndex low = new NDIndex("..., :{}", D / 2);
        NDIndex high = new NDIndex("..., {}:", D / 2);
        OpCheck.agrees(
                manager,
                x -> TorchOps.rotary(x.get(0), x.get(1), x.get(2)),
                x -> {
                    NDArray turned =
                            NDArrays.concat(
                                    new NDList(x.get(0).get(high).neg(), x.get(0).get(low)), -1);
                    return x.get(0).mul(x.get(1)).add(turned.mul(x.get(2)));
                },
                normal(B, 4, 5, D),
                cos,
                sin);
    }

    @Test
    void rotary_ofAngles_makesScoresDependOnDistanceAlone() {
        NDArray angles = manager.create(new float[] {0, 0.3f, 0.6f, 0.9f, 1.2f}, new Shape(5, 1));
        NDArray both = angles.repeat(1, 2);
        NDArray q = TorchOps.rotary(normal(1, 1, 1, 2).repeat(2, 5), both.cos(), both.sin());
        NDArray k = TorchOps.rotary(normal(1, 1, 1, 2).repeat(2, 5), both.cos(), both.sin());
        float[] scores = q.matMul(k.transpose(0, 1, 3, 2)).toFloatArray();
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < 4; j++) {
                assertThat(Math.abs(scores[i * 5 + j] - scores[(i + 1) * 5 + j + 1]))
                        .isLessThan(2e-6f);
            }
        }
        assertThat(Math.abs(scores[0] - scores[4])).isGreaterThan(1e-3f);
    }

    @Test
    void cache_writtenPieceByPiece_readsAsTheWhole() {
        NDArray whole = normal(B, 2, 6, D);
        for (boolean narrow : new boolean[] {false, true}) {
            NDArray values = narrow ? TorchOps.toBfloat16(whole) : whole;
            NDArray cache = TorchOps.zerosLike(manager, new Shape(B, 2, 10, D), values);
            TorchOps.writeAt(cache, values.get(":, :, :4"), 0);
            TorchOps.writeAt(cache, values.get(":, :, 4:"), 4);
            NDArray read = TorchOps.readTo(cache, 6);
            assertThat(read.getShape()).isEqualTo(whole.getShape());
            assertThat(Distance.absolute(read, values)).isZero();
            // A view: what is written later shows.
            TorchOps.writeAt(cache, TorchOps.zerosLike(manager, new Shape(B, 2, 1, D), values), 2);
            assertThat(TorchOps.squareSum(read.get(":, :, 2"))).isZero();
            // Nothing was written past the end.
            assertThat(TorchOps.squareSum(cache.get(":, :, 6:"))).isZero();
        }
    }
}

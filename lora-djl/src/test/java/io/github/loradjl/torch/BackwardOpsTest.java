package io.github.loradjl.torch;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;

import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.testing.Distance;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;

/** Each formula beside the gradient that LibTorch records of the plain operation. */
class BackwardOpsTest {

    /** Both sides round each of a few sums in float32. */
    private static final double TOLERANCE = 5e-6;

    private static final double ETA = 1.7;

    private NDManager manager;
    private SplittableRandom random;

    @BeforeEach
    void setUp() {
        manager = NDManager.newBaseManager();
        random = new SplittableRandom(7);
    }

    @AfterEach
    void tearDown() {
        manager.close();
    }

    private NDArray normal(long... dims) {
        Shape shape = new Shape(dims);
        return RandomMatrix.normal(manager, 1, shape.size(), 0.5, random).reshape(shape);
    }

    /** Returns the gradients of &lt;op(inputs), dy&gt;. */
    private NDList recorded(Function<NDList, NDArray> op, NDArray dy, NDArray... inputs) {
        NDList leaves = new NDList();
        for (NDArray input : inputs) {
            NDArray leaf = input.duplicate();
            leaf.setRequiresGradient(true);
            leaves.add(leaf);
        }
        try (GradientCollector collector = manager.getEngine().newGradientCollector()) {
            collector.backward(TorchOps.inner(op.apply(leaves), dy));
        }
        NDList gradients = new NDList();
        leaves.forEach(leaf -> gradients.add(leaf.getGradient()));
        return gradients;
    }

    private static void assertClose(NDArray actual, NDArray expected) {
        assertThat(Distance.relative(actual, expected)).isLessThan(TOLERANCE);
    }

    @Test
    void rmsNorm_isThePlainOne_andSoIsItsGradient() {
        NDArray x = normal(5, 8);
        NDArray weight = normal(8);
        NDArray dy = normal(5, 8);
        NDArray residual = normal(5, 8);
        NDArray expected =
                recorded(list -> TorchOps.rmsNorm(list.get(0), weight, 1e-5f), dy, x).get(0);
        try (GradientMode mode = GradientMode.off()) {
            NDList result = BackwardOps.rmsNorm(x, weight, 1e-5f);
            NDArray plain = TorchOps.rmsNorm(x, weight, 1e-5f);
            NDArray scale = result.get(1);
            assertThat(result.get(0)).isEqualTo(plain);
            assertThat(BackwardOps.rmsNormAgain(x, weight, scale)).isEqualTo(plain);
            NDArray dx = BackwardOps.rmsNormBackward(dy, x, weight, scale, residual);
            assertClose(dx.sub(residual), expected);
        }
    }

    @Test
    void siluProduct_isThePlainOne_andSoAreItsGradients() {
        NDArray gate = normal(5, 8);
        NDArray up = normal(5, 8);
        NDArray dy = normal(5, 8);
        NDList expected =
                recorded(list -> TorchOps.siluProduct(list.get(0), list.get(1)), dy, gate, up);
        try (GradientMode mode = GradientMode.off()) {
            NDArray plain = TorchOps.siluProduct(gate, up);
            NDList again = BackwardOps.siluProductAgain(gate, up);
            assertThat(BackwardOps.siluProduct(gate, up)).isEqualTo(plain);
            assertThat(again.get(1)).isEqualTo(plain);
            NDList both = BackwardOps.siluProductBackward(dy.duplicate(), again.get(0), gate, up);
            assertClose(both.get(0), expected.get(0));
            assertClose(both.get(1), expected.get(1));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void rotary_turnsAsThePlainOne_andItsGradientBack(boolean gathered) {
        int texts = 2;
        int length = 3;
        int heads = 2;
        int size = 4;
        NDArray x = normal(texts * length, heads, size);
        NDArray dy = normal(texts * length, heads, size);
        NDArray half = normal(gathered ? texts * length : length, size / 2);
        NDArray cos = NDArrays.concat(new NDList(half.cos(), half.cos()), 1);
        NDArray sin = NDArrays.concat(new NDList(half.sin(), half.sin()), 1);
        NDArray spreadCos = gathered ? cos : cos.tile(new long[] {texts, 1});
        NDArray spreadSin = gathered ? sin : sin.tile(new long[] {texts, 1});
        Function<NDList, NDArray> plain =
                list ->
                        TorchOps.rotary(
                                list.get(0), spreadCos.expandDims(1), spreadSin.expandDims(1));
        NDArray expected = recorded(plain, dy, x).get(0);
        NDArray rowsOfCos = gathered ? cos.reshape(1, 1, -1, size) : cos;
        NDArray rowsOfSin = gathered ? sin.reshape(1, 1, -1, size) : sin;
        try (GradientMode mode = GradientMode.off()) {
            NDArray turned = x.duplicate();
            BackwardOps.rotary(turned, rowsOfCos, rowsOfSin);
            assertClose(turned, plain.apply(new NDList(x)));
            NDArray dx = dy.duplicate();
            BackwardOps.rotaryBackward(dx, rowsOfCos, rowsOfSin);
            assertClose(dx, expected);
        }
    }

    @ParameterizedTest
    @CsvSource({"4, 2", "3, 3", "4, 1"})
    void textAttentionBackward_isTheGradientOfEachTextByItself(int heads, int groups) {
        // More than two blocks of queries, a text of one token, and one in a single block.
        // Two of one length, which are taken together.
        long[] texts = {300, 1, 17, 17};
        long rows = 335;
        int size = 8;
        NDArray q = normal(rows, heads, size).mul(3);
        NDArray k = normal(rows, groups, size).mul(3);
        NDArray v = normal(rows, groups, size);
        NDArray dy = normal(rows, heads * size);
        NDArray lengths = manager.create(texts);
        Function<NDList, NDArray> each =
                list -> {
                    NDList outs = new NDList();
                    long at = 0;
                    for (long text : texts) {
                        String part = at + ":" + (at + text);
                        NDArray out =
                                TorchOps.causalAttention(
                                        heads(list.get(0).get(part)),
                                        heads(list.get(1).get(part)),
                                        heads(list.get(2).get(part)));
                        outs.add(out.squeeze(0).transpose(1, 0, 2).reshape(text, heads * size));
                        at += text;
                    }
                    return NDArrays.concat(outs);
                };
        NDList expected = recorded(each, dy, q, k, v);
        try (GradientMode mode = GradientMode.off()) {
            assertClose(TorchOps.textAttention(q, k, v, lengths), each.apply(new NDList(q, k, v)));
            NDList actual = BackwardOps.textAttentionBackward(dy, q, k, v, lengths);
            assertClose(actual.get(0), expected.get(0).reshape(rows, -1));
            assertClose(actual.get(1), expected.get(1).reshape(rows, -1));
            assertClose(actual.get(2), expected.get(2).reshape(rows, -1));
        }
    }

    private static NDArray heads(NDArray x) {
        return x.transpose(1, 0, 2).expandDims(0);
    }

    /** Two layers of widths 9 and 5 and ranks 3 and 2, the second with two adapters. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void loras_giveThePlainOutputs_andTheirGradients(boolean withStart) {
        int[] widths = {9, 5, 5};
        int[] ranks = {3, 2, 3};
        NDArray x = normal(6, 7);
        NDArray y = normal(6, 9);
        NDArray second = normal(6, 5);
        List<NDArray> ys = List.of(y, second, second);
        NDList as = new NDList();
        NDList bs = new NDList();
        NDList a0s = new NDList();
        NDList b0s = new NDList();
        NDList dys = new NDList(normal(6, 9), normal(6, 5));
        dys.add(dys.get(1));
        for (int i = 0; i < widths.length; i++) {
            as.add(normal(ranks[i], 7));
            bs.add(normal(widths[i], ranks[i]));
            a0s.add(normal(ranks[i], 7));
            b0s.add(normal(widths[i], ranks[i]));
        }
        NDArray dx = manager.zeros(new Shape(6, 7));
        NDList gradients = new NDList();
        NDList updates = new NDList();
        for (int i = 0; i < widths.length; i++) {
            NDArray a0 = a0s.get(i);
            NDArray b0 = b0s.get(i);
            NDArray none = manager.zeros(new Shape(6, widths[i]));
            Function<NDList, NDArray> plain =
                    list ->
                            withStart
                                    ? TorchOps.addLoraDifference(
                                            none,
                                            list.get(0),
                                            list.get(1),
                                            list.get(2),
                                            a0,
                                            b0,
                                            ETA)
                                    : TorchOps.addLora(
                                            none, list.get(0), list.get(1), list.get(2), ETA);
            NDList of = recorded(plain, dys.get(i), x, as.get(i), bs.get(i));
            dx.addi(of.get(0));
            gradients.add(of.get(1));
            gradients.add(of.get(2));
            try (GradientMode mode = GradientMode.off()) {
                updates.add(plain.apply(new NDList(x, as.get(i), bs.get(i))));
            }
        }
        try (GradientMode mode = GradientMode.off()) {
            NDArray a = NDArrays.concat(as);
            NDArray a0 = NDArrays.concat(a0s);
            NDArray first = y.add(updates.get(0));
            NDArray both = second.add(updates.get(1)).add(updates.get(2));
            NDArray xa =
                    withStart
                            ? BackwardOps.addLoraDifferences(ys, x, a, bs, a0, b0s, ETA)
                            : BackwardOps.addLoras(ys, x, a, bs, ETA);
            assertClose(y, first);
            assertClose(second, both);
            NDArray h = BackwardOps.scaledProducts(dys, bs, ETA);
            NDArray sum = manager.zeros(new Shape(6, 7));
            BackwardOps.addProduct(sum, h, a);
            if (withStart) {
                BackwardOps.addProduct(sum, BackwardOps.scaledProducts(dys, b0s, -ETA), a0);
            }
            assertClose(sum, dx);
            assertClose(BackwardOps.reduced(x, a, ETA), xa);
            NDList ofA = BackwardOps.aGradients(h, x, bs);
            NDList ofB = BackwardOps.bGradients(dys, xa, bs);
            for (int i = 0; i < widths.length; i++) {
                assertClose(ofA.get(i), gradients.get(2 * i));
                assertClose(ofB.get(i), gradients.get(2 * i + 1));
            }
        }
    }

    @Test
    void addLoraDifferences_ofEqualPairs_changeNoBit() {
        NDList ys = new NDList(normal(6, 9), normal(6, 5));
        NDArray x = normal(6, 7);
        NDList bs = new NDList(normal(9, 3), normal(5, 3));
        NDList b0s = new NDList(bs.get(0).duplicate(), bs.get(1).duplicate());
        try (GradientMode mode = GradientMode.off()) {
            NDArray a = normal(6, 7);
            NDList sums = new NDList(ys.get(0).duplicate(), ys.get(1).duplicate());
            BackwardOps.addLoraDifferences(sums, x, a, bs, a.duplicate(), b0s, ETA);
            assertThat(sums.get(0)).isEqualTo(ys.get(0));
            assertThat(sums.get(1)).isEqualTo(ys.get(1));
        }
    }

    @Test
    void dropout_dropsTheSameAgain_andItsGradientsFollow() {
        double rate = 0.3;
        NDArray x = normal(40, 50);
        NDArray a = normal(3, 50);
        NDArray a0 = normal(3, 50);
        NDArray b0 = normal(9, 3);
        NDArray h = normal(40, 3);
        NDArray dy = normal(40, 9);
        try (GradientMode mode = GradientMode.off()) {
            NDList result = BackwardOps.dropout(x, rate);
            NDArray mask = result.get(1);
            NDArray kept = mask.toType(DataType.FLOAT32, false);
            NDArray factors = kept.div(1 - rate);
            // 2,000 draws: the share that is kept is within 5 standard deviations.
            assertThat(kept.mean().getFloat()).isBetween(0.65f, 0.75f);
            assertClose(result.get(0), x.mul(factors));
            assertClose(BackwardOps.dropped(x, mask, rate), result.get(0));
            NDArray dx = manager.zeros(x.getShape());
            BackwardOps.addDroppedProduct(dx, h, a, mask, rate);
            NDArray start = BackwardOps.scaledProducts(List.of(dy), List.of(b0), -ETA);
            BackwardOps.addDroppedProduct(dx, start, a0, mask, rate);
            NDArray expected = h.matMul(a).sub(dy.matMul(b0).matMul(a0).mul(ETA)).mul(factors);
            assertClose(dx, expected);
        }
    }

    @Test
    void linear_andItsProducts_areThoseOfTheMatrices() {
        NDArray x = normal(6, 7);
        NDArray weight = normal(9, 7);
        NDArray bias = normal(9);
        NDArray dy = normal(6, 9);
        try (GradientMode mode = GradientMode.off()) {
            NDArray plain = x.matMul(weight.transpose());
            assertClose(BackwardOps.linear(x, weight, null), plain);
            assertClose(BackwardOps.linear(x, weight, bias), plain.add(bias));
            NDArray product = BackwardOps.product(dy, weight);
            assertClose(product, dy.matMul(weight));
            BackwardOps.addProduct(product, dy, weight);
            assertClose(product, dy.matMul(weight).mul(2));
        }
    }

    @Test
    void withGradients_hasTheValue_andHandsEachItsPart() {
        NDArray first = normal(2, 3);
        NDArray second = normal(4);
        first.setRequiresGradient(true);
        second.setRequiresGradient(true);
        NDArray gradient = normal(10);
        try (GradientCollector collector = manager.getEngine().newGradientCollector()) {
            NDArray loss =
                    BackwardOps.withGradients(
                            List.of(first, second), manager.create(2.5f), gradient);
            assertThat(loss.getFloat()).isEqualTo(2.5f);
            collector.backward(TorchOps.scale(loss, 2));
        }
        assertClose(first.getGradient().reshape(-1), gradient.get("0:6").mul(2));
        assertClose(second.getGradient(), gradient.get("6:").mul(2));
        assertThat(BackwardOps.flattened(List.of(normal(2, 3), normal(4))).getShape())
                .isEqualTo(new Shape(10));
    }
}

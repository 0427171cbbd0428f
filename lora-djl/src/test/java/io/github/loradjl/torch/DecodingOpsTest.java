package io.github.loradjl.torch;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.testing.Distance;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;

/** Each operation beside the plain ones that it stands for. */
class DecodingOpsTest {

    /** Both sides round each of a few sums in float32. */
    private static final double TOLERANCE = 1e-5;

    /** bfloat16 rounds each of some twenty arrays by up to 0.4%. */
    private static final double TOLERANCE_16 = 2e-2;

    private static final float EPS = 1e-2f;

    private static final int CAPACITY = 7;

    private NDManager manager;
    private GradientMode mode;
    private SplittableRandom random;

    @BeforeEach
    void setUp() {
        manager = NDManager.newBaseManager();
        mode = GradientMode.off();
        random = new SplittableRandom(7);
    }

    @AfterEach
    void tearDown() {
        mode.close();
        manager.close();
    }

    /** What one layer is given: sizes, weights, inputs and caches that are filled in part. */
    private final class Case {

        private final int batch;
        private final int heads;
        private final int groups;
        private final int size;
        private final int column;
        private final NDArray x;
        private final DecodingOps.LayerWeights weights;
        private final DecodingOps.Position position;

        Case(int batch, int heads, int groups, int size, int column, UnaryOperator<NDArray> type) {
            this.batch = batch;
            this.heads = heads;
            this.groups = groups;
            this.size = size;
            this.column = column;
            long hidden = 2L * size;
            long inner = 3L * size;
            x = type.apply(normal(1, batch, 1, hidden));
            double scale = 1 / Math.sqrt(hidden);
            weights =
                    new DecodingOps.LayerWeights(
                            type.apply(normal(1, hidden)),
                            // Scores that differ, so that it matters what is seen.
                            type.apply(normal(2 * scale, (long) heads * size, hidden)),
                            type.apply(normal(2 * scale, (long) groups * size, hidden)),
                            type.apply(normal(scale, (long) groups * size, hidden)),
                            type.apply(normal(scale, hidden, (long) heads * size)),
                            type.apply(normal(1, hidden)),
                            type.apply(normal(scale, inner, hidden)),
                            type.apply(normal(scale, inner, hidden)),
                            type.apply(normal(scale, hidden, inner)),
                            EPS);
            position =
                    new DecodingOps.Position(
                            type.apply(normal(1, 1, size)),
                            type.apply(normal(1, 1, size)),
                            manager.create((long) column),
                            null,
                            type.apply(normal(1, batch, groups, CAPACITY, size)),
                            type.apply(normal(1, batch, groups, CAPACITY, size)));
        }

        DecodingOps.Layer layer() {
            return new DecodingOps.Layer(weights, manager);
        }

        NDArray split(NDArray x, int count) {
            return x.reshape(batch, 1, count, size).transpose(0, 2, 1, 3);
        }

        /** Attends by the plain operations, on copies of the caches. */
        NDArray attention(NDArray q, NDArray k, NDArray v, DecodingOps.Position at) {
            NDArray keys = copy(at.keys());
            NDArray values = copy(at.values());
            NDArray turned = TorchOps.rotary(split(k, groups), wide(at.cos()), wide(at.sin()));
            TorchOps.writeAt(keys, turned, column);
            TorchOps.writeAt(values, split(v, groups), column);
            NDArray attended =
                    TorchOps.attention(
                            TorchOps.rotary(split(q, heads), wide(at.cos()), wide(at.sin())),
                            TorchOps.readTo(keys, column + 1),
                            TorchOps.readTo(values, column + 1),
                            at.mask());
            return attended.transpose(0, 2, 1, 3).reshape(batch, 1, (long) heads * size);
        }

        NDArray layer(DecodingOps.Position at) {
            NDArray states = wide(x);
            NDArray y = TorchOps.rmsNorm(states, wide(weights.inputNorm()), EPS);
            NDArray attended =
                    attention(
                            TorchOps.linear(y, wide(weights.query())),
                            TorchOps.linear(y, wide(weights.key())),
                            TorchOps.linear(y, wide(weights.value())),
                            at);
            NDArray sum = states.add(TorchOps.linear(attended, wide(weights.output())));
            NDArray z = TorchOps.rmsNorm(sum, wide(weights.innerNorm()), EPS);
            NDArray inner =
                    TorchOps.siluProduct(
                            TorchOps.linear(z, wide(weights.gate())),
                            TorchOps.linear(z, wide(weights.up())));
            return sum.add(TorchOps.linear(inner, wide(weights.down())));
        }
    }

    private NDArray normal(double scale, long... dims) {
        Shape shape = new Shape(dims);
        return RandomMatrix.normal(manager, 1, shape.size(), scale, random).reshape(shape);
    }

    private static NDArray wide(NDArray x) {
        return TorchOps.toFloat32(x);
    }

    private static NDArray copy(NDArray x) {
        return TorchOps.toFloat32(x).duplicate();
    }

    // Sizes of 64 and not, for the products; heads that share keys and not; an empty cache too;
    // weights of which three are joined, and at last some that are too large for it.
    @ParameterizedTest
    @CsvSource({
        "1, 4, 4, 8, 0",
        "1, 6, 2, 64, 4",
        "3, 6, 2, 8, 4",
        "5, 2, 1, 8, 4",
        "8, 2, 1, 64, 6",
        "2, 8, 2, 256, 4"
    })
    void layer_isThePlainOne(int batch, int heads, int groups, int size, int column) {
        Case c = new Case(batch, heads, groups, size, column, x -> x);
        NDArray expected = c.layer(c.position);
        NDArray actual = DecodingOps.layer(c.x, c.layer(), c.position);
        assertThat(actual.getShape()).isEqualTo(c.x.getShape());
        assertThat(Distance.relative(actual, expected)).isLessThan(TOLERANCE);
    }

    @ParameterizedTest
    @CsvSource({"1, 4, 4, 8, 0", "1, 6, 2, 64, 4", "3, 6, 2, 64, 4", "5, 6, 2, 8, 4"})
    void layer_inBfloat16_isThePlainOne(int batch, int heads, int groups, int size, int column) {
        Case c = new Case(batch, heads, groups, size, column, TorchOps::toBfloat16);
        NDArray expected = c.layer(c.position);
        NDArray actual = DecodingOps.layer(c.x, c.layer(), c.position);
        assertThat(actual.getDataType()).isEqualTo(DataType.UNKNOWN);
        assertThat(Distance.relative(wide(actual), expected)).isLessThan(TOLERANCE_16);
    }

    @Test
    void layer_withAMask_andRowsOfDifferentPositions_isThePlainOne() {
        Case c = new Case(2, 4, 2, 8, 3, x -> x);
        DecodingOps.Position at =
                new DecodingOps.Position(
                        normal(1, 2, 1, 1, 8),
                        normal(1, 2, 1, 1, 8),
                        c.position.column(),
                        manager.create(
                                new boolean[] {false, false, true, true, true, true, true, true},
                                new Shape(2, 1, 1, 4)),
                        c.position.keys(),
                        c.position.values());
        NDArray expected = c.layer(at);
        NDArray unmasked = c.layer(c.position);
        NDArray actual = DecodingOps.layer(c.x, c.layer(), at);
        assertThat(Distance.relative(actual, expected)).isLessThan(TOLERANCE);
        assertThat(Distance.relative(actual, unmasked)).isGreaterThan(100 * TOLERANCE);
    }

    @Test
    void attention_isThePlainOne_andWritesOneColumnOnly() {
        Case c = new Case(2, 4, 2, 8, 3, x -> x);
        NDArray q = normal(1, 2, 1, 32);
        NDArray k = normal(1, 2, 1, 16);
        NDArray v = normal(1, 2, 1, 16);
        NDArray keys = copy(c.position.keys());
        NDArray values = copy(c.position.values());
        TorchOps.writeAt(
                keys, TorchOps.rotary(c.split(k, 2), c.position.cos(), c.position.sin()), 3);
        TorchOps.writeAt(values, c.split(v, 2), 3);
        NDArray expected = c.attention(q, k, v, c.position);

        NDArray actual = DecodingOps.attention(q, k, v, c.position);

        assertThat(Distance.relative(actual, expected)).isLessThan(TOLERANCE);
        assertThat(Distance.relative(c.position.keys(), keys)).isLessThan(TOLERANCE);
        assertThat(c.position.values()).isEqualTo(values);
    }

    @Test
    void largest_isTheFirstOfEqualOnes_andNaNWhereThereIsOne() {
        float[] numbers = {-3, -1, -2, -1, 0, 5, 7, 7, 2, Float.NaN, 9, 1};
        NDArray logits = manager.create(numbers, new Shape(3, 4));
        NDList largest = DecodingOps.largest(logits);
        assertThat(largest.get(0).toFloatArray()).containsExactly(-1, 7, Float.NaN);
        assertThat(largest.get(1).toLongArray()).startsWith(1, 2);
        NDList narrow = DecodingOps.largest(TorchOps.toBfloat16(logits));
        assertThat(narrow.get(0).toFloatArray()).containsExactly(-1, 7, Float.NaN);
        assertThat(narrow.get(1).toLongArray()).startsWith(1, 2);
    }

    @Test
    void linear_isTheProductOfEachRow() {
        List<UnaryOperator<NDArray>> types = List.of(x -> x, TorchOps::toBfloat16);
        List<Double> tolerances = List.of(TOLERANCE, TOLERANCE_16);
        List<String> wrong = new ArrayList<>();
        for (int i = 0; i < types.size(); i++) {
            for (int rows : new int[] {1, 3, 4, 8, 9}) {
                for (int out : new int[] {5, 64, 192}) {
                    NDArray x = types.get(i).apply(normal(1, rows, 48));
                    NDArray w = types.get(i).apply(normal(1, out, 48));
                    NDArray expected = wide(x).matMul(wide(w).transpose());
                    NDArray actual = wide(DecodingOps.linear(x, w));
                    if (!actual.getShape().equals(new Shape(rows, out))
                            || Distance.relative(actual, expected) > tolerances.get(i)) {
                        wrong.add(i + " " + rows + " " + out);
                    }
                }
            }
        }
        assertThat(wrong).isEmpty();
    }
}

package io.github.loradjl.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;

import io.github.loradjl.testing.Models;
import io.github.loradjl.torch.TorchOps;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;

class LoraLinearTest {

    private static final int N = 24;
    private static final int M = 12;
    private static final double SCALING = 1.5;

    /** Sums of 24 products of numbers around 1, in another order. */
    private static final float TOLERANCE = 2e-4f;

    private NDManager manager;
    private AdapterSelection selection;

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager(Device.cpu());
        Engine.getInstance().setRandomSeed(5);
        selection = new AdapterSelection();
    }

    @AfterEach
    void close() {
        manager.close();
    }

    @ParameterizedTest
    @CsvSource({"true,true", "true,false", "false,true", "false,false"})
    void forward_isTheDenseFormula(boolean bias, boolean subtracted) {
        Linear base = linear(bias, false);
        LoraLinear layer = new LoraLinear(base, "x", selection);
        LowRankUpdate update = update(2, 0);
        layer.put("a", update);
        selection.set(List.of("a"));
        if (subtracted) {
            update.setStart(random(2, N), random(M, 2));
        }
        NDArray x = random(3, 5, N);
        NDArray change = update.getB().matMul(update.getA());
        if (subtracted) {
            change = change.sub(update.getB0().matMul(update.getA0()));
        }
        NDArray weight = layer.getWeight().add(change.mul(SCALING));
        NDArray expected = x.matMul(weight.transpose());
        if (bias) {
            expected = expected.add(base.getDirectParameters().get("bias").getArray());
        }
        assertClose(forward(layer, x, false), expected);
    }

    @Test
    void backward_givesTheDenseGradients() {
        LoraLinear layer = new LoraLinear(linear(true, false), "x", selection);
        LowRankUpdate update = update(2, 0);
        update.setStart(random(2, N), random(M, 2));
        update.setTrainable(true);
        layer.put("a", update);
        selection.set(List.of("a"));
        NDArray x = random(7, N);
        NDArray c = random(7, M);
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            collector.backward(forward(layer, x, true).mul(c).sum());
        }
        // dL/dW = c^T x; dL/dB = eta dL/dW A^T, dL/dA = eta B^T dL/dW.
        NDArray g = c.transpose().matMul(x);
        NDArray a = update.getA().stopGradient();
        NDArray b = update.getB().stopGradient();
        assertClose(update.getB().getGradient(), g.matMul(a.transpose()).mul(SCALING));
        assertClose(update.getA().getGradient(), b.transpose().matMul(g).mul(SCALING));
        assertThat(layer.getWeight().hasGradient()).isFalse();
    }

    @Test
    void forward_withSeveralActive_addsThem() {
        LoraLinear layer = new LoraLinear(linear(true, false), "x", selection);
        layer.put("a", update(2, 0));
        layer.put("b", update(3, 0));
        NDArray x = random(4, N);
        NDArray none = forward(layer, x, false);
        selection.set(List.of("a"));
        NDArray a = forward(layer, x, false);
        selection.set(List.of("b"));
        NDArray b = forward(layer, x, false);
        selection.set(List.of("a", "b", "not here"));
        assertClose(forward(layer, x, false), a.add(b).sub(none));
        selection.setEnabled(false);
        assertThat(forward(layer, x, false)).isEqualTo(none);
    }

    @Test
    void wrapping_sharesTheParameters() {
        Linear base = linear(true, false);
        int before = manager.getManagedArrays().size();
        LoraLinear layer = new LoraLinear(base, "x", selection);
        assertThat(manager.getManagedArrays()).hasSize(before);
        for (String name : List.of("weight", "bias")) {
            Parameter own = layer.getDirectParameters().get(name);
            assertThat(own).isSameAs(base.getDirectParameters().get(name));
            assertThat(own.getArray()).isSameAs(base.getDirectParameters().get(name).getArray());
        }
        layer.put("a", update(2, 0));
        assertThat(layer.getParameters().keys())
                .containsExactly("weight", "bias", "lora_A.a", "lora_B.a");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void forward_atTheStart_isTheBaseToTheLastBit(boolean bfloat16) {
        for (boolean bias : new boolean[] {true, false}) {
            Linear base = linear(bias, bfloat16);
            LoraLinear layer = new LoraLinear(base, "x", selection);
            LowRankUpdate subtracted = update(4, 0.3);
            subtracted.subtractCurrent();
            LowRankUpdate zeroB =
                    new LowRankUpdate(random(4, N), manager.zeros(new Shape(M, 4)), SCALING, 0.3);
            subtracted.setTrainable(true);
            zeroB.setTrainable(true);
            layer.put("subtracted", subtracted);
            layer.put("zeroB", zeroB);
            // Not contiguous: the order of LibTorch's products depends on that as well.
            NDArray wide = random(5, 3, N).transpose(1, 0, 2);
            NDArray x = bfloat16 ? TorchOps.toBfloat16(wide) : wide;
            float[] expected = Models.values(forward(base, x, false));
            for (List<String> active :
                    List.of(
                            List.of("subtracted"),
                            List.of("zeroB"),
                            List.of("subtracted", "zeroB"))) {
                selection.set(active);
                for (boolean training : new boolean[] {false, true}) {
                    assertThat(Models.values(forward(layer, x, training)))
                            .as("bias %s, %s, training %s", bias, active, training)
                            .isEqualTo(expected);
                }
            }
        }
    }

    @Test
    void forward_withDropout_dropsInputsOfTheUpdateOnlyInTraining() {
        LoraLinear layer = new LoraLinear(linear(true, false), "x", selection);
        layer.put("a", update(2, 0.5));
        selection.set(List.of("a"));
        NDArray x = random(4, N);
        NDArray first = forward(layer, x, false);
        assertThat(forward(layer, x, false)).isEqualTo(first);
        assertThat(forward(layer, x, true)).isNotEqualTo(forward(layer, x, true));
    }

    @Test
    void forward_withNamedInput_ignoresTheName() {
        LoraLinear layer = new LoraLinear(linear(false, false), "x", selection);
        layer.put("a", update(2, 0));
        selection.set(List.of("a"));
        NDArray x = random(4, N);
        NDArray expected = forward(layer, x, false);
        x.setName("batch.x");
        assertThat(forward(layer, x, false)).isEqualTo(expected);
    }

    @Test
    void merging_givesTheSameOutputs() {
        LoraLinear layer = new LoraLinear(linear(true, false), "x", selection);
        LowRankUpdate update = update(2, 0);
        update.setStart(random(2, N), random(M, 2));
        layer.put("a", update);
        layer.put("b", update(3, 0));
        selection.set(List.of("a", "b"));
        NDArray x = random(4, N);
        NDArray separate = forward(layer, x, false);
        float[] weight = Models.values(layer.getWeight());
        int before = manager.getManagedArrays().size();
        layer.setMerged(layer.mergedWeight(List.of("a", "b")), List.of("a", "b"));
        // One private weight, no other handle.
        assertThat(manager.getManagedArrays()).hasSize(before + 1);
        assertClose(forward(layer, x, false), separate);
        assertThat(Models.values(layer.getWeight())).isEqualTo(weight);
        layer.unmerge();
        assertThat(forward(layer, x, false)).isEqualTo(separate);
        layer.setMerged(layer.mergedWeight(List.of("a")), List.of("a"));
        assertClose(forward(layer, x, false), separate);
    }

    @Test
    void plainWeight_isGivenWhereTheLayerOnlyMultiplies() {
        ParameterStore store = new ParameterStore(manager, false);
        NDArray x = random(4, N);
        Linear base = linear(false, false);
        LoraLinear layer = new LoraLinear(base, "x", selection);
        layer.put("a", update(2, 0));
        NDArray own = layer.getWeight();
        assertThat(LoraLinear.plainWeight(base, store, x)).isSameAs(own);
        assertThat(LoraLinear.plainWeight(linear(true, false), store, x)).isNull();
        assertThat(LoraLinear.plainWeight(layer, store, x)).isSameAs(own);
        selection.set(List.of("a"));
        assertThat(LoraLinear.plainWeight(layer, store, x)).isNull();
        NDArray merged = layer.mergedWeight(List.of("a"));
        layer.setMerged(merged, List.of("a"));
        assertThat(LoraLinear.plainWeight(layer, store, x)).isSameAs(merged);
        LoraLinear biased = new LoraLinear(linear(true, false), "x", selection);
        assertThat(LoraLinear.plainWeight(biased, store, x)).isNull();
    }

    @Test
    void mergedWeight_ofBfloat16_isRoundedOnce() {
        LoraLinear layer = new LoraLinear(linear(false, true), "x", selection);
        layer.put("a", update(2, 0));
        NDArray merged = layer.mergedWeight(List.of("a"));
        assertThat(TorchOps.elementSize(merged)).isEqualTo(2);
        NDArray exact = TorchOps.toFloat32(layer.getWeight()).add(layer.get("a").delta(manager));
        assertThat(Models.values(merged)).isEqualTo(Models.values(TorchOps.toBfloat16(exact)));
    }

    @Test
    void mergedWeight_withNaN_isRefused() {
        LoraLinear layer = new LoraLinear(linear(false, false), "model.up", selection);
        NDArray b = random(M, 2).mul(Float.NaN);
        layer.put("a", new LowRankUpdate(random(2, N), b, SCALING, 0));
        assertThatThrownBy(() -> layer.mergedWeight(List.of("a")))
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContaining("model.up");
    }

    @Test
    void saveParameters_writesTheBytesOfTheBase() throws IOException {
        Linear base = linear(true, false);
        LoraLinear layer = new LoraLinear(base, "x", selection);
        layer.put("a", update(2, 0));
        byte[] saved = bytes(base);
        assertThat(bytes(layer)).isEqualTo(saved);
        Linear other = linear(true, false);
        LoraLinear wrapped = new LoraLinear(other, "x", selection);
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(saved))) {
            wrapped.loadParameters(manager, in);
        } catch (ai.djl.MalformedModelException e) {
            throw new IOException(e);
        }
        assertThat(wrapped.getWeight()).isEqualTo(layer.getWeight());
        assertThat(bytes(other)).isEqualTo(saved);
    }

    @Test
    void describesItself_asTheBase() {
        Linear base = linear(true, false);
        LoraLinear layer = new LoraLinear(base, "x", selection);
        assertThat(layer.isInitialized()).isTrue();
        assertThat(layer.getInputShapes()).isEqualTo(base.getInputShapes());
        assertThat(layer.describeInput().toString()).isEqualTo(base.describeInput().toString());
        assertThat(layer.getOutputShapes(new Shape[] {new Shape(3, N)}))
                .containsExactly(new Shape(3, M));
    }

    private static byte[] bytes(Linear linear) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        linear.saveParameters(new DataOutputStream(bytes));
        return bytes.toByteArray();
    }

    private Linear linear(boolean bias, boolean bfloat16) {
        Linear linear = Linear.builder().setUnits(M).optBias(bias).build();
        linear.initialize(manager, DataType.FLOAT32, new Shape(1, N));
        for (Parameter parameter : linear.getDirectParameters().values()) {
            NDArray values = manager.randomNormal(parameter.getShape());
            parameter.close();
            parameter.setShape(null);
            parameter.setArray(bfloat16 ? TorchOps.toBfloat16(values) : values);
            parameter.freeze(true);
        }
        return linear;
    }

    private LowRankUpdate update(int rank, double dropout) {
        return new LowRankUpdate(random(rank, N), random(M, rank), SCALING, dropout);
    }

    private NDArray random(long... shape) {
        return manager.randomNormal(new Shape(shape));
    }

    private NDArray forward(Linear layer, NDArray x, boolean training) {
        ParameterStore store = new ParameterStore(manager, false);
        return layer.forward(store, new NDList(x), training).singletonOrThrow();
    }

    private static void assertClose(NDArray actual, NDArray expected) {
        assertThat(actual.getShape()).isEqualTo(expected.getShape());
        float[] a = Models.values(actual);
        float[] e = Models.values(expected);
        for (int i = 0; i < a.length; i++) {
            assertThat(a[i]).isCloseTo(e[i], within(TOLERANCE));
        }
    }
}

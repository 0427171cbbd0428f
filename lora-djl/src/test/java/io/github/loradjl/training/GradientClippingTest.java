package io.github.loradjl.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

class GradientClippingTest {

    private NDManager manager;

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager(Device.cpu());
    }

    @AfterEach
    void close() {
        manager.close();
    }

    @Test
    void clip_aboveTheBound_scalesAllByOneFactor() {
        Parameter a = withGradient("a", 3f, 0f);
        Parameter b = withGradient("b", -4f);
        assertThat(GradientClipping.clip(List.of(a, b), 1)).isEqualTo(5.0);
        float factor = (float) (1 / (5 + 1e-6));
        assertThat(gradient(a)).containsExactly(new float[] {3 * factor, 0}, within(1e-7f));
        assertThat(gradient(b)).containsExactly(new float[] {-4 * factor}, within(1e-7f));
    }

    /** torch.nn.utils.clip_grad_norm_ in torch 2.13, max_norm 1.5. */
    @Test
    void clip_aboveTheBound_isThatOfTorch() {
        Parameter a = withGradient("a", 0.5f, -1.25f, 2f, 3.5f, -0.75f, 0.125f);
        Parameter b = withGradient("b", -2.5f, 1.5f, 0f, 4f);
        // Nine digits are written down; a float32 product rounds at 6e-8 of numbers below 1.
        assertThat(GradientClipping.clip(List.of(a, b), 1.5))
                .isCloseTo(6.56815242767334, within(1e-6));
        assertThat(gradient(a))
                .containsExactly(
                        new float[] {
                            0.114187345f,
                            -0.28546837f,
                            0.45674938f,
                            0.799311399f,
                            -0.17128101f,
                            0.0285468362f
                        },
                        within(2e-7f));
        assertThat(gradient(b))
                .containsExactly(
                        new float[] {-0.570936739f, 0.34256202f, 0f, 0.913498759f}, within(2e-7f));
    }

    @Test
    void clip_belowTheBound_changesNothing() {
        Parameter a = withGradient("a", 0.3f, 0.4f);
        assertThat(GradientClipping.clip(List.of(a), 1)).isCloseTo(0.5, within(1e-7));
        assertThat(gradient(a)).containsExactly(0.3f, 0.4f);
    }

    @Test
    void clip_frozenAndRepeatedParameters_doNotCountTwice() {
        Parameter a = withGradient("a", 3f);
        Parameter b = withGradient("b", 4f);
        b.freeze(true);
        assertThat(GradientClipping.clip(List.of(a, b, a), 100)).isEqualTo(3.0);
    }

    @Test
    void clip_gradientThatIsNotFinite_namesTheParameter() {
        Parameter a = withGradient("fine", 3f);
        Parameter b = withGradient("broken", Float.NaN);
        assertThatIllegalStateException()
                .isThrownBy(() -> GradientClipping.clip(List.of(a, b), 1))
                .withMessageContaining("[broken]");
        assertThat(gradient(a)).containsExactly(3f);
    }

    @Test
    void clip_nothingTrainableOrNoBound_isAnError() {
        assertThatIllegalStateException()
                .isThrownBy(() -> GradientClipping.clip(List.of(), 1))
                .withMessageContaining("trainable");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> GradientClipping.clip(List.of(withGradient("a", 1f)), 0));
    }

    @Test
    void clip_leavesNoHandlesAndNames() {
        Parameter a = withGradient("a", 3f);
        int before = manager.getManagedArrays().size();
        for (int i = 0; i < 100; i++) {
            GradientClipping.clip(List.of(a), 1);
        }
        assertThat(manager.getManagedArrays()).hasSize(before);
        assertThat(a.getArray().getName()).isEqualTo("a");
    }

    @Test
    void clip_fromAnotherThread_works() throws Exception {
        Parameter a = withGradient("a", 3f, 4f);
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try {
            double norm =
                    CompletableFuture.supplyAsync(
                                    () -> GradientClipping.clip(List.of(a), 1), executor)
                            .get();
            assertThat(norm).isEqualTo(5.0);
        } finally {
            executor.shutdown();
        }
        assertThat(gradient(a)).containsExactly(new float[] {0.6f, 0.8f}, within(1e-6f));
    }

    private Parameter withGradient(String name, float... gradient) {
        NDArray array = manager.ones(new Shape(gradient.length));
        Parameter parameter =
                Parameter.builder().setName(name).setType(Parameter.Type.WEIGHT).build();
        parameter.setArray(array);
        parameter.freeze(false);
        try (GradientCollector collector = manager.getEngine().newGradientCollector();
                NDArray factors = manager.create(gradient);
                NDArray product = array.mul(factors);
                NDArray sum = product.sum()) {
            collector.backward(sum);
        }
        return parameter;
    }

    private static float[] gradient(Parameter parameter) {
        try (NDArray gradient = parameter.getArray().getGradient()) {
            return gradient.toFloatArray();
        }
    }
}

package io.github.loradjl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;

import io.github.loradjl.adapter.LowRankUpdate;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.testing.Models;
import io.github.loradjl.torch.TorchOps;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.LinkedHashMap;
import java.util.Map;

class AdapterCombinationTest {

    private Model model;
    private NDManager manager;
    private LoraModel lora;

    @BeforeEach
    void open() {
        Engine.getInstance().setRandomSeed(3);
        model = Models.mlp();
        manager = model.getNDManager().newSubManager();
        lora = LoraModel.attach(model);
        lora.addAdapter("a", config(2, LoraInit.bothRandomUnsubtracted(), 1));
        lora.addAdapter("b", config(3, LoraInit.bothRandomUnsubtracted(), 2));
        lora.addAdapter("same", config(2, LoraInit.bothRandomUnsubtracted(), 3));
        lora.addAdapter("subtracted", config(2, LoraInit.bothRandom(), 4));
        LowRankUpdate update = update("subtracted", "0");
        update.set(update.getA().mul(1.5), update.getB());
    }

    @AfterEach
    void close() {
        lora.close();
        model.close();
    }

    private static LoraConfig config(int rank, LoraInit init, long seed) {
        return LoraConfig.builder().optRank(rank).optAlpha(3).optInit(init).optSeed(seed).build();
    }

    @Test
    void concatenate_isTheWeightedSumOfUpdates() {
        Map<String, Double> weights = weights("a", .5, "b", -2., "subtracted", 1.);
        lora.addWeightedAdapter("sum", weights, AdapterCombination.CONCATENATE);
        for (String path : new String[] {"0", "3"}) {
            // The subtracted pair counts with its own rank.
            assertThat(update("sum", path).getRank()).isEqualTo(2 + 3 + 2 * 2);
            assertThat(update("sum", path).getScaling()).isEqualTo(1);
            assertClose(delta("sum", path), weighted(weights, path));
        }
        lora.setActive("sum");
        assertThat(lora.getTrainableParameters()).hasSize(4);
    }

    @Test
    void linear_weightsTheFactorsAsPeftDoes() {
        Map<String, Double> weights = weights("a", -.7, "same", 2.);
        lora.addWeightedAdapter("sum", weights, AdapterCombination.LINEAR);
        double eta = 3. / 2;
        NDArray a =
                update("a", "0")
                        .getA()
                        .mul(-Math.sqrt(.7 * eta))
                        .add(update("same", "0").getA().mul(Math.sqrt(2 * eta)));
        NDArray b =
                update("a", "0")
                        .getB()
                        .mul(Math.sqrt(.7 * eta))
                        .add(update("same", "0").getB().mul(Math.sqrt(2 * eta)));
        assertClose(update("sum", "0").getA(), a);
        assertClose(update("sum", "0").getB(), b);
        assertThat(update("sum", "0").getScaling()).isEqualTo(1);
    }

    @Test
    void linear_ofOneAdapter_isItsMultiple() {
        lora.addWeightedAdapter("half", Map.of("a", .5), AdapterCombination.LINEAR);
        assertClose(delta("half", "0"), delta("a", "0").mul(.5));
        lora.addWeightedAdapter("negative", Map.of("a", -1.), AdapterCombination.LINEAR);
        assertClose(delta("negative", "0"), delta("a", "0").mul(-1));
    }

    @Test
    void svd_isTheBestApproximationOfTheSum() {
        Map<String, Double> weights = weights("a", 1., "b", 1.);
        lora.addWeightedAdapter("sum", weights, AdapterCombination.SVD);
        assertThat(update("sum", "0").getRank()).isEqualTo(3);
        NDArray full = weighted(weights, "0");
        NDArray rest = full.sub(delta("sum", "0"));
        // The sum has rank 5: what is left are its two smallest singular values.
        NDList svd = TorchOps.svd(full);
        float[] s = svd.get(1).toFloatArray();
        double expected = 0;
        for (int i = 3; i < s.length; i++) {
            expected += s[i] * s[i];
        }
        assertThat(rest.square().sum().getFloat()).isCloseTo((float) expected, within(1e-4f));
        // PEFT keeps the singular values in B and leaves A's rows orthonormal.
        NDArray a = update("sum", "0").getA();
        assertClose(a.matMul(a.transpose()), manager.eye(3));
    }

    @Test
    void combinations_thatCannotWork_areRefused() {
        assertThatThrownBy(
                        () ->
                                lora.addWeightedAdapter(
                                        "x", weights("a", 1., "b", 1.), AdapterCombination.LINEAR))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("equal ranks");
        assertThatThrownBy(
                        () ->
                                lora.addWeightedAdapter(
                                        "x", Map.of("subtracted", 1.), AdapterCombination.LINEAR))
                .hasMessageContaining("subtracted");
        assertThatThrownBy(
                        () ->
                                lora.addWeightedAdapter(
                                        "x", Map.of("nobody", 1.), AdapterCombination.SVD))
                .hasMessageContaining("no adapter nobody");
        assertThatThrownBy(
                        () ->
                                lora.addWeightedAdapter(
                                        "x", Map.of(), AdapterCombination.CONCATENATE))
                .hasMessageContaining("no adapters to combine");
        lora.addAdapter("biased", LoraConfig.builder().optBias(LoraConfig.Bias.ALL).build());
        assertThatThrownBy(
                        () ->
                                lora.addWeightedAdapter(
                                        "x", Map.of("biased", 1.), AdapterCombination.SVD))
                .hasMessageContaining("biases");
        assertThat(lora.getAdapters()).doesNotContain("x");
    }

    @Test
    void combining_leavesNoArraysBehind() {
        int before = manager.getParentManager().getManagedArrays().size();
        int own = lora.getManager().getManagedArrays().size();
        for (AdapterCombination combination : AdapterCombination.values()) {
            lora.addWeightedAdapter("x", weights("a", 1., "same", 1.), combination);
            assertThat(lora.getManager().getManagedArrays()).as("%s", combination).hasSize(own + 4);
            lora.removeAdapter("x");
        }
        assertThat(lora.getManager().getManagedArrays()).hasSize(own);
        assertThat(manager.getParentManager().getManagedArrays()).hasSize(before);
    }

    private static Map<String, Double> weights(Object... pairs) {
        Map<String, Double> weights = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            weights.put((String) pairs[i], (Double) pairs[i + 1]);
        }
        return weights;
    }

    private NDArray weighted(Map<String, Double> weights, String path) {
        NDArray sum = null;
        for (Map.Entry<String, Double> e : weights.entrySet()) {
            NDArray part = delta(e.getKey(), path).mul(e.getValue());
            sum = sum == null ? part : sum.add(part);
        }
        return sum;
    }

    private LowRankUpdate update(String name, String path) {
        return lora.getTargets(name).get(path).get(name);
    }

    private NDArray delta(String name, String path) {
        return update(name, path).delta(manager);
    }

    private static void assertClose(NDArray actual, NDArray expected) {
        // Sums of up to nine products of numbers around 1 in float32.
        assertThat(actual.sub(expected).abs().max().getFloat()).isLessThan(1e-5f);
    }
}

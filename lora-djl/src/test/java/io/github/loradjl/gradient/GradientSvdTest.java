package io.github.loradjl.gradient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.training.loss.Loss;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.init.GradientFactors;
import io.github.loradjl.init.GradientKind;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.init.LoraStart;
import io.github.loradjl.linalg.SingularFactors;
import io.github.loradjl.linalg.Subspaces;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.testing.Batches;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

class GradientSvdTest {

    private static final SvdOptions EXACT = SvdOptions.builder().optExact(true).build();
    private static final int COUNT = 4;

    private Model model;
    private LoraModel lora;
    private NDManager manager;
    private List<Batch> batches;

    @BeforeEach
    void setUp() {
        model = Model.newInstance("mlp");
        manager = model.getNDManager().newSubManager();
        SequentialBlock block =
                new SequentialBlock()
                        .add(Linear.builder().setUnits(24).build())
                        .add(Activation.tanhBlock())
                        .add(Linear.builder().setUnits(20).optBias(false).build())
                        .add(Activation.tanhBlock())
                        .add(Linear.builder().setUnits(12).build());
        block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 16));
        model.setBlock(block);
        lora = LoraModel.attach(model, LoraConfig.builder().optRank(2).build());
        batches = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            batches.add(
                    Batches.of(
                            manager,
                            manager.randomNormal(new Shape(32, 16)),
                            manager.randomNormal(new Shape(32, 12))));
        }
    }

    @AfterEach
    void tearDown() {
        lora.close();
        model.close();
    }

    private GradientTask task(SvdOptions svd, GradientKind kind) {
        Map<String, Integer> counts = new HashMap<>();
        lora.getTargets("default").keySet().forEach(path -> counts.put(path, COUNT));
        return new GradientTask(
                lora.getBase(),
                lora.getTargets("default"),
                counts,
                Loss.l2Loss(),
                batches,
                LoraGaInit.builder().optGradientKind(kind).optSvdOptions(svd).build(),
                0,
                7,
                manager,
                null);
    }

    /** Takes the averaged gradient with DJL's own means, by unfreezing the weight. */
    private NDArray gradient(String path) {
        NDArray weight = lora.getTargets("default").get(path).getWeight();
        weight.setRequiresGradient(true);
        try (GradientMode mode = GradientMode.on()) {
            for (Batch batch : batches) {
                NDList out =
                        lora.getBase()
                                .forward(new ParameterStore(manager, false), batch.getData(), true);
                TorchOps.backward(Loss.l2Loss().evaluate(batch.getLabels(), out));
            }
        }
        NDArray gradient = weight.getGradient().div(batches.size());
        weight.setRequiresGradient(false);
        return gradient;
    }

    @Test
    void wholeModel_decomposesTheAveragedGradient() {
        Map<String, GradientFactors> factors =
                GradientSvd.wholeModel().compute(task(EXACT, GradientKind.SGD));
        for (String path : List.of("0", "2", "4")) {
            float[] expected = TorchOps.svd(gradient(path)).get(1).toFloatArray();
            float[] actual = factors.get(path).leading().s().toFloatArray();
            for (int i = 0; i < COUNT; i++) {
                // float32 sums in another order
                assertThat(actual[i]).isCloseTo(expected[i], within(1e-5f * expected[0]));
            }
        }
    }

    @Test
    void strategies_agree() {
        GradientTask exact = task(EXACT, GradientKind.SGD);
        Map<String, GradientFactors> whole = GradientSvd.wholeModel().compute(exact);
        List<GradientSvd> others =
                List.of(
                        GradientSvd.serial(1),
                        GradientSvd.serial(2),
                        GradientSvd.layerByLayer(),
                        GradientSvd.layerByLayer(0));
        for (GradientSvd other : others) {
            compare(whole, other.compute(exact), 0.99999);
        }
        SvdOptions sharp = SvdOptions.builder().optPowerIterations(4).build();
        compare(whole, GradientSvd.probe().compute(task(sharp, GradientKind.SGD)), 0.999);
    }

    private static void compare(
            Map<String, GradientFactors> expected,
            Map<String, GradientFactors> actual,
            double cosine) {
        assertThat(actual.keySet()).containsExactlyElementsOf(expected.keySet());
        expected.forEach(
                (path, factors) -> {
                    SingularFactors e = factors.leading();
                    SingularFactors a = actual.get(path).leading();
                    // Only a span with a gap behind it is well determined.
                    int k = Subspaces.separated(e, COUNT - 1, 1.05);
                    for (float c : Subspaces.columnCosines(first(e.u(), k), first(a.u(), k))) {
                        assertThat((double) c).as(path).isGreaterThan(cosine);
                    }
                    for (float c : Subspaces.rowCosines(e.vt().get(":" + k), a.vt().get(":" + k))) {
                        assertThat((double) c).as(path).isGreaterThan(cosine);
                    }
                });
    }

    private static NDArray first(NDArray columns, int k) {
        return columns.get(":, :" + k);
    }

    @Test
    void layerByLayer_sign_isTheSignOfTheGradient() {
        Map<String, GradientFactors> factors =
                GradientSvd.layerByLayer().compute(task(EXACT, GradientKind.SIGN));
        float expected = TorchOps.svd(gradient("2").sign()).get(1).toFloatArray()[0];
        // One sign may flip where an entry is zero to rounding; none is among so few entries.
        assertThat(factors.get("2").leading().s().toFloatArray()[0])
                .isCloseTo(expected, within(1e-4f));
        assertThat(factors.get("2").leading().energy()).isCloseTo(20 * 24, within(1e-6));
    }

    @Test
    void strategies_adam_fitAPairBesideTheVectorsOfTheGradient() {
        GradientTask adam = task(EXACT, GradientKind.ADAM);
        Map<String, GradientFactors> whole = GradientSvd.wholeModel().compute(adam);
        compare(GradientSvd.wholeModel().compute(task(EXACT, GradientKind.SGD)), whole, 0.99999);
        Map<String, GradientFactors> layers = GradientSvd.layerByLayer().compute(adam);
        compare(whole, layers, 0.99999);
        for (String path : List.of("0", "2", "4")) {
            LoraStart pair = layers.get(path).fitted();
            assertThat(pair.a().getShape().get(0)).isEqualTo(COUNT / 2);
            double cosine = pair.firstAdamStepCosine(gradient(path));
            // A gradient that rounds differently may turn a sign, of hundreds.
            assertThat(layers.get(path).captured())
                    .as(path)
                    .isCloseTo(cosine * cosine, within(1e-2));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = GradientKind.class,
            names = {"SIGN", "ADAM"})
    void probe_kindsThatNeedEntries_areRefusedByName(GradientKind kind) {
        GradientTask task = task(SvdOptions.defaults(), kind);
        assertThatThrownBy(() -> GradientSvd.probe().compute(task))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("and " + kind + " needs")
                .hasMessageContaining("use the whole-model, serial or layer-by-layer strategy");
    }

    /** The sign of NaN is 0, which would be decomposed without complaint. */
    @ParameterizedTest
    @EnumSource(GradientKind.class)
    void strategies_gradientOfNaN_isNamed(GradientKind kind) {
        batches.get(1).getData().head().muli(Float.NaN);
        assertThatThrownBy(() -> GradientSvd.wholeModel().compute(task(EXACT, kind)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("gradient of 0: it holds NaN");
    }

    private int live() {
        return model.getNDManager().getManagedArrays().size()
                + manager.getManagedArrays().size()
                + batches.stream().mapToInt(b -> b.getManager().getManagedArrays().size()).sum();
    }

    @Test
    void strategies_leaveNothingBehind() {
        for (GradientSvd strategy :
                List.of(
                        GradientSvd.wholeModel(),
                        GradientSvd.serial(1),
                        GradientSvd.layerByLayer(),
                        GradientSvd.layerByLayer(0),
                        GradientSvd.probe())) {
            strategy.compute(task(SvdOptions.defaults(), GradientKind.SGD))
                    .values()
                    .forEach(GradientFactors::close);
            int before = live();
            strategy.compute(task(SvdOptions.defaults(), GradientKind.SGD))
                    .values()
                    .forEach(GradientFactors::close);
            assertThat(live()).isEqualTo(before);
        }
        lora.getTargets("default")
                .values()
                .forEach(
                        layer ->
                                assertThat(TorchOps.gradientOf(layer.getWeight()))
                                        .as(layer.getPath())
                                        .isNull());
    }

    /** Puts another block in the place of the model's, with adapters of its own. */
    private void attach(SequentialBlock block) {
        lora.close();
        block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 16));
        model.setBlock(block);
        lora = LoraModel.attach(model, LoraConfig.builder().optRank(2).build());
    }

    @Test
    void layerByLayer_listsBetweenChildren_areDifferentiatedWhole() {
        attach(
                new SequentialBlock()
                        .add(Linear.builder().setUnits(24).build())
                        .add(x -> new NDList(x.head().tanh(), x.head().square()))
                        .add(x -> new NDList(x.get(0).add(x.get(1))))
                        .add(Linear.builder().setUnits(12).build()));
        GradientTask exact = task(EXACT, GradientKind.SGD);
        compare(
                GradientSvd.wholeModel().compute(exact),
                GradientSvd.layerByLayer().compute(exact),
                0.99999);
    }

    @Test
    void strategies_targetWithoutGradient_isNamed() {
        attach(
                new SequentialBlock()
                        .add(Linear.builder().setUnits(24).build())
                        .add(x -> new NDList(x.head().stopGradient()))
                        .add(Linear.builder().setUnits(12).build()));
        for (GradientSvd strategy :
                List.of(
                        GradientSvd.wholeModel(),
                        GradientSvd.serial(1),
                        GradientSvd.layerByLayer(),
                        GradientSvd.probe())) {
            assertThatThrownBy(
                            () -> strategy.compute(task(SvdOptions.defaults(), GradientKind.SGD)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageStartingWith("target 0 receives no gradient");
        }
    }
}

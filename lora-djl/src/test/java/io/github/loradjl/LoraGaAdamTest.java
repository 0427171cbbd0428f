package io.github.loradjl;

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

import io.github.loradjl.adapter.LowRankUpdate;
import io.github.loradjl.gradient.GradientSvd;
import io.github.loradjl.init.GradientKind;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.init.LoraStart;
import io.github.loradjl.linalg.Subspaces;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.testing.Batches;
import io.github.loradjl.testing.Models;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Adapters that start from pairs fitted to the first Adam step, from the gradient pass on. */
class LoraGaAdamTest {

    private static final LoraConfig CONFIG =
            LoraConfig.builder()
                    .optRank(2)
                    .optAlpha(4)
                    .optRankStabilized(true)
                    .optInit(LoraGaInit.builder().optGradientKind(GradientKind.ADAM).build())
                    .build();

    private Model model;
    private NDManager manager;
    private Batch batch;

    @BeforeEach
    void setUp() {
        model = Model.newInstance("mlp");
        manager = model.getNDManager().newSubManager();
        SequentialBlock block =
                new SequentialBlock()
                        .add(Linear.builder().setUnits(24).build())
                        .add(Activation.tanhBlock())
                        .add(Linear.builder().setUnits(20).optBias(false).build());
        block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 16));
        model.setBlock(block);
        batch =
                Batches.of(
                        manager,
                        manager.randomNormal(new Shape(32, 16)),
                        manager.randomNormal(new Shape(32, 20)));
    }

    @AfterEach
    void tearDown() {
        model.close();
    }

    private LoraGaReport start(LoraModel lora) {
        return LoraGa.start(lora, Loss.l2Loss(), List.of(batch));
    }

    private float[] run(boolean training) {
        return Models.run(model.getBlock(), batch.getData(), training);
    }

    private void backward() {
        try (GradientMode mode = GradientMode.on()) {
            ParameterStore store = new ParameterStore(manager, false);
            NDList out = model.getBlock().forward(store, batch.getData(), true);
            TorchOps.backward(Loss.l2Loss().evaluate(batch.getLabels(), out));
        }
    }

    private static LowRankUpdate update(LoraModel lora, String path) {
        return lora.getTargets("default").get(path).get("default");
    }

    @Test
    void start_computesTheFunctionOfTheBase() {
        float[] base = run(false);
        try (LoraModel lora = LoraModel.attach(model, CONFIG)) {
            start(lora);
            assertThat(TorchOps.squareSum(update(lora, "0").getA())).isPositive();
            assertThat(run(false)).isEqualTo(base);
            assertThat(run(true)).isEqualTo(base);
        }
    }

    /** Gradients of A and B by autograd, their signs, and the change of the weight they make. */
    @Test
    void start_firstAdamStep_capturesWhatTheReportSays() {
        try (LoraModel lora = LoraModel.attach(model, CONFIG)) {
            LoraGaReport report = start(lora);
            NDArray weight = lora.getTargets("default").get("2").getWeight();
            LowRankUpdate update = update(lora, "2");
            weight.setRequiresGradient(true);
            backward();
            NDArray sign = TorchOps.gradientOf(weight).sign();
            double norm = TorchOps.gradientOf(weight).norm().getFloat();
            weight.setRequiresGradient(false);
            double rate = 1e-4;
            for (NDArray factor : List.of(update.getA(), update.getB())) {
                factor.stopGradient().subi(TorchOps.gradientOf(factor).sign().mul(rate));
            }
            NDArray step = update.delta(manager);
            LoraGaReport.Target target = report.targets().get("2");
            // Up to the step's quadratic part, the rate over the size of the factors.
            double captured = Math.pow(Subspaces.cosine(step, sign), 2);
            assertThat(Subspaces.cosine(step, sign)).isNegative();
            assertThat(captured).isCloseTo(target.capturedEnergy(), within(1e-2)).isGreaterThan(.3);
            assertThat(target.gradientNorm()).isCloseTo(norm, within(1e-6));
            // The best factor: the step is -lr times the projection of sign(G) on its direction.
            assertThat(step.norm().getFloat() / rate)
                    .isCloseTo(Math.sqrt(captured * 20 * 24), within(.1));
        }
    }

    @Test
    void start_again_givesTheSameNumbersAndLeavesNothingBehind() {
        float[] first;
        try (LoraModel lora = LoraModel.attach(model, CONFIG)) {
            start(lora);
            first = update(lora, "0").getA().toFloatArray();
        }
        int arrays = model.getNDManager().getManagedArrays().size();
        try (LoraModel lora = LoraModel.attach(model, CONFIG)) {
            int pending = model.getNDManager().getManagedArrays().size();
            start(lora);
            // A0 and B0 of two targets.
            assertThat(model.getNDManager().getManagedArrays()).hasSize(pending + 4);
            assertThat(update(lora, "0").getA().toFloatArray()).isEqualTo(first);
        }
        assertThat(model.getNDManager().getManagedArrays()).hasSize(arrays);
    }

    @Test
    void start_byTheProbe_isRefusedAndStaysPending() {
        LoraGaOptions probe = LoraGaOptions.builder().optStrategy(GradientSvd.probe()).build();
        try (LoraModel lora = LoraModel.attach(model, CONFIG)) {
            assertThatThrownBy(() -> LoraGa.start(lora, Loss.l2Loss(), List.of(batch), probe))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("ADAM needs the signs of its entries");
            assertThat(lora.isStartPending("default")).isTrue();
        }
    }

    @Test
    void save_carriesTheStartOver(@TempDir Path folder) throws Exception {
        float[] expected;
        LoraStart before;
        try (LoraModel lora = LoraModel.attach(model, CONFIG)) {
            start(lora);
            update(lora, "0").getA().stopGradient().addi(.125f);
            expected = run(false);
            LowRankUpdate update = update(lora, "2");
            before = new LoraStart(update.getA0().duplicate(), update.getB0().duplicate());
            before.attach(manager);
            PeftAdapter.save(lora, folder);
        }
        assertThat(Files.readString(folder.resolve("lora_djl.json"))).contains("\"lora_ga\"");
        try (LoraModel lora = PeftAdapter.load(model, folder)) {
            assertThat(lora.isStartPending("default")).isFalse();
            assertThat(update(lora, "2").getA0()).isEqualTo(before.a());
            assertThat(update(lora, "2").getB0()).isEqualTo(before.b());
            assertThat(run(false)).isEqualTo(expected);
        }
    }
}

package io.github.loradjl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.RandomAccessDataset;
import ai.djl.training.listener.TrainingListenerAdapter;
import ai.djl.training.loss.Loss;

import io.github.loradjl.adapter.AdaptedBlock;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.gradient.GradientSvd;
import io.github.loradjl.init.GradientKind;
import io.github.loradjl.init.InitContext;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.init.LoraStart;
import io.github.loradjl.init.Scale;
import io.github.loradjl.linalg.Subspaces;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.testing.Batches;
import io.github.loradjl.testing.Models;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.training.LoraGaListener;
import io.github.loradjl.training.LoraOptimizer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

class LoraGaTest {

    private static final LoraGaInit EXACT =
            LoraGaInit.builder()
                    .optScale(Scale.gd())
                    .optSvdOptions(SvdOptions.builder().optExact(true).build())
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

    private LoraModel attach(LoraInit init) {
        return LoraModel.attach(
                model,
                LoraConfig.builder()
                        .optRank(2)
                        .optAlpha(4)
                        .optRankStabilized(true)
                        .optInit(init)
                        .build());
    }

    @Test
    void start_firstStep_pointsAlongTheGradientAsFarAsRankAllows() {
        try (LoraModel lora = attach(EXACT)) {
            LoraGaReport report = LoraGa.start(lora, Loss.l2Loss(), List.of(batch));
            assertThat(lora.isStartPending("default")).isFalse();
            assertThat(report.targets().keySet()).containsExactly("0", "2");
            ParameterStore store = new ParameterStore(manager, false);
            LoraLinear layer = lora.getTargets("default").get("2");
            NDArray weight = TorchOps.alias(layer.getWeight(), manager);
            try (GradientMode mode = GradientMode.on()) {
                NDList out = model.getBlock().forward(store, batch.getData(), true);
                TorchOps.backward(Loss.l2Loss().evaluate(batch.getLabels(), out));
            }
            NDArray gradient = gradientOfSecondLayer(weight);
            double rate = 1e-3;
            for (NDArray factor :
                    List.of(layer.get("default").getA(), layer.get("default").getB())) {
                factor.stopGradient().subi(TorchOps.gradientOf(factor).mul(rate));
            }
            NDArray step = layer.get("default").delta(manager);
            LoraGaReport.Target target = report.targets().get("2");
            // The bound is reached up to the step's quadratic part and float32.
            assertThat(-Subspaces.cosine(step, gradient))
                    .isCloseTo(Math.sqrt(target.capturedEnergy()), within(1e-4));
            assertThat(target.gradientNorm()).isCloseTo(gradient.norm().getFloat(), within(1e-5));
            // Scale GD: all r singular values of eta B0 A0 are 1 / eta.
            double start = Math.sqrt(2) / layer.get("default").getScaling();
            assertThat(target.startSize())
                    .isCloseTo(start / weight.norm().getFloat(), within(1e-5));
        }
    }

    /** L = mean over all entries of (x W^T - y)^2 / 2 in DJL, so G = (x W^T - y)^T x / count. */
    private NDArray gradientOfSecondLayer(NDArray weight) {
        ParameterStore store = new ParameterStore(manager, false);
        NDList hidden = new NDList(batch.getData());
        SequentialBlock block = (SequentialBlock) ((AdaptedBlock) model.getBlock()).getBase();
        for (int i = 0; i < 2; i++) {
            hidden = block.getChildren().valueAt(i).forward(store, hidden, false);
        }
        NDArray x = hidden.head();
        NDArray error = x.matMul(weight.transpose()).sub(batch.getLabels().head());
        return error.transpose().matMul(x).div(error.size());
    }

    @Test
    void start_again_doesNothing() {
        try (LoraModel lora = attach(LoraInit.loraGa())) {
            LoraGa.start(lora, Loss.l2Loss(), List.of(batch));
            float[] a = lora.getTargets("default").get("0").get("default").getA().toFloatArray();
            assertThat(LoraGa.start(lora, Loss.l2Loss(), List.of()).targets()).isEmpty();
            assertThat(lora.getTargets("default").get("0").get("default").getA().toFloatArray())
                    .isEqualTo(a);
        }
    }

    @Test
    void start_bySigns_decomposesTheSignsOfTheGradient() {
        LoraGaInit signs = LoraGaInit.builder().optGradientKind(GradientKind.SIGN).build();
        try (LoraModel lora = attach(signs)) {
            LoraGaReport report = LoraGa.start(lora, Loss.l2Loss(), List.of(batch));
            // Every entry of the sign is 1 or -1.
            assertThat(report.targets().get("0").gradientNorm())
                    .isCloseTo(Math.sqrt(24 * 16), within(1e-6));
            assertThat(report.targets().get("2").gradientNorm())
                    .isCloseTo(Math.sqrt(20 * 24), within(1e-6));
        }
    }

    @Test
    void start_afterDetach_isRefused() {
        LoraModel lora = attach(LoraInit.loraGa());
        lora.detach();
        assertThatThrownBy(() -> LoraGa.start(lora, Loss.l2Loss(), List.of(batch)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("detached");
    }

    @Test
    void start_noBatches_isRefusedAndStaysPending() {
        try (LoraModel lora = attach(LoraInit.loraGa())) {
            assertThatThrownBy(() -> LoraGa.start(lora, Loss.l2Loss(), List.of()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("calibration");
            assertThat(lora.isStartPending("default")).isTrue();
        }
    }

    @Test
    void start_lossThatFailsOnTheWay_leavesNothingBehind() {
        float[] output = Models.run(model.getBlock(), batch.getData(), false);
        List<Batch> twice = List.of(batch, batch);
        try (LoraModel lora = attach(LoraInit.loraGa())) {
            for (GradientSvd strategy :
                    List.of(
                            GradientSvd.wholeModel(),
                            GradientSvd.serial(1),
                            GradientSvd.layerByLayer(),
                            GradientSvd.layerByLayer(0),
                            GradientSvd.probe())) {
                LoraGaOptions options = LoraGaOptions.builder().optStrategy(strategy).build();
                int before = live();
                assertThatThrownBy(() -> LoraGa.start(lora, new FailingLoss(), twice, options))
                        .hasMessage("no loss today");
                assertThat(lora.isStartPending("default")).isTrue();
                assertThat(live()).isEqualTo(before);
                assertThat(GradientMode.isOn()).isFalse();
                assertThat(Models.run(model.getBlock(), batch.getData(), false)).isEqualTo(output);
            }
        }
    }

    @Test
    void start_failureOfTheSecondAdapter_startsNone() {
        try (LoraModel lora = attach(LoraInit.loraGa())) {
            LoraConfig second =
                    LoraConfig.builder().optTargetModules("2").optInit(LoraInit.loraGa()).build();
            lora.addAdapter("second", second);
            lora.setActive("default", "second");
            GradientSvd strategy =
                    task -> {
                        if (task.targets().size() == 1) {
                            throw new IllegalStateException("no gradient today");
                        }
                        return GradientSvd.automatic().compute(task);
                    };
            LoraGaOptions options = LoraGaOptions.builder().optStrategy(strategy).build();
            assertThatThrownBy(() -> LoraGa.start(lora, Loss.l2Loss(), List.of(batch), options))
                    .hasMessage("no gradient today");
            assertThat(lora.isStartPending("default")).isTrue();
            LoraGa.start(lora, Loss.l2Loss(), List.of(batch));
            assertThat(lora.isStartPending("default")).isFalse();
            assertThat(lora.isStartPending("second")).isFalse();
        }
    }

    /** A user's own start from the gradient, of any rank, whose product is left in. */
    private record FirstVector() implements LoraInit {

        @Override
        public LoraStart start(InitContext context) {
            NDManager owner = context.manager();
            NDArray a = owner.zeros(new Shape(context.rank(), context.inputs()));
            NDArray b = owner.zeros(new Shape(context.outputs(), context.rank()));
            a.set(new NDIndex("0"), context.gradient().leading().vt().get(0));
            return new LoraStart(a, b);
        }

        @Override
        public boolean needsGradient() {
            return true;
        }

        @Override
        public String getName() {
            return "first_vector";
        }
    }

    @Test
    void start_ofAUsersOwn_needsNeitherTwiceTheRankNorASubtractedProduct() {
        LoraConfig config = LoraConfig.builder().optRank(12).optInit(new FirstVector()).build();
        try (LoraModel lora = LoraModel.attach(model, config)) {
            LoraGaReport report = LoraGa.start(lora, Loss.l2Loss(), List.of(batch));
            assertThat(report.targets().get("0").startSize()).isZero();
            // All 16 triplets of a 24 x 16 matrix hold all its energy, up to float32.
            assertThat(report.targets().get("0").capturedEnergy()).isCloseTo(1, within(1e-5));
        }
    }

    private int live() {
        return model.getNDManager().getManagedArrays().size();
    }

    private static final class FailingLoss extends Loss {

        private int calls;

        FailingLoss() {
            super("failing");
        }

        @Override
        public NDArray evaluate(NDList labels, NDList predictions) {
            if (++calls == 2) {
                throw new IllegalStateException("no loss today");
            }
            return Loss.l2Loss().evaluate(labels, predictions);
        }
    }

    @Test
    void start_seedsTheRunsGeneratorAgain() {
        Engine engine = Engine.getInstance();
        engine.setRandomSeed(11);
        float[] expected = manager.randomNormal(new Shape(4)).toFloatArray();
        for (GradientSvd strategy : List.of(GradientSvd.layerByLayer(), GradientSvd.probe())) {
            try (LoraModel lora = attach(LoraInit.loraGa())) {
                LoraGa.start(
                        lora,
                        Loss.l2Loss(),
                        List.of(batch),
                        LoraGaOptions.builder().optStrategy(strategy).build());
                assertThat(manager.randomNormal(new Shape(4)).toFloatArray()).isEqualTo(expected);
            }
        }
    }

    @Test
    void newTrainer_withoutListener_trainingIsRefused() {
        try (LoraModel lora = attach(LoraInit.loraGa());
                Trainer trainer = model.newTrainer(config(lora))) {
            assertThatThrownBy(() -> trainer.forward(batch.getData()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("LoraGaListener");
        }
    }

    private static DefaultTrainingConfig config(LoraModel lora) {
        return new DefaultTrainingConfig(Loss.l2Loss())
                .optDevices(new Device[] {Device.cpu()})
                .optOptimizer(LoraOptimizer.adamW(lora, 1e-3f));
    }

    @Test
    void listener_startsWhenTrainingBegins() {
        try (LoraModel lora = attach(LoraInit.loraGa())) {
            LoraGaListener listener =
                    new LoraGaListener(lora, List.of(batch), LoraGaOptions.defaults());
            try (Trainer trainer = model.newTrainer(config(lora).addTrainingListeners(listener))) {
                assertThat(listener.getReport().targets()).hasSize(2);
                assertThat(lora.isStartPending("default")).isFalse();
                assertThat(trainer.getManager().isOpen()).isTrue();
            }
        }
    }

    @Test
    void listener_failure_releasesTheTrainersManager() {
        try (LoraModel lora = attach(LoraInit.loraGa())) {
            List<NDManager> managers = new ArrayList<>();
            TrainingListenerAdapter witness =
                    new TrainingListenerAdapter() {

                        @Override
                        public void onTrainingBegin(Trainer trainer) {
                            managers.add(trainer.getManager());
                        }
                    };
            DefaultTrainingConfig config =
                    config(lora)
                            .addTrainingListeners(witness)
                            .addTrainingListeners(
                                    new LoraGaListener(lora, List.of(), LoraGaOptions.defaults()));
            assertThatThrownBy(() -> model.newTrainer(config))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(managers).hasSize(1).noneMatch(NDManager::isOpen);
        }
    }

    @Test
    void listener_ofAnotherModel_isRefused() {
        try (LoraModel lora = attach(LoraInit.loraGa());
                Model other = Models.mlp();
                LoraModel otherLora = LoraModel.attach(other, lora.getConfig("default"))) {
            DefaultTrainingConfig config =
                    config(lora)
                            .addTrainingListeners(
                                    new LoraGaListener(
                                            otherLora, List.of(batch), LoraGaOptions.defaults()));
            assertThatThrownBy(() -> model.newTrainer(config))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("another model");
        }
    }

    @Test
    void listener_withoutBatches_isRefused() {
        try (LoraModel lora = attach(LoraInit.loraGa())) {
            assertThatThrownBy(() -> new LoraGaListener(lora, shuffled(), 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("at least one");
        }
    }

    /** DJL draws the order of a shuffled data set from a generator that all share. */
    @Test
    void listener_shuffledData_trainsInTheOrderOfARunWithoutIt() throws Exception {
        RandomAccessDataset data = shuffled();
        try (LoraModel lora = attach(LoraInit.kaimingUniform())) {
            Engine.getInstance().setRandomSeed(5);
            float[] expected = firstBatch(config(lora), data);
            lora.addAdapter(
                    "ga", LoraConfig.builder().optRank(2).optInit(LoraInit.loraGa()).build());
            lora.setActive("ga");
            Engine.getInstance().setRandomSeed(5);
            LoraGaListener listener = new LoraGaListener(lora, data, 2, LoraGaOptions.defaults());
            assertThat(firstBatch(config(lora).addTrainingListeners(listener), data))
                    .isEqualTo(expected);
            assertThat(listener.getReport().targets()).hasSize(2);
        }
    }

    /** DJL closes all batches of a data set once it has given the last one. */
    @Test
    void listener_fewerBatchesThanAskedFor_takesAllOfThem() {
        try (LoraModel lora = attach(LoraInit.loraGa())) {
            LoraGaListener listener = new LoraGaListener(lora, shuffled(), 1000);
            model.newTrainer(config(lora).addTrainingListeners(listener)).close();
            assertThat(listener.getReport().targets()).hasSize(2);
        }
    }

    private RandomAccessDataset shuffled() {
        return new ArrayDataset.Builder()
                .setData(batch.getData().head())
                .optLabels(batch.getLabels().head())
                .setSampling(8, true)
                .build();
    }

    private float[] firstBatch(DefaultTrainingConfig config, RandomAccessDataset data)
            throws Exception {
        try (Trainer trainer = model.newTrainer(config);
                Batch first = trainer.iterateDataset(data).iterator().next()) {
            return first.getData().head().toFloatArray();
        }
    }

    @Test
    void listener_severalDevices_areRefused() {
        try (LoraModel lora = attach(LoraInit.loraGa())) {
            LoraGaListener listener =
                    new LoraGaListener(lora, List.of(batch), LoraGaOptions.defaults());
            DefaultTrainingConfig config =
                    config(lora)
                            .optDevices(new Device[] {Device.cpu(), Device.gpu(0)})
                            .addTrainingListeners(listener);
            assertThatThrownBy(() -> model.newTrainer(config))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("gpu(0)")
                    .hasMessageContaining("optDevices");
            assertThat(lora.isStartPending("default")).isTrue();
        }
    }
}

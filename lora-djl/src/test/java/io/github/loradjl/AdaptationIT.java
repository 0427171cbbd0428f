package io.github.loradjl;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.TrainingConfig;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.dataset.Dataset;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import ai.djl.translate.NoopTranslator;
import ai.djl.util.PairList;

import io.github.loradjl.adapter.AdaptedBlock;
import io.github.loradjl.adapter.AdapterSelection;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.testing.Models;
import io.github.loradjl.torch.TorchOps;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Whole lives of adapted models: trained by DJL's own loop, saved, loaded, detached, shared. */
class AdaptationIT {

    private static final int THREADS = 8;

    @BeforeEach
    void seed() {
        Engine.getInstance().setRandomSeed(17);
    }

    @Test
    void sequentialBlock_isTrainedSavedLoadedDetached(@TempDir Path folder) throws Exception {
        try (Model model = Models.mlp();
                NDManager manager = model.getNDManager().newSubManager()) {
            NDArray x = manager.randomNormal(new Shape(64, Models.IN));
            NDArray y = x.get(":, 0:" + Models.OUT).sin();
            live(model, new NDList(x), new NDList(y), Loss.l2Loss(), folder);
        }
    }

    @Test
    void bertBlock_isTrainedSavedLoadedDetached(@TempDir Path folder) throws Exception {
        try (Model model = Models.bert();
                NDManager manager = model.getNDManager().newSubManager()) {
            NDList x = Models.bertInput(manager);
            NDArray y = manager.zeros(new Shape(2, 6, 8));
            live(model, x, new NDList(y), new FirstOutput(), folder);
        }
    }

    @Test
    void bertBlock_atEveryStart_isTheBaseToTheLastBit() {
        try (Model model = Models.bert();
                NDManager manager = model.getNDManager().newSubManager()) {
            // Its attention feeds arrays that are not contiguous into the targets.
            NDList x = Models.bertInput(manager);
            model.getBlock().freezeParameters(true);
            float[] plain = Models.run(model.getBlock(), x, false);
            for (LoraInit init :
                    List.of(
                            LoraInit.kaimingUniform(),
                            LoraInit.bothRandom(),
                            LoraInit.orthonormal(),
                            LoraInit.pissa(),
                            LoraInit.olora())) {
                LoraConfig config = LoraConfig.builder().optRank(2).optInit(init).build();
                try (LoraModel lora = LoraModel.attach(model, config)) {
                    assertThat(Models.run(model.getBlock(), x, false))
                            .as(init.getName())
                            .isEqualTo(plain);
                }
            }
        }
    }

    /** The loss of the first of a block's outputs. */
    private static final class FirstOutput extends Loss {

        private final Loss loss = Loss.l2Loss();

        FirstOutput() {
            super("first");
        }

        @Override
        public NDArray evaluate(NDList labels, NDList predictions) {
            return loss.evaluate(labels, new NDList(predictions.head()));
        }
    }

    private static void live(Model model, NDList x, NDList y, Loss loss, Path folder)
            throws Exception {
        Block base = model.getBlock();
        // As a loaded model is. LibTorch may choose another matrix product, which rounds
        // differently, where a weight requires a gradient.
        base.freezeParameters(true);
        Map<String, float[]> before = Models.weights(base);
        float[] plain = Models.run(base, x, false);
        LoraConfig config =
                LoraConfig.builder().optRank(2).optAlpha(2).optInit(LoraInit.pissa()).build();
        float[] trained;
        try (LoraModel lora = LoraModel.attach(model, config)) {
            assertThat(Models.run(model.getBlock(), x, false)).isEqualTo(plain);
            float first = loss(model, loss, x, y);
            fit(model, loss, x, y);
            assertThat(loss(model, loss, x, y)).isLessThan(.9f * first);
            trained = Models.run(model.getBlock(), x, false);
            assertUnchanged(base, before);
            PeftAdapter.save(lora, folder);
        }
        assertThat(Models.run(model.getBlock(), x, false)).isEqualTo(plain);
        assertUnchanged(base, before);
        try (LoraModel lora = PeftAdapter.load(model, folder)) {
            assertThat(lora.getActive()).hasSize(1);
            // The file holds A and A0 as one factor of twice the rank: another order of sums.
            assertThat(Models.run(model.getBlock(), x, false))
                    .usingComparatorWithPrecision(1e-4f)
                    .containsExactly(trained);
        }
        assertThat(model.getBlock()).isSameAs(base);
        assertThat(Models.run(model.getBlock(), x, false)).isEqualTo(plain);
        assertUnchanged(base, before);
    }

    private static void assertUnchanged(Block base, Map<String, float[]> before) {
        Map<String, float[]> now = Models.weights(base);
        before.forEach((name, values) -> assertThat(now.get(name)).as(name).isEqualTo(values));
    }

    private static void fit(Model model, Loss loss, NDList x, NDList y) throws Exception {
        ArrayDataset data =
                new ArrayDataset.Builder()
                        .setData(x.toArray(new NDArray[0]))
                        .optLabels(y.head())
                        .setSampling((int) Math.min(8, x.head().getShape().get(0)), false)
                        .build();
        try (Trainer trainer = model.newTrainer(config(loss, adam()))) {
            trainer.initialize(shapes(x));
            EasyTrain.fit(trainer, 20, data, (Dataset) data);
        }
    }

    private static Optimizer adam() {
        return Optimizer.adam().optLearningRateTracker(Tracker.fixed(.01f)).build();
    }

    private static TrainingConfig config(Loss loss, Optimizer optimizer) {
        return new DefaultTrainingConfig(loss)
                .optDevices(new Device[] {Device.cpu()})
                .optOptimizer(optimizer);
    }

    private static Shape[] shapes(NDList list) {
        return list.stream().map(NDArray::getShape).toArray(Shape[]::new);
    }

    private static float loss(Model model, Loss loss, NDList x, NDList y) {
        try (NDManager scope = model.getNDManager().newSubManager()) {
            ParameterStore store = new ParameterStore(scope, false);
            NDList out = model.getBlock().forward(store, x, false);
            return loss.evaluate(y, out).getFloat();
        }
    }

    @Test
    void trainingForFiveHundredSteps_leavesNoArraysBehind() {
        Optimizer optimizer =
                Optimizer.adamW().optLearningRateTracker(Tracker.fixed(.001f)).build();
        try (Model model = Models.mlp();
                LoraModel lora =
                        LoraModel.attach(
                                model,
                                LoraConfig.builder()
                                        .optRank(2)
                                        .optDropout(.1)
                                        .optInit(LoraInit.bothRandom())
                                        .optBias(LoraConfig.Bias.ALL)
                                        .build());
                Trainer trainer = model.newTrainer(config(Loss.l2Loss(), optimizer))) {
            trainer.initialize(new Shape(4, Models.IN));
            int live = 0;
            for (int step = 1; step <= 500; step++) {
                step(trainer);
                if (step == 50) {
                    live = live(model);
                }
            }
            assertThat(live(model)).isEqualTo(live);
        }
    }

    private static void step(Trainer trainer) {
        try (NDManager scope = trainer.getManager().newSubManager()) {
            NDList data = new NDList(scope.randomNormal(new Shape(4, Models.IN)));
            NDList labels = new NDList(scope.ones(new Shape(4, Models.OUT)));
            try (GradientCollector collector = trainer.newGradientCollector()) {
                collector.backward(trainer.getLoss().evaluate(labels, trainer.forward(data)));
            }
            trainer.step();
        }
    }

    /** Counts the arrays of a model and of the engine's own manager. */
    private static int live(Model model) {
        return model.getNDManager().getManagedArrays().size()
                + NDManager.newBaseManager().getParentManager().getManagedArrays().size();
    }

    @Test
    void eightThreads_switchingAdaptersPerCall_getTheirOwnAnswers() throws Exception {
        try (Model model = Models.mlp();
                NDManager manager = model.getNDManager().newSubManager();
                LoraModel lora = LoraModel.attach(model)) {
            NDArray x = Models.mlpInput(manager, 3);
            List<String> names = new ArrayList<>();
            Map<String, float[]> answers = new HashMap<>();
            for (int i = 0; i < THREADS; i++) {
                String name = "adapter" + i;
                lora.addAdapter(
                        name,
                        LoraConfig.builder()
                                .optRank(2)
                                .optSeed(i)
                                .optInit(LoraInit.bothRandomUnsubtracted())
                                .build());
                names.add(name);
            }
            // Active ones are trainable: a careless prediction would record a graph.
            lora.setActive(names.toArray(String[]::new));
            for (String name : names) {
                try (AdapterSelection.Scope scope = lora.use(name)) {
                    answers.put(name, Models.run(model.getBlock(), new NDList(x), false));
                }
            }
            int live = live(model);
            ExecutorService executor = Executors.newFixedThreadPool(THREADS);
            try (Predictor<NDList, NDList> predictor = model.newPredictor(new NoopTranslator())) {
                List<Callable<Integer>> calls = new ArrayList<>();
                for (int t = 0; t < THREADS; t++) {
                    int seed = t;
                    calls.add(() -> predict(lora, predictor, x, names, answers, seed));
                }
                for (Future<Integer> future : executor.invokeAll(calls)) {
                    assertThat(future.get()).isEqualTo(100);
                }
            } finally {
                executor.shutdown();
            }
            assertThat(live(model)).isEqualTo(live);
        }
    }

    private static int predict(
            LoraModel lora,
            Predictor<NDList, NDList> predictor,
            NDArray x,
            List<String> names,
            Map<String, float[]> answers,
            int seed)
            throws Exception {
        int right = 0;
        for (int i = 0; i < 100; i++) {
            String name = names.get((seed + i * 3) % names.size());
            try (NDManager scope = lora.getModel().getNDManager().newSubManager()) {
                NDArray own = TorchOps.alias(x, scope);
                NDArray out;
                if (i % 2 == 0) {
                    try (AdapterSelection.Scope chosen = lora.use(name)) {
                        out = predictor.predict(new NDList(own)).head();
                        out.attach(scope);
                    }
                } else {
                    PairList<String, Object> params = new PairList<>();
                    params.add(AdaptedBlock.ADAPTERS, List.of(name));
                    ParameterStore store = new ParameterStore(scope, false);
                    Block block = lora.getModel().getBlock();
                    out = block.forward(store, new NDList(own), false, params).head();
                }
                assertThat(out.hasGradient()).as("recorded").isFalse();
                if (Arrays.equals(out.toFloatArray(), answers.get(name))) {
                    right++;
                }
            }
        }
        return right;
    }

    @Test
    void predictionDuringASwitch_seesOneChoice() throws Exception {
        try (Model model = Models.mlp();
                NDManager manager = model.getNDManager().newSubManager();
                LoraModel lora = LoraModel.attach(model)) {
            NDArray x = Models.mlpInput(manager, 3);
            List<float[]> allowed = new ArrayList<>();
            for (String name : List.of("a", "b")) {
                lora.addAdapter(
                        name,
                        LoraConfig.builder()
                                .optSeed(name.hashCode())
                                .optInit(LoraInit.bothRandomUnsubtracted())
                                .build());
                lora.setActive(name);
                allowed.add(Models.run(model.getBlock(), new NDList(x), false));
            }
            ExecutorService executor = Executors.newFixedThreadPool(2);
            try {
                Callable<Integer> predictions =
                        () -> {
                            int wrong = 0;
                            for (int i = 0; i < 300; i++) {
                                float[] y = Models.run(model.getBlock(), new NDList(x), false);
                                if (allowed.stream().noneMatch(a -> Arrays.equals(a, y))) {
                                    wrong++;
                                }
                            }
                            return wrong;
                        };
                Future<Integer> first = executor.submit(predictions);
                Future<Integer> second = executor.submit(predictions);
                for (int i = 0; !first.isDone() || !second.isDone(); i++) {
                    lora.setActive(i % 2 == 0 ? "a" : "b");
                }
                assertThat(first.get() + second.get()).isZero();
            } finally {
                executor.shutdown();
            }
        }
    }
}

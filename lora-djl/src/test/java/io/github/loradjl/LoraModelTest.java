package io.github.loradjl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.TranslateException;
import ai.djl.util.PairList;

import io.github.loradjl.adapter.AdaptedBlock;
import io.github.loradjl.adapter.AdapterSelection;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.testing.Models;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

class LoraModelTest {

    private static final String NAME = LoraModel.DEFAULT_ADAPTER;

    private Model model;
    private Block base;
    private NDManager manager;
    private NDList x;

    @BeforeEach
    void open() {
        Engine.getInstance().setRandomSeed(7);
        model = Models.mlp();
        base = model.getBlock();
        manager = model.getNDManager().newSubManager();
        x = new NDList(Models.mlpInput(manager, 5));
    }

    @AfterEach
    void close() {
        model.close();
    }

    private static LoraConfig.Builder config() {
        return LoraConfig.builder()
                .optRank(2)
                .optAlpha(2)
                .optInit(LoraInit.bothRandomUnsubtracted());
    }

    private float[] now() {
        return Models.run(model.getBlock(), x, false);
    }

    @Test
    void attach_listsTrainablesAndCountsThem() {
        try (LoraModel lora = LoraModel.attach(model, config().build())) {
            assertThat(lora.getTrainableParameters().keySet())
                    .containsExactly(
                            "0.lora_A.default",
                            "0.lora_B.default",
                            "3.lora_A.default",
                            "3.lora_B.default");
            assertThat(lora.getTrainableCount()).isEqualTo(2 * (8 + 16) + 2 * (16 + 4));
            assertThat(model.getBlock().getParameters().values())
                    .filteredOn(Parameter::requiresGradient)
                    .hasSize(4);
        }
    }

    @Test
    void attach_usesRankAndAlphaOfPatterns() {
        LoraConfig config =
                config().optRankPattern(Map.of("3", 3)).optAlphaPattern(Map.of("0", 5.)).build();
        try (LoraModel lora = LoraModel.attach(model, config)) {
            Map<String, LoraLinear> targets = lora.getTargets(NAME);
            assertThat(targets.get("0").get(NAME).getRank()).isEqualTo(2);
            assertThat(targets.get("0").get(NAME).getScaling()).isEqualTo(5. / 2);
            assertThat(targets.get("3").get(NAME).getRank()).isEqualTo(3);
            assertThat(targets.get("3").get(NAME).getScaling()).isEqualTo(2. / 3);
        }
    }

    @Test
    void detach_restoresEverything() throws IOException {
        Parameter frozen = base.getParameters().get("01Linear_bias");
        frozen.freeze(true);
        String before = digest(base);
        List<Object> children = new ArrayList<>(base.getChildren().values());
        List<Boolean> flags = flags(base);
        float[] output = now();
        int arrays = model.getNDManager().getManagedArrays().size();
        LoraConfig config =
                config().optBias(LoraConfig.Bias.ALL)
                        .optModulesToSave("2")
                        .optUpdateRunningStatistics(true)
                        .build();
        try (LoraModel lora = LoraModel.attach(model, config)) {
            train(3, .02f);
            lora.merge();
            assertThat(now()).isNotEqualTo(output);
        }
        assertThat(model.getBlock()).isSameAs(base);
        assertThat(new ArrayList<Object>(base.getChildren().values())).isEqualTo(children);
        assertThat(digest(base)).isEqualTo(before);
        assertThat(flags(base)).isEqualTo(flags);
        assertThat(now()).isEqualTo(output);
        assertThat(model.getNDManager().getManagedArrays()).hasSize(arrays);
    }

    @Test
    void training_neverChangesTheBase() throws IOException {
        String before = digest(base);
        LoraConfig config = config().optBias(LoraConfig.Bias.ALL).optModulesToSave("2").build();
        try (LoraModel lora = LoraModel.attach(model, config)) {
            float[] start = now();
            for (int i = 0; i < 3; i++) {
                train(1, .02f);
                assertThat(digest(model.getBlock())).isEqualTo(before);
            }
            assertThat(now()).isNotEqualTo(start);
        }
    }

    @Test
    void newTrainer_afterLoad_trainsOnlyTheAdapter(@TempDir Path folder) throws Exception {
        model.save(folder, "base");
        try (Model loaded = Models.mlp()) {
            loaded.load(folder, "base");
            try (LoraModel lora = LoraModel.attach(loaded, config().build())) {
                loaded.load(folder, "base"); // Again, while attached.
                try (Trainer trainer = loaded.newTrainer(Models.sgd(.02f))) {
                    trainer.initialize(new Shape(5, Models.IN));
                    assertOnlyAdapterTrains(loaded, lora);
                }
            }
        }
    }

    private static void assertOnlyAdapterTrains(Model model, LoraModel lora) {
        List<Parameter> trained =
                model.getBlock().getParameters().values().stream()
                        .filter(p -> p.requiresGradient() || p.getArray().hasGradient())
                        .toList();
        assertThat(trained).isEqualTo(List.copyOf(lora.getTrainableParameters().values()));
    }

    @Test
    void freezeParameters_neverUnfreezesTheBase() {
        try (LoraModel lora = LoraModel.attach(model, config().build())) {
            lora.addAdapter("other", config().build());
            model.getBlock().freezeParameters(true);
            assertThat(lora.getTrainableParameters().values())
                    .noneMatch(Parameter::requiresGradient);
            model.getBlock().freezeParameters(false);
            assertOnlyAdapterTrains(model, lora);
            base.freezeParameters(false); // Past the adapted block.
            train(1, .02f);
            assertOnlyAdapterTrains(model, lora);
        }
    }

    @Test
    void newTrainer_withEverythingFrozen_saysWhatToDo() {
        try (LoraModel lora = LoraModel.attach(model, config().build())) {
            lora.setActive();
            assertThatThrownBy(() -> train(1, .02f))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("setActive");
        }
    }

    @Test
    void setActive_trainsOnlyActiveAdapters() {
        try (LoraModel lora = LoraModel.attach(model, config().build())) {
            lora.addAdapter("other", config().optSeed(1).build());
            float[] other = Models.values(lora.getTargets("other").get("0").get("other").getA());
            // Weight decay would change it even without a gradient.
            train(2, .02f);
            assertThat(Models.values(lora.getTargets("other").get("0").get("other").getA()))
                    .isEqualTo(other);
            lora.setActive("other");
            float[] first = Models.values(lora.getTargets(NAME).get("0").get(NAME).getA());
            train(2, .02f);
            assertThat(Models.values(lora.getTargets("other").get("0").get("other").getA()))
                    .isNotEqualTo(other);
            assertThat(Models.values(lora.getTargets(NAME).get("0").get(NAME).getA()))
                    .isEqualTo(first);
        }
    }

    @Test
    void trainer_madeBeforeSwitching_followsTheSwitch() throws IOException {
        String before = digest(base);
        try (LoraModel lora = LoraModel.attach(model, config().build())) {
            lora.addAdapter("biased", config().optBias(LoraConfig.Bias.ALL).build());
            try (Trainer trainer = model.newTrainer(Models.sgd(.02f))) {
                trainer.initialize(new Shape(5, Models.IN));
                step(trainer);
                lora.setActive("biased");
                float[] bias = copy(lora, "biased", "0.bias");
                step(trainer);
                float[] trained = copy(lora, "biased", "0.bias");
                assertThat(trained).isNotEqualTo(bias);
                lora.setActive(NAME);
                step(trainer);
                assertThat(copy(lora, "biased", "0.bias")).isEqualTo(trained);
                lora.merge();
                assertThatThrownBy(() -> step(trainer))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("unmerge");
                lora.unmerge();
                step(trainer);
            }
            assertThat(digest(model.getBlock())).isEqualTo(before);
        }
    }

    private static float[] copy(LoraModel lora, String name, String path) {
        return Models.values(lora.getPrivateCopies(name).getCopies().get(path));
    }

    @Test
    void predictor_madeBefore_seesEverySwitch() throws TranslateException {
        float[] off = now();
        NoopTranslator translator = new NoopTranslator();
        try (Predictor<NDList, NDList> early = model.newPredictor(translator);
                LoraModel lora = LoraModel.attach(model, config().build())) {
            lora.addAdapter("biased", config().optBias(LoraConfig.Bias.ALL).build());
            lora.setActive("biased");
            train(1, .02f);
            lora.setActive();
            try (Predictor<NDList, NDList> predictor = model.newPredictor(translator)) {
                for (Predictor<NDList, NDList> p : List.of(early, predictor)) {
                    assertThat(predict(p)).isEqualTo(off);
                    lora.setActive(NAME);
                    assertThat(predict(p)).isEqualTo(now()).isNotEqualTo(off);
                    lora.setActive("biased");
                    assertThat(predict(p)).isEqualTo(now()).isNotEqualTo(off);
                    lora.merge();
                    assertThat(predict(p)).isEqualTo(now());
                    lora.setActive();
                    assertThat(predict(p)).isEqualTo(off);
                }
                lora.detach();
                assertThat(predict(predictor)).isEqualTo(off);
            }
        }
    }

    private float[] predict(Predictor<NDList, NDList> predictor) throws TranslateException {
        NDList out = predictor.predict(new NDList(x.head().duplicate()));
        return Models.values(out.head());
    }

    @Test
    void trainer_afterDetach_isRefused() {
        LoraModel lora = LoraModel.attach(model, config().build());
        try (Trainer trainer = model.newTrainer(Models.sgd(.02f))) {
            trainer.initialize(new Shape(5, Models.IN));
            Block adapted = model.getBlock();
            step(trainer);
            lora.detach();
            model.setBlock(adapted);
            assertThatThrownBy(() -> step(trainer))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("detached");
            model.setBlock(base);
        } // Closing works although the adapter's arrays are gone.
    }

    @Test
    void use_choosesForOneThread() throws Exception {
        try (LoraModel lora = LoraModel.attach(model, config().build())) {
            lora.addAdapter("other", config().optSeed(1).build());
            float[] first = now();
            lora.setActive("other");
            float[] other = now();
            lora.setActive();
            float[] none = now();
            try (AdapterSelection.Scope scope = lora.use("other")) {
                assertThat(now()).isEqualTo(other);
                try (AdapterSelection.Scope inner = lora.use(NAME)) {
                    assertThat(now()).isEqualTo(first);
                }
                assertThat(now()).isEqualTo(other);
                List<float[]> elsewhere = new ArrayList<>();
                Thread thread = new Thread(() -> elsewhere.add(now()));
                thread.start();
                thread.join();
                assertThat(elsewhere.get(0)).isEqualTo(none);
                assertThatThrownBy(() -> train(1, .02f)).hasMessageContaining("setActive");
            }
            assertThat(now()).isEqualTo(none);
            PairList<String, Object> params = new PairList<>();
            params.add(AdaptedBlock.ADAPTERS, List.of("other"));
            assertThat(now(params)).isEqualTo(other);
            params.clear();
            params.add(AdaptedBlock.ADAPTERS, List.of("nobody"));
            assertThatThrownBy(() -> now(params)).hasMessageContaining("no adapter nobody");
            params.clear();
            params.add(AdaptedBlock.ADAPTERS, "other");
            assertThatThrownBy(() -> now(params)).hasMessageContaining("list of adapter names");
        }
    }

    private float[] now(PairList<String, Object> params) {
        try (NDManager scope = manager.newSubManager()) {
            ParameterStore store = new ParameterStore(scope, false);
            return Models.values(
                    model.getBlock()
                            .forward(store, new NDList(x.head().duplicate()), false, params)
                            .head());
        }
    }

    @Test
    void use_whereThreadsWouldDisturbEachOther_isRefused() {
        try (LoraModel lora = LoraModel.attach(model, config().build())) {
            lora.addAdapter("biased", config().optBias(LoraConfig.Bias.ALL).build());
            assertThatThrownBy(() -> lora.use("biased"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("biased");
            lora.merge();
            assertThatThrownBy(() -> lora.use(NAME))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("unmerge");
            assertThatThrownBy(() -> lora.use("nobody"))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void bias_loraOnly_trainsBiasesOfTargets() {
        LoraConfig config =
                config().optTargetModules("0", "3").optBias(LoraConfig.Bias.LORA_ONLY).build();
        try (LoraModel lora = LoraModel.attach(model, config)) {
            assertThat(lora.getPrivateCopies(NAME).getParameters()).containsOnlyKeys("0.bias");
            lora.addAdapter("all", config().optBias(LoraConfig.Bias.ALL).build());
            assertThat(lora.getPrivateCopies("all").getParameters())
                    .containsOnlyKeys("0.bias", "2.beta");
            assertThatThrownBy(() -> lora.setActive(NAME, "all")).hasMessageContaining("0.bias");
        }
    }

    @Test
    void modulesToSave_areTrainedWholeAndNotAdapted() {
        LoraConfig config = config().optModulesToSave("3").build();
        float[] weight = Models.values(base.getParameters().get("04Linear_weight").getArray());
        try (LoraModel lora = LoraModel.attach(model, config)) {
            assertThat(lora.getTargets(NAME)).containsOnlyKeys("0");
            assertThat(lora.getTrainableParameters()).containsKey("3.weight");
            // Another adapter may target what this one trains whole.
            lora.addAdapter("other", config().build());
            train(2, .02f);
            float[] trained = now();
            assertThat(copy(lora, NAME, "3.weight")).isNotEqualTo(weight);
            lora.removeAdapter("other");
            assertThat(now()).isEqualTo(trained);
            lora.setEnabled(false);
            assertThat(Models.values(base.getParameters().get("04Linear_weight").getArray()))
                    .isEqualTo(weight);
            lora.setEnabled(true);
            assertThat(now()).isEqualTo(trained);
        }
    }

    @Test
    void runningStatistics_followOnlyWhereAsked() {
        float[] before = statistic();
        try (LoraModel lora = LoraModel.attach(model, config().build())) {
            train(2, .02f);
            assertThat(statistic()).isEqualTo(before);
            lora.addAdapter("follows", config().optUpdateRunningStatistics(true).build());
            lora.setActive("follows");
            train(2, .02f);
            assertThat(statistic()).isNotEqualTo(before);
            assertThat(lora.getTrainableParameters()).doesNotContainKey("2.runningMean");
            lora.setActive(NAME);
            train(1, .02f);
            assertThat(statistic()).isEqualTo(before);
        }
        assertThat(statistic()).isEqualTo(before);
    }

    private float[] statistic() {
        return Models.values(base.getParameters().get("03BatchNorm_runningMean").getArray());
    }

    @Test
    void merge_keepsOutputs() {
        try (LoraModel lora = LoraModel.attach(model, config().build())) {
            float[] separate = now();
            lora.merge();
            assertThat(lora.getMerged()).containsExactly(NAME);
            // Sums of 16 products in another order.
            assertThat(now()).usingComparatorWithPrecision(1e-4f).containsExactly(separate);
            lora.unmerge();
            assertThat(now()).isEqualTo(separate);
        }
    }

    @Test
    void removeAdapter_unmergesOnlyWhereItIsMerged() {
        try (LoraModel lora = LoraModel.attach(model, config().build())) {
            lora.merge();
            float[] merged = now();
            lora.addAdapter("other", config().build());
            lora.removeAdapter("other");
            assertThat(lora.getMerged()).containsExactly(NAME);
            assertThat(now()).isEqualTo(merged);
            lora.removeAdapter(NAME);
            assertThat(lora.getMerged()).isEmpty();
        }
    }

    @Test
    void merge_withNaN_changesNothing() throws IOException {
        String before = digest(base);
        try (LoraModel lora = LoraModel.attach(model, config().build())) {
            LoraLinear last = lora.getTargets(NAME).get("3");
            lora.merge();
            float[] merged = now();
            NDArray nan = last.get(NAME).getA().mul(Float.NaN);
            last.get(NAME).set(nan, last.get(NAME).getB());
            int arrays = model.getNDManager().getManagedArrays().size();
            assertThatThrownBy(lora::merge)
                    .isInstanceOf(ArithmeticException.class)
                    .hasMessageContaining("into 3 gives NaN");
            assertThatThrownBy(lora::mergeAndDetach).isInstanceOf(ArithmeticException.class);
            assertThat(model.getNDManager().getManagedArrays()).hasSize(arrays);
            assertThat(now()).isEqualTo(merged);
        }
        assertThat(digest(base)).isEqualTo(before);
    }

    @Test
    void mergeAndDetach_leavesTheChangesInTheBase() {
        LoraConfig config = config().optBias(LoraConfig.Bias.ALL).build();
        LoraModel lora = LoraModel.attach(model, config);
        train(2, .02f);
        float[] adapted = now();
        List<Boolean> flags = flags(base);
        lora.mergeAndDetach();
        assertThat(model.getBlock()).isSameAs(base);
        assertThat(base.getChildren().get(0).getValue().getClass()).isSameAs(Linear.class);
        assertThat(now()).usingComparatorWithPrecision(1e-4f).containsExactly(adapted);
        assertThat(flags).isNotEqualTo(flags(base)); // Unfrozen as before attach.
        assertThatThrownBy(lora::merge).hasMessageContaining("detached");
    }

    @Test
    void save_writesTheBaseAlone(@TempDir Path folder) throws Exception {
        float[] plain = now();
        String before = digest(base);
        LoraConfig config = config().optBias(LoraConfig.Bias.ALL).optModulesToSave("2").build();
        try (LoraModel lora = LoraModel.attach(model, config)) {
            train(2, .02f);
            lora.merge();
            assertThat(digest(model.getBlock())).isEqualTo(before);
            model.save(folder, "saved");
            assertThat(now()).isNotEqualTo(plain);
        }
        try (Model loaded = Model.newInstance("saved")) {
            loaded.setBlock(Models.mlp().getBlock());
            loaded.load(folder, "saved");
            assertThat(Models.run(loaded.getBlock(), x, false)).isEqualTo(plain);
        }
    }

    @Test
    void load_replacesTheBaseUnderTheAdapter(@TempDir Path folder) throws Exception {
        try (Model other = Models.mlp()) {
            other.save(folder, "other");
            try (LoraModel lora =
                    LoraModel.attach(model, config().optBias(LoraConfig.Bias.ALL).build())) {
                float[] bias = copy(lora, NAME, "0.bias");
                lora.merge();
                model.load(folder, "other");
                assertThat(lora.getMerged()).isEmpty();
                assertThat(copy(lora, NAME, "0.bias")).isEqualTo(bias);
                lora.setActive();
                assertThat(now()).isEqualTo(Models.run(other.getBlock(), x, false));
            }
        }
    }

    @Test
    void forward_thatMissesATarget_isRefused() {
        Linear unused = Linear.builder().setUnits(Models.OUT).build();
        Block block = new Detour(unused);
        try (Model detour = Models.model("detour", block, new Shape(2, Models.IN))) {
            try (LoraModel lora = LoraModel.attach(detour, config().build())) {
                assertThatThrownBy(() -> Models.run(detour.getBlock(), x, false))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("[unused]");
                lora.addAdapter("used", config().optTargetModules("used").build());
                lora.setActive("used");
                assertThat(Models.run(detour.getBlock(), x, false)).isNotEmpty();
            }
        }
    }

    @Test
    void pendingStart_refusesTrainingAndMerging() {
        LoraConfig config = config().optInit(LoraInit.loraGa()).build();
        float[] plain = now();
        try (LoraModel lora = LoraModel.attach(model, config)) {
            assertThat(lora.isStartPending(NAME)).isTrue();
            assertThat(now()).isEqualTo(plain);
            assertThatThrownBy(() -> train(1, .02f))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("LoraGaListener");
            assertThatThrownBy(lora::merge).hasMessageContaining("waits for its start");
            lora.setActive();
            lora.addAdapter("plain", config().build());
            lora.setActive("plain");
            train(1, .02f);
        }
    }

    @Test
    void attach_thatFails_leavesTheModelUnchanged() throws IOException {
        String before = digest(base);
        List<Boolean> flags = flags(base);
        // 2r > min(m, n) on the second target only, found before the first is wrapped.
        LoraConfig config = config().optRank(3).optInit(LoraInit.loraGa()).build();
        assertThatThrownBy(() -> LoraModel.attach(model, config))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("3");
        assertThat(model.getBlock()).isSameAs(base);
        assertThat(digest(base)).isEqualTo(before);
        assertThat(flags(base)).isEqualTo(flags);
        try (LoraModel lora = LoraModel.attach(model, config().optTargetModules("0").build())) {
            assertThatThrownBy(() -> lora.addAdapter("x", config)).hasMessageContaining("3");
            assertThat(lora.getAdapters()).containsExactly(NAME);
            assertThat(base.getChildren().get(3).getValue().getClass()).isSameAs(Linear.class);
        }
    }

    @Test
    void names_areChecked() {
        try (LoraModel lora = LoraModel.attach(model, config().build())) {
            assertThatThrownBy(() -> lora.addAdapter(NAME, config().build()))
                    .hasMessageContaining("exists already");
            assertThatThrownBy(() -> lora.addAdapter("a.b", config().build()))
                    .hasMessageContaining("no dots");
            assertThatThrownBy(() -> lora.setActive("nobody"))
                    .hasMessageContaining("no adapter nobody")
                    .hasMessageContaining(NAME);
            assertThatThrownBy(() -> lora.setActive(NAME, NAME)).hasMessageContaining("twice");
            assertThatThrownBy(() -> LoraModel.attach(model))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("adapted already");
        }
        try (Model empty = Model.newInstance("empty")) {
            assertThatThrownBy(() -> LoraModel.attach(empty))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("no initialized block");
        }
    }

    @Test
    void removeAdapter_givesItsLayersBack() {
        int arrays = model.getNDManager().getManagedArrays().size();
        try (LoraModel lora = LoraModel.attach(model)) {
            lora.addAdapter("a", config().optTargetModules("0").build());
            lora.addAdapter("b", config().optBias(LoraConfig.Bias.ALL).build());
            lora.setActive("a", "b");
            lora.removeAdapter("b");
            assertThat(lora.getActive()).containsExactly("a");
            assertThat(base.getChildren().get(3).getValue().getClass()).isSameAs(Linear.class);
            lora.removeAdapter("a");
            assertThat(base.getChildren().get(0).getValue().getClass()).isSameAs(Linear.class);
            assertThat(lora.getManager().getManagedArrays()).isEmpty();
        }
        assertThat(model.getNDManager().getManagedArrays()).hasSize(arrays);
    }

    @Test
    void removeAdapter_whileATrainerKnowsIt_letsTheTrainerGoOn() {
        try (LoraModel lora = LoraModel.attach(model, config().build())) {
            lora.addAdapter("other", config().optBias(LoraConfig.Bias.ALL).build());
            try (Trainer trainer = model.newTrainer(Models.sgd(.02f))) {
                step(trainer);
                lora.setActive("other");
                step(trainer);
                lora.removeAdapter("other");
                lora.setActive(NAME);
                float[] before = now();
                step(trainer);
                assertThat(now()).isNotEqualTo(before);
                lora.removeAdapter(NAME);
                lora.addAdapter(NAME, config().build());
                lora.setActive(NAME);
                step(trainer);
            }
        }
    }

    @Test
    void layerInTwoPlaces_isWrappedOnce() {
        Linear shared = Linear.builder().setUnits(Models.IN).build();
        Block block = new SequentialBlock().add(shared).add(shared);
        try (Model tied = Models.model("tied", block, new Shape(2, Models.IN));
                LoraModel lora = LoraModel.attach(tied, config().build())) {
            assertThat(lora.getTargets(NAME)).containsOnlyKeys("0");
            assertThat(block.getChildren().get(0).getValue())
                    .isInstanceOf(LoraLinear.class)
                    .isSameAs(block.getChildren().get(1).getValue());
        }
    }

    @Test
    void detach_afterTheModelIsClosed_works() {
        LoraModel lora = LoraModel.attach(model, config().build());
        model.close();
        lora.close();
        assertThat(base.getChildren().get(0).getValue().getClass()).isSameAs(Linear.class);
    }

    private void train(int steps, float rate) {
        try (Trainer trainer = model.newTrainer(Models.sgd(rate))) {
            trainer.initialize(new Shape(5, Models.IN));
            for (int i = 0; i < steps; i++) {
                step(trainer);
            }
        }
    }

    private void step(Trainer trainer) {
        try (NDManager scope = manager.newSubManager()) {
            NDList data = new NDList(x.head().duplicate());
            data.attach(scope);
            NDList labels = new NDList(scope.ones(new Shape(5, Models.OUT)));
            try (GradientCollector collector = trainer.newGradientCollector()) {
                collector.backward(trainer.getLoss().evaluate(labels, trainer.forward(data)));
            }
            trainer.step();
        }
    }

    private static List<Boolean> flags(Block block) {
        List<Boolean> flags = new ArrayList<>();
        for (Parameter parameter : block.getParameters().values()) {
            flags.add(parameter.requiresGradient());
            flags.add(parameter.getArray().hasGradient());
        }
        return flags;
    }

    /** Digests all that a model file would hold of a block. */
    private static String digest(Block block) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        block.saveParameters(new DataOutputStream(bytes));
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes.toByteArray());
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Has a layer that it does not use. */
    private static final class Detour extends AbstractBlock {

        private final Linear used =
                addChildBlock("used", Linear.builder().setUnits(Models.OUT).build());

        Detour(Linear unused) {
            addChildBlock("unused", unused);
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore store, NDList in, boolean training, PairList<String, Object> p) {
            return used.forward(store, in, training);
        }

        @Override
        protected void initializeChildBlocks(NDManager manager, DataType type, Shape... shapes) {
            getChildren().values().forEach(child -> child.initialize(manager, type, shapes));
        }

        @Override
        public Shape[] getOutputShapes(Shape[] shapes) {
            return used.getOutputShapes(shapes);
        }
    }
}

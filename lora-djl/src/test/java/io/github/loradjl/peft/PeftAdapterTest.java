package io.github.loradjl.peft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.LowRankUpdate;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.safetensors.SafetensorsFile;
import io.github.loradjl.safetensors.SafetensorsWriter;
import io.github.loradjl.testing.Models;
import io.github.loradjl.testing.SharedRoot;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

class PeftAdapterTest {

    // Both orders of the same float32 sums: a few units in the last place of numbers below 4.
    private static final float ROUNDING = 5e-6f;

    @TempDir Path temp;

    private Model model;
    private Path folder;

    @BeforeEach
    void setUp() {
        model = SmallNet.model(1);
        folder = temp.resolve("adapter");
    }

    @AfterEach
    void tearDown() {
        model.close();
    }

    @Test
    void load_ordinaryAdapter_restoresFunctionAndConfiguration() throws Exception {
        LoraConfig config =
                LoraConfig.builder()
                        .optTargetModules("up", "layers.1.down")
                        .optRank(2)
                        .optAlpha(3)
                        .optRankStabilized(true)
                        .optDropout(.25)
                        .optRankPattern(Map.of("layers.0.up", 3))
                        .optAlphaPattern(Map.of("down", 1.5))
                        .optInit(LoraInit.gaussian())
                        .optSeed(Long.MAX_VALUE)
                        .build();
        float[] expected;
        try (LoraModel lora = LoraModel.attach(model, config)) {
            disturb(lora);
            expected = SmallNet.run(model);
            PeftAdapter.save(lora, folder);
        }
        try (LoraModel lora = PeftAdapter.load(model, folder)) {
            assertThat(SmallNet.run(model)).isEqualTo(expected);
            LoraConfig read = lora.getConfig(LoraModel.DEFAULT_ADAPTER);
            assertThat(read.getTargets().getNames()).containsExactly("up", "layers.1.down");
            assertThat(read.getRank()).isEqualTo(2);
            assertThat(read.getAlpha()).isEqualTo(3);
            assertThat(read.isRankStabilized()).isTrue();
            assertThat(read.getDropout()).isEqualTo(.25);
            assertThat(read.getRankPattern()).isEqualTo(config.getRankPattern());
            assertThat(read.getAlphaPattern()).isEqualTo(config.getAlphaPattern());
            assertThat(read.getInit().getName()).isEqualTo("gaussian");
            assertThat(read.getSeed()).isEqualTo(Long.MAX_VALUE);
            LowRankUpdate update = update(lora, "layers.0.up");
            assertThat(update.getRank()).isEqualTo(3);
            assertThat(update.getDropout()).isEqualTo(.25);
            assertThat(lora.getTrainableParameters()).hasSize(6);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"pissa", "olora", "orthonormal", "both_random"})
    void load_subtractedStart_restoresTheExactStateOfTraining(String start) throws Exception {
        Map<String, float[]> before;
        float[] expected;
        try (LoraModel lora = LoraModel.attach(model, config(LoraInit.named(start)))) {
            disturb(lora);
            before = factors(lora);
            expected = SmallNet.run(model);
            PeftAdapter.save(lora, folder);
        }
        try (LoraModel lora = PeftAdapter.load(model, folder)) {
            Map<String, float[]> after = factors(lora);
            assertThat(after.keySet()).isEqualTo(before.keySet());
            before.forEach((key, values) -> assertThat(after.get(key)).as(key).isEqualTo(values));
            assertThat(SmallNet.run(model)).isEqualTo(expected);
            LoraConfig read = lora.getConfig(LoraModel.DEFAULT_ADAPTER);
            assertThat(read.getInit().getName()).isEqualTo(start);
            assertThat(read.isRankStabilized()).isTrue();
            assertThat(PeftAdapter.readConfig(folder).getRank()).isEqualTo(2);
        }
        Files.delete(folder.resolve("lora_djl.json"));
        try (LoraModel lora = PeftAdapter.load(model, folder)) {
            assertThat(update(lora, "layers.1.down").getA0()).isNull();
            assertThat(update(lora, "layers.1.down").getRank()).isEqualTo(4);
            assertThat(update(lora, "layers.0.up").getRank()).isEqualTo(6);
            assertThat(SmallNet.run(model)).containsExactly(expected, within(ROUNDING));
        }
    }

    @Test
    void save_subtractedStartWithoutRankPattern_keepsPatternsAndDoublesRank() throws Exception {
        LoraConfig config =
                LoraConfig.builder()
                        .optRank(2)
                        .optAlpha(3)
                        .optRankStabilized(true)
                        .optAlphaPattern(Map.of("down", 6.0))
                        .optInit(LoraInit.pissa())
                        .build();
        try (LoraModel lora = LoraModel.attach(model, config)) {
            PeftAdapter.save(lora, folder);
        }
        JsonObject json = json("adapter_config.json");
        assertThat(json.get("r").getAsInt()).isEqualTo(4);
        assertThat(json.get("use_rslora").getAsBoolean()).isFalse();
        // alpha' = 2 r eta with eta = 3 / sqrt(2)
        assertThat(json.get("lora_alpha").getAsDouble()).isEqualTo(4 * 3 / Math.sqrt(2));
        assertThat(json.getAsJsonObject("alpha_pattern").get("down").getAsDouble())
                .isCloseTo(4 * 6 / Math.sqrt(2), within(1e-12));
        assertThat(json.getAsJsonObject("rank_pattern").isEmpty()).isTrue();
        assertThat(json.get("init_lora_weights").getAsBoolean()).isTrue();
        assertThat(json.getAsJsonArray("target_modules").toString()).isEqualTo("[\"down\",\"up\"]");
    }

    @Test
    void save_allLinearThatSuffixesCannotTell_listsWholePaths() throws Exception {
        LoraConfig config =
                LoraConfig.builder().optRank(2).optExcludeModules("layers.0.up").build();
        try (LoraModel lora = LoraModel.attach(model, config)) {
            PeftAdapter.save(lora, folder);
        }
        assertThat(PeftAdapter.readConfig(folder).getTargets().getNames())
                .containsExactlyInAnyOrder("layers.0.down", "layers.1.up", "layers.1.down");
    }

    /** PEFT refuses layers_to_transform beside anything but a list of names. */
    @Test
    void save_allLinearOfSomeLayers_listsThem() throws Exception {
        LoraConfig config =
                LoraConfig.builder()
                        .optRank(2)
                        .optLayersToTransform(1)
                        .optLayersPattern("layers")
                        .build();
        Set<String> targets;
        try (LoraModel lora = LoraModel.attach(model, config)) {
            targets = lora.getTargets(LoraModel.DEFAULT_ADAPTER).keySet();
            assertThat(targets).allMatch(path -> path.startsWith("layers.1.")).isNotEmpty();
            PeftAdapter.save(lora, folder);
        }
        JsonObject json =
                JsonParser.parseString(Files.readString(folder.resolve("adapter_config.json")))
                        .getAsJsonObject();
        assertThat(json.get("layers_to_transform").isJsonNull()).isTrue();
        assertThat(json.getAsJsonArray("target_modules")).hasSameSizeAs(targets);
        try (LoraModel lora = PeftAdapter.load(model, folder)) {
            assertThat(lora.getTargets(LoraModel.DEFAULT_ADAPTER).keySet()).isEqualTo(targets);
        }
    }

    @Test
    void save_allLinearWhereAPathEndsAnother_isStillRead() throws Exception {
        SequentialBlock inner =
                new SequentialBlock()
                        .add(Linear.builder().setUnits(4).build())
                        .add(Linear.builder().setUnits(4).build());
        SequentialBlock block =
                new SequentialBlock()
                        .add(Linear.builder().setUnits(4).build())
                        .add(Linear.builder().setUnits(4).build())
                        .add(inner);
        LoraConfig config = LoraConfig.builder().optRank(2).optExcludeModules("2.1").build();
        try (Model nested = Models.model("nested", block, new Shape(1, 4))) {
            try (LoraModel lora = LoraModel.attach(nested, config)) {
                PeftAdapter.save(lora, folder);
            }
            try (LoraModel lora = PeftAdapter.load(nested, folder)) {
                assertThat(lora.getTargets(LoraModel.DEFAULT_ADAPTER).keySet())
                        .containsExactly("0", "1", "2.0");
            }
        }
    }

    @Test
    void load_beside_isFrozenUntilActivated() throws Exception {
        saveGaussian();
        try (LoraModel lora = LoraModel.attach(model)) {
            PeftAdapter.load(lora, folder, "other");
            assertThat(trainable()).isEmpty();
            lora.setActive("other");
            assertThat(trainable()).hasSameSizeAs(lora.getTrainableParameters().values());
        }
    }

    private List<Parameter> trainable() {
        return model.getBlock().getParameters().values().stream()
                .filter(Parameter::requiresGradient)
                .toList();
    }

    @Test
    void save_portable_hasOneRankAndTheScalingInB() throws Exception {
        float[] expected;
        SaveOptions options =
                SaveOptions.builder()
                        .optForm(SaveOptions.Form.PORTABLE)
                        .optBaseModel("org/base")
                        .optTaskType("CAUSAL_LM")
                        .build();
        for (LoraInit init : new LoraInit[] {LoraInit.pissa(), LoraInit.kaimingUniform()}) {
            try (LoraModel lora = LoraModel.attach(model, config(init))) {
                disturb(lora);
                expected = SmallNet.run(model);
                PeftAdapter.save(lora, folder, options);
                // Saving must not take anything out of the model.
                assertThat(SmallNet.run(model)).isEqualTo(expected);
            }
            int rank = init.subtractsProduct() ? 6 : 3;
            JsonObject json = json("adapter_config.json");
            assertThat(json.get("r").getAsInt()).isEqualTo(rank);
            assertThat(json.get("lora_alpha").getAsInt()).isEqualTo(rank);
            assertThat(json.get("use_rslora").getAsBoolean()).isFalse();
            assertThat(json.getAsJsonObject("rank_pattern").isEmpty()).isTrue();
            assertThat(json.getAsJsonObject("alpha_pattern").isEmpty()).isTrue();
            assertThat(json.get("base_model_name_or_path").getAsString()).isEqualTo("org/base");
            assertThat(json.get("task_type").getAsString()).isEqualTo("CAUSAL_LM");
            try (SafetensorsFile file =
                    SafetensorsFile.open(folder.resolve("adapter_model.safetensors"))) {
                for (String name : file.names()) {
                    long saved = file.info(name).shape().get(name.endsWith("A.weight") ? 0 : 1);
                    assertThat(saved).as(name).isEqualTo(rank);
                }
            }
            try (LoraModel lora = PeftAdapter.load(model, folder)) {
                assertThat(SmallNet.run(model)).containsExactly(expected, within(ROUNDING));
            }
        }
    }

    @Test
    void load_trainedModulesAndBiases_carriesThemOver() throws Exception {
        float[] base = SmallNet.run(model);
        for (LoraConfig.Bias bias : LoraConfig.Bias.values()) {
            LoraConfig config =
                    LoraConfig.builder()
                            .optRank(2)
                            .optTargetModules("up")
                            .optModulesToSave("lm_head", "norm")
                            .optBias(bias)
                            .build();
            float[] expected;
            try (LoraModel lora = LoraModel.attach(model, config)) {
                disturb(lora);
                lora.getPrivateCopies(LoraModel.DEFAULT_ADAPTER)
                        .getCopies()
                        .values()
                        .forEach(copy -> copy.addi(.125f));
                expected = SmallNet.run(model);
                PeftAdapter.save(lora, folder);
            }
            try (SafetensorsFile file =
                    SafetensorsFile.open(folder.resolve("adapter_model.safetensors"))) {
                assertThat(file.names())
                        .contains(
                                "base_model.model.lm_head.weight",
                                "base_model.model.norm.weight",
                                "base_model.model.norm.bias");
                assertThat(file.names().contains("base_model.model.layers.0.up.base_layer.bias"))
                        .isEqualTo(bias != LoraConfig.Bias.NONE);
            }
            try (LoraModel lora = PeftAdapter.load(model, folder)) {
                assertThat(SmallNet.run(model)).isEqualTo(expected);
            }
            assertThat(SmallNet.run(model)).isEqualTo(base);
        }
    }

    @Test
    void save_portableWithTrainedModules_isRefused() {
        LoraConfig config = LoraConfig.builder().optRank(2).optModulesToSave("norm").build();
        try (LoraModel lora = LoraModel.attach(model, config)) {
            SaveOptions options = SaveOptions.builder().optForm(SaveOptions.Form.PORTABLE).build();
            assertThatThrownBy(() -> PeftAdapter.save(lora, folder, options))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("norm");
            assertThat(folder).doesNotExist();
        }
    }

    @Test
    void save_pendingOrUnclearAdapter_isRefused() {
        try (LoraModel lora = LoraModel.attach(model, config(LoraInit.loraGa()))) {
            assertThatThrownBy(() -> PeftAdapter.save(lora, folder))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("pass");
            lora.addAdapter("other", config(LoraInit.gaussian()));
            lora.setActive();
            assertThatThrownBy(() -> PeftAdapter.save(lora, folder))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("other");
        }
    }

    @Test
    void save_overAnotherAdapter_replacesItWhole() throws Exception {
        try (LoraModel lora = LoraModel.attach(model, config(LoraInit.pissa()))) {
            PeftAdapter.save(lora, folder);
        }
        Files.writeString(folder.resolve("README.md"), "kept");
        float[] expected;
        try (LoraModel lora = LoraModel.attach(model, config(LoraInit.gaussian()))) {
            disturb(lora);
            expected = SmallNet.run(model);
            PeftAdapter.save(lora, folder);
        }
        try (LoraModel lora = PeftAdapter.load(model, folder);
                Stream<Path> files = Files.list(folder)) {
            assertThat(SmallNet.run(model)).isEqualTo(expected);
            assertThat(files.map(f -> f.getFileName().toString()))
                    .containsExactlyInAnyOrder(
                            "README.md",
                            "adapter_config.json",
                            "adapter_model.safetensors",
                            "lora_djl.json");
        }
    }

    @Test
    void save_failure_leavesTheEarlierAdapterAndNothingElse() throws Exception {
        try (LoraModel lora = LoraModel.attach(model, config(LoraInit.pissa()))) {
            PeftAdapter.save(lora, folder);
            byte[] before = Files.readAllBytes(folder.resolve("adapter_model.safetensors"));
            SaveOptions wrong = SaveOptions.builder().optFloatType("F31").build();
            for (Path target : new Path[] {folder, temp.resolve("fresh")}) {
                assertThatThrownBy(() -> PeftAdapter.save(lora, target, wrong))
                        .isInstanceOf(IllegalArgumentException.class);
            }
            assertThat(Files.readAllBytes(folder.resolve("adapter_model.safetensors")))
                    .isEqualTo(before);
            try (Stream<Path> files = Files.walk(temp)) {
                assertThat(files).hasSize(5);
            }
        }
    }

    @Test
    void load_otherBase_namesBothFingerprints() throws Exception {
        saveGaussian();
        try (Model other = SmallNet.model(2)) {
            String own = json("lora_djl.json").get("base_sha256").getAsString();
            assertThatThrownBy(() -> PeftAdapter.load(other, folder))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(own)
                    .hasMessageMatching("(?s).*have [0-9a-f]{64};.*");
            Files.delete(folder.resolve("lora_djl.json"));
            PeftAdapter.load(other, folder).close();
        }
    }

    @Test
    void load_refusedAdapter_leavesTheModelAlone() throws Exception {
        saveGaussian();
        float[] before = SmallNet.run(model);
        Object block = model.getBlock();
        int arrays = model.getNDManager().getManagedArrays().size();
        rewrite(tensors -> tensors.remove("base_model.model.layers.1.up.lora_B.weight"));
        assertThatThrownBy(() -> PeftAdapter.load(model, folder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("base_model.model.layers.1.up.lora_B.weight");
        assertThat(model.getBlock()).isSameAs(block);
        assertThat(SmallNet.run(model)).isEqualTo(before);
        assertThat(model.getNDManager().getManagedArrays()).hasSize(arrays);
    }

    @Test
    void load_unusualTensors_areRefusedByName() throws Exception {
        String prefix = "base_model.model.layers.0.";
        for (String tensor :
                new String[] {
                    prefix + "nowhere.lora_A.weight",
                    "base_model.model.lm_head.lora_A.weight",
                    "base_model.model.norm.weight",
                    prefix + "up.lora_embedding_A",
                    prefix + "up.lora_magnitude_vector",
                    prefix + "up.lora_B.bias",
                    "layers.0.up.lora_C.weight"
                }) {
            saveGaussian();
            rewrite(tensors -> tensors.put(tensor, tensors.values().iterator().next()));
            assertThatThrownBy(() -> PeftAdapter.load(model, folder))
                    .as(tensor)
                    .hasMessageContaining("'" + tensor + "'");
        }
        saveGaussian();
        rewrite(
                tensors ->
                        tensors.computeIfPresent(
                                prefix + "up.lora_A.weight", (k, a) -> a.transpose()));
        assertThatThrownBy(() -> PeftAdapter.load(model, folder))
                .hasMessageContaining(prefix + "up.lora_A.weight")
                .hasMessageContaining("shape");
    }

    @Test
    void load_missingFilesOrPickle_saysWhatIsNeeded() throws Exception {
        assertThatThrownBy(() -> PeftAdapter.load(model, folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("adapter folder");
        saveGaussian();
        Files.move(
                folder.resolve("adapter_model.safetensors"), folder.resolve("adapter_model.bin"));
        assertThatThrownBy(() -> PeftAdapter.load(model, folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("pickle");
        Files.delete(folder.resolve("adapter_model.bin"));
        assertThatThrownBy(() -> PeftAdapter.load(model, folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("adapter_model.safetensors");
        Files.delete(folder.resolve("adapter_config.json"));
        assertThatThrownBy(() -> PeftAdapter.load(model, folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("adapter_config.json");
    }

    @Test
    void load_sideFileOfOtherTensors_saysThatTheyDisagree() throws Exception {
        try (LoraModel lora = LoraModel.attach(model, config(LoraInit.pissa()))) {
            PeftAdapter.save(lora, folder);
        }
        Path side = folder.resolve("lora_djl.json");
        Files.writeString(
                side, Files.readString(side).replace("\"lora_alpha\": 3", "\"lora_alpha\": 5"));
        assertThatThrownBy(() -> PeftAdapter.load(model, folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("lora_djl.json");
    }

    @Test
    void load_manyTimes_leavesNoArraysBehind() throws Exception {
        try (LoraModel lora = LoraModel.attach(model, config(LoraInit.pissa()))) {
            PeftAdapter.save(lora, folder);
            int before = model.getNDManager().getManagedArrays().size();
            for (int i = 0; i < 3; i++) {
                PeftAdapter.load(lora, folder, "again");
                assertThat(model.getNDManager().getManagedArrays()).hasSize(before + 16);
                lora.removeAdapter("again");
                PeftAdapter.save(lora, folder);
            }
            assertThat(model.getNDManager().getManagedArrays()).hasSize(before);
        }
    }

    @Test
    void save_configuration_hasTheKeysThatPeftWrites() throws Exception {
        saveGaussian();
        JsonObject golden =
                JsonParser.parseString(
                                Files.readString(
                                        SharedRoot.require(
                                                "golden/peft-adapter/adapter_config.json")))
                        .getAsJsonObject();
        JsonObject own = json("adapter_config.json");
        assertThat(own.keySet()).containsExactlyElementsOf(golden.keySet());
        for (String key : golden.keySet()) {
            if (!Set.of(
                            "r",
                            "lora_alpha",
                            "target_modules",
                            "task_type",
                            "base_model_name_or_path",
                            "rank_pattern",
                            "use_rslora")
                    .contains(key)) {
                assertThat(own.get(key)).as(key).isEqualTo(golden.get(key));
            }
        }
    }

    private void saveGaussian() throws IOException {
        try (LoraModel lora = LoraModel.attach(model, config(LoraInit.gaussian()))) {
            PeftAdapter.save(lora, folder);
        }
    }

    private static LoraConfig config(LoraInit init) {
        return LoraConfig.builder()
                .optRank(2)
                .optAlpha(3)
                .optRankStabilized(true)
                .optRankPattern(Map.of("layers.0.up", 3))
                .optInit(init)
                .build();
    }

    /** Moves A and B away from their start, as training would. */
    private static void disturb(LoraModel lora) {
        lora.getTrainableParameters()
                .forEach(
                        (name, parameter) -> {
                            if (name.contains(".lora_")) {
                                try (NDArray x = parameter.getArray().stopGradient()) {
                                    x.addi(.0625f * (1 + name.hashCode() % 3));
                                }
                            }
                        });
    }

    private static LowRankUpdate update(LoraModel lora, String path) {
        return lora.getTargets(LoraModel.DEFAULT_ADAPTER).get(path).get(LoraModel.DEFAULT_ADAPTER);
    }

    private static Map<String, float[]> factors(LoraModel lora) {
        Map<String, float[]> result = new LinkedHashMap<>();
        for (LoraLinear layer : lora.getTargets(LoraModel.DEFAULT_ADAPTER).values()) {
            LowRankUpdate update = layer.get(LoraModel.DEFAULT_ADAPTER);
            result.put(layer.getPath() + " A", update.getA().toFloatArray());
            result.put(layer.getPath() + " B", update.getB().toFloatArray());
            result.put(layer.getPath() + " A0", update.getA0().toFloatArray());
            result.put(layer.getPath() + " B0", update.getB0().toFloatArray());
        }
        return result;
    }

    private JsonObject json(String file) throws IOException {
        return JsonParser.parseString(Files.readString(folder.resolve(file))).getAsJsonObject();
    }

    private void rewrite(Consumer<Map<String, NDArray>> change) throws IOException {
        Path path = folder.resolve("adapter_model.safetensors");
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        try (NDManager manager = NDManager.newBaseManager();
                SafetensorsFile file = SafetensorsFile.open(path)) {
            for (String name : file.names()) {
                tensors.put(name, file.read(manager, name));
            }
            change.accept(tensors);
            SafetensorsWriter.write(path, tensors, SafetensorsWriter.PYTORCH);
        }
    }
}

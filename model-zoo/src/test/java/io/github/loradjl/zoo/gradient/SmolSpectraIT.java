package io.github.loradjl.zoo.gradient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.Batchifier;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.gradient.GradientSvd;
import io.github.loradjl.gradient.GradientTask;
import io.github.loradjl.init.GradientFactors;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.linalg.SingularFactors;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.text.CausalLmLoss;
import org.junit.jupiter.api.Test;

import java.nio.file.Files;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Gradient spectra of SmolLM2 on GSM8K from the layer-by-layer pass, beside torch's. */
class SmolSpectraIT {

    private static final int LEADING = 16;

    @Test
    void layerByLayer_spectra_equalTorch() throws Exception {
        JsonObject golden =
                new Gson()
                        .fromJson(
                                Files.readString(SharedRoot.require("golden/smollm2/golden.json")),
                                JsonObject.class)
                        .getAsJsonObject("gsm8k");
        JsonObject spectra = golden.getAsJsonObject("gradient_spectra");
        String[] targets =
                spectra.keySet().stream()
                        .map(name -> name.substring(0, name.lastIndexOf('.')))
                        .toArray(String[]::new);
        LoraConfig config = LoraConfig.builder().optTargetModules(targets).build();
        try (ZooModel<NDList, NDList> model =
                        HuggingFaceFolder.load(
                                SharedRoot.require("checkpoints/SmolLM2-135M-Instruct"),
                                Device.cpu(),
                                DataType.FLOAT32);
                LoraModel lora = LoraModel.attach(model, config);
                NDManager manager = model.getNDManager().newSubManager()) {
            Map<String, LoraLinear> layers = lora.getTargets(LoraModel.DEFAULT_ADAPTER);
            Map<String, Integer> counts = new LinkedHashMap<>();
            layers.keySet().forEach(path -> counts.put(path, LEADING));
            GradientTask task =
                    new GradientTask(
                            lora.getBase(),
                            layers,
                            counts,
                            new CausalLmLoss(),
                            List.of(batch(manager, golden.getAsJsonArray("rows"))),
                            LoraGaInit.builder()
                                    .optSvdOptions(SvdOptions.builder().optExact(true).build())
                                    .build(),
                            0,
                            0,
                            manager,
                            null);
            Map<String, GradientFactors> factors = GradientSvd.layerByLayer().compute(task);
            assertThat(factors).hasSize(spectra.size()).hasSizeGreaterThan(20);
            factors.forEach(
                    (path, gradient) -> {
                        SingularFactors actual = gradient.leading();
                        JsonObject expected = spectra.getAsJsonObject(path + ".weight");
                        // The tolerances that the project promises; energies are squared norms.
                        assertThat(actual.energy() / expected.get("energy").getAsDouble())
                                .as(path)
                                .isCloseTo(1, within(2e-3));
                        float[] s = actual.s().toFloatArray();
                        for (int i = 0; i < LEADING; i++) {
                            double value =
                                    expected.getAsJsonArray("singular_values").get(i).getAsDouble();
                            assertThat(s[i] / value).as(path + " " + i).isCloseTo(1, within(0.01));
                        }
                    });
        }
    }

    /** Pads on the right, and hides prompts and padding from the loss. */
    private static Batch batch(NDManager manager, JsonArray rows) {
        int longest = 0;
        for (JsonElement row : rows) {
            longest = Math.max(longest, row.getAsJsonObject().getAsJsonArray("ids").size());
        }
        long[][] ids = new long[rows.size()][longest];
        long[][] mask = new long[rows.size()][longest];
        long[][] labels = new long[rows.size()][longest];
        for (int i = 0; i < ids.length; i++) {
            JsonObject row = rows.get(i).getAsJsonObject();
            JsonArray tokens = row.getAsJsonArray("ids");
            Arrays.fill(labels[i], -100);
            for (int j = 0; j < tokens.size(); j++) {
                ids[i][j] = tokens.get(j).getAsLong();
                mask[i][j] = 1;
                labels[i][j] = j < row.get("prompt_tokens").getAsInt() ? -100 : ids[i][j];
            }
        }
        NDArray data = manager.create(ids);
        return new Batch(
                manager.newSubManager(),
                new NDList(data, manager.create(mask)),
                new NDList(manager.create(labels)),
                ids.length,
                Batchifier.STACK,
                Batchifier.STACK,
                0,
                1);
    }
}

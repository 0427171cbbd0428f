package io.github.loradjl.zoo.gradient;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.dataset.Batch;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.gradient.GradientSvd;
import io.github.loradjl.gradient.GradientTask;
import io.github.loradjl.init.GradientFactors;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.linalg.SingularFactors;
import io.github.loradjl.linalg.Subspaces;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.testing.Batches;
import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.text.CausalLmLoss;
import io.github.loradjl.zoo.text.TextTokenizer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The strategies on the gradients of a pretrained model: stories260K on 16 x 128 tokens. */
class StrategiesIT {

    private static final SvdOptions EXACT = SvdOptions.builder().optExact(true).build();
    private static final int TOKENS = 128;

    @ParameterizedTest
    @ValueSource(ints = {2, 4, 8})
    void strategies_agree(int rank) throws Exception {
        Path folder = SharedRoot.require("checkpoints/stories260K");
        Path text = SharedRoot.require("data/text/tinyshakespeare.txt");
        LoraConfig config =
                LoraConfig.builder()
                        .optRank(rank)
                        .optRankStabilized(true)
                        .optInit(LoraInit.loraGa())
                        .build();
        try (ZooModel<NDList, NDList> model =
                        HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
                LoraModel lora = LoraModel.attach(model, config);
                NDManager manager = model.getNDManager().newSubManager()) {
            List<Batch> batches = batches(manager, folder, text);
            int count = Integer.MAX_VALUE;
            Map<String, GradientFactors> whole =
                    GradientSvd.wholeModel().compute(task(lora, batches, count, EXACT, manager));
            for (GradientSvd strategy :
                    List.of(GradientSvd.serial(9), GradientSvd.layerByLayer())) {
                Map<String, GradientFactors> other =
                        strategy.compute(task(lora, batches, count, EXACT, manager));
                whole.forEach(
                        (path, w) ->
                                compare(path, w.leading(), other.get(path).leading(), 2 * rank));
            }
            Map<String, GradientFactors> probe =
                    GradientSvd.probe()
                            .compute(task(lora, batches, 2 * rank, SvdOptions.defaults(), manager));
            Map<String, GradientFactors> randomised =
                    GradientSvd.layerByLayer()
                            .compute(task(lora, batches, 2 * rank, SvdOptions.defaults(), manager));
            whole.forEach(
                    (path, gradient) -> {
                        SingularFactors w = gradient.leading();
                        // What the notes measured for q = 4r and two power iterations: 0.9995.
                        assertThat(FirstStep.share(w, probe.get(path).leading(), rank))
                                .as("probe, " + path)
                                .isGreaterThan(0.999);
                        assertThat(FirstStep.share(w, randomised.get(path).leading(), rank))
                                .as("randomised, " + path)
                                .isGreaterThan(0.999);
                    });
        }
    }

    private static List<Batch> batches(NDManager manager, Path folder, Path text) throws Exception {
        long[] ids;
        try (TextTokenizer tokenizer = TextTokenizer.load(folder)) {
            ids = tokenizer.encode(Files.readString(text).substring(0, 20_000));
        }
        List<Batch> batches = new ArrayList<>();
        for (int b = 0; b < 4; b++) {
            long[] part = Arrays.copyOfRange(ids, b * 4 * TOKENS, (b + 1) * 4 * TOKENS);
            NDArray rows = manager.create(part, new Shape(4, TOKENS));
            batches.add(Batches.of(manager, rows, rows.duplicate()));
        }
        return batches;
    }

    private static GradientTask task(
            LoraModel lora, List<Batch> batches, int count, SvdOptions svd, NDManager manager) {
        Map<String, LoraLinear> targets = lora.getTargets(LoraModel.DEFAULT_ADAPTER);
        Map<String, Integer> counts = new LinkedHashMap<>();
        targets.forEach(
                (path, layer) ->
                        counts.put(
                                path,
                                (int) Math.min(count, Math.min(layer.getOut(), layer.getIn()))));
        return new GradientTask(
                lora.getBase(),
                targets,
                counts,
                new CausalLmLoss(),
                batches,
                LoraGaInit.builder().optSvdOptions(svd).build(),
                0,
                0,
                manager,
                null);
    }

    private static void compare(
            String path, SingularFactors expected, SingularFactors actual, int limit) {
        int k = Subspaces.separated(expected, limit, 1.05);
        assertThat(k).as(path).isPositive();
        for (float cosine : Subspaces.columnCosines(left(expected, k), left(actual, k))) {
            assertThat((double) cosine).as(path).isGreaterThan(0.99999);
        }
        for (float cosine : Subspaces.rowCosines(right(expected, k), right(actual, k))) {
            assertThat((double) cosine).as(path).isGreaterThan(0.99999);
        }
    }

    private static NDArray left(SingularFactors factors, int k) {
        return factors.u().get(":, :" + k);
    }

    private static NDArray right(SingularFactors factors, int k) {
        return factors.vt().get(":" + k);
    }
}

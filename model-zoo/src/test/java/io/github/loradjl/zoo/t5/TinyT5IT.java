package io.github.loradjl.zoo.t5;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.loss.Loss;
import ai.djl.training.tracker.Tracker;
import ai.djl.translate.Batchifier;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraGa;
import io.github.loradjl.LoraGaOptions;
import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.gradient.GradientSvd;
import io.github.loradjl.gradient.GradientTask;
import io.github.loradjl.init.GradientFactors;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.training.AdamW;
import io.github.loradjl.training.GradientClipping;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.gradient.FirstStep;
import io.github.loradjl.zoo.text.Seq2SeqLoss;
import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TokenGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/** A small pretrained T5 against transformers, and with adapters. */
class TinyT5IT {

    private static final long IGNORED = -100;
    private static final int RANK = 4;

    private Path folder;
    private JsonObject golden;
    private ZooModel<NDList, NDList> model;
    private NDManager manager;

    @BeforeEach
    void open() throws Exception {
        folder = SharedRoot.require("checkpoints/tiny-t5");
        Path file = SharedRoot.require("golden/tiny-t5/golden.json");
        golden = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
        model = HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
        manager = model.getNDManager().newSubManager();
    }

    @AfterEach
    void close() {
        if (model != null) {
            model.close();
        }
    }

    @Test
    void tokenizer_givesTheIdsOfTransformers() throws Exception {
        try (TextTokenizer tokenizer = TextTokenizer.load(folder)) {
            for (JsonElement text : golden.getAsJsonArray("tokenizer")) {
                JsonObject row = text.getAsJsonObject();
                assertThat(tokenizer.encode(row.get("text").getAsString()))
                        .isEqualTo(ids(row, "ids"));
            }
            for (JsonObject row : rows()) {
                String text = row.get("input_text").getAsString();
                assertThat(tokenizer.decode(ids(row, "input_ids"), false)).isEqualTo(text);
            }
        }
    }

    /** The tolerances are those that the golden values come with. */
    @Test
    void loss_andGradientNorms_areThoseOfTransformers() {
        model.getBlock().freezeParameters(false);
        ParameterStore store = new ParameterStore(manager, false);
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray loss = model.getBlock().forward(store, data(), labels(), null).head();
            assertThat(loss.getFloat()).isCloseTo(golden.get("loss").getAsFloat(), within(1e-4f));
            collector.backward(loss);
        }
        JsonObject norms = golden.getAsJsonObject("gradient_norms");
        int compared = 0;
        for (BlockTree.Node node : BlockTree.walk(model.getBlock())) {
            for (Parameter parameter : node.block().getDirectParameters().values()) {
                String path = node.path(parameter.getName());
                if (norms.has(path)) {
                    NDArray gradient = parameter.getArray().getGradient();
                    double norm = Math.sqrt(TorchOps.squareSum(gradient));
                    double expected = norms.get(path).getAsDouble();
                    assertThat(norm).as(path).isCloseTo(expected, within(1e-3 * expected));
                    compared++;
                }
            }
        }
        assertThat(compared).isEqualTo(norms.size());
    }

    @Test
    void generate_greedy_givesTokensOfTransformers() {
        TokenGenerator generator = new TokenGenerator(model);
        GenerationConfig config = GenerationConfig.builder().optMaxNewTokens(20).build();
        List<long[]> prompts = rows().stream().map(row -> ids(row, "input_ids")).toList();
        List<long[]> batched = generator.generate(prompts, config);
        for (int i = 0; i < prompts.size(); i++) {
            // The first is where the decoder starts; what follows the end is padding.
            long[] expected = ids(rows().get(i), "generated");
            long[] tokens = generator.generate(prompts.get(i), config);
            assertThat(tokens).isEqualTo(Arrays.copyOfRange(expected, 1, tokens.length + 1));
            assertThat(batched.get(i)).isEqualTo(tokens);
        }
    }

    /** The texts of tiny_t5_beams.json, made by make_beams.py. */
    @Test
    void generate_beams_givesTokensOfTransformers() throws Exception {
        List<long[]> prompts = rows().stream().map(row -> ids(row, "input_ids")).toList();
        TokenGenerator generator = new TokenGenerator(model);
        JsonArray searches;
        try (Reader reader =
                new InputStreamReader(
                        TinyT5IT.class.getResourceAsStream("tiny_t5_beams.json"),
                        StandardCharsets.UTF_8)) {
            searches = JsonParser.parseReader(reader).getAsJsonArray();
        }
        assertThat(searches).hasSize(4);
        for (JsonElement element : searches) {
            JsonObject search = element.getAsJsonObject();
            GenerationConfig config =
                    GenerationConfig.builder()
                            .optMaxNewTokens(30)
                            .optBeams(search.get("beams").getAsInt())
                            .optLengthPenalty(search.get("penalty").getAsDouble())
                            .build();
            assertThat(generator.generate(prompts, config))
                    .containsExactly(new Gson().fromJson(search.get("tokens"), long[][].class));
        }
    }

    @Test
    void gradientPass_layerByLayer_findsTheSingularValuesOfTheWholeGradient() {
        LoraConfig config = config(LoraInit.loraGa());
        try (LoraModel lora = LoraModel.attach(model, config)) {
            assertThat(lora.getTargets(LoraModel.DEFAULT_ADAPTER))
                    .containsKeys(
                            "encoder.block.0.layer.0.SelfAttention.q",
                            "decoder.block.3.layer.1.EncDecAttention.v",
                            "decoder.block.0.layer.2.DenseReluDense.wi");
            Map<String, GradientFactors> whole = GradientSvd.wholeModel().compute(task(lora));
            Map<String, GradientFactors> layers = GradientSvd.layerByLayer().compute(task(lora));
            assertThat(layers.keySet()).isEqualTo(whole.keySet());
            whole.forEach(
                    (path, factors) -> {
                        float[] expected = factors.leading().s().toFloatArray();
                        float[] actual = layers.get(path).leading().s().toFloatArray();
                        // The same sums in another order; small values stand beside the largest.
                        for (int i = 0; i < expected.length; i++) {
                            assertThat(actual[i])
                                    .as(path)
                                    .isCloseTo(expected[i], within(1e-4f * expected[0]));
                        }
                    });
        }
    }

    /** The keys and values of the attention to the encoder get their gradient from one memory. */
    @Test
    void gradientPass_probe_followsTheWholeGradient() {
        try (LoraModel lora = LoraModel.attach(model, config(LoraInit.loraGa()))) {
            SvdOptions exact = SvdOptions.builder().optExact(true).build();
            Map<String, GradientFactors> whole =
                    GradientSvd.wholeModel().compute(task(lora, Integer.MAX_VALUE, exact));
            Map<String, GradientFactors> probe =
                    GradientSvd.probe().compute(task(lora, 2 * RANK, SvdOptions.defaults()));
            assertThat(probe.keySet())
                    .isEqualTo(whole.keySet())
                    .contains(
                            "decoder.block.0.layer.1.EncDecAttention.k",
                            "decoder.block.3.layer.1.EncDecAttention.v");
            whole.forEach(
                    (path, gradient) ->
                            // As on a pretrained LLaMA.
                            assertThat(
                                            FirstStep.share(
                                                    gradient.leading(),
                                                    probe.get(path).leading(),
                                                    RANK))
                                    .as(path)
                                    .isGreaterThan(0.999));
        }
    }

    @Test
    void train_checkpointed_goesThePlainWay() {
        List<Double> plain = train(false);
        List<Double> checkpointed = train(true);
        assertThat(plain.get(4)).isLessThan(plain.get(0));
        for (int i = 0; i < plain.size(); i++) {
            // The same sums in another order, over some steps of Adam.
            assertThat(checkpointed.get(i)).isCloseTo(plain.get(i), within(1e-4));
        }
    }

    /** Trains a LoRA-GA adapter from the gradient of the rows themselves. */
    private List<Double> train(boolean checkpointed) {
        List<Double> losses = new ArrayList<>();
        try (LoraModel lora = LoraModel.attach(model, config(LoraInit.loraGa()));
                Batch calibration = batch()) {
            Loss loss = new Seq2SeqLoss();
            LoraGa.start(lora, loss, List.of(calibration), LoraGaOptions.builder().build());
            if (checkpointed) {
                loss = lora.checkpointActivations(loss);
            }
            try (AdamW adamW =
                            AdamW.builder().optLearningRateTracker(Tracker.fixed(1e-3f)).build();
                    Trainer trainer =
                            model.newTrainer(
                                    new DefaultTrainingConfig(loss)
                                            .optDevices(new Device[] {Device.cpu()})
                                            .optOptimizer(adamW))) {
                for (int step = 0; step < 5; step++) {
                    try (Batch batch = batch();
                            GradientCollector collector = trainer.newGradientCollector()) {
                        NDList output = trainer.forward(batch.getData(), batch.getLabels());
                        NDArray value = loss.evaluate(batch.getLabels(), output);
                        losses.add((double) value.getFloat());
                        collector.backward(value);
                    }
                    GradientClipping.clip(trainer, 1);
                    trainer.step();
                }
            }
        }
        return losses;
    }

    private static LoraConfig config(LoraInit init) {
        return LoraConfig.builder().optRank(RANK).optRankStabilized(true).optInit(init).build();
    }

    private GradientTask task(LoraModel lora) {
        return task(lora, 2 * RANK, SvdOptions.builder().optExact(true).build());
    }

    private GradientTask task(LoraModel lora, int count, SvdOptions svd) {
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
                new Seq2SeqLoss(),
                List.of(batch()),
                LoraGaInit.builder().optSvdOptions(svd).build(),
                0,
                0,
                manager,
                null);
    }

    private Batch batch() {
        NDManager own = manager.newSubManager();
        NDList data = data();
        NDList labels = labels();
        data.attach(own);
        labels.attach(own);
        return new Batch(
                own, data, labels, rows().size(), Batchifier.STACK, Batchifier.STACK, 0, 1);
    }

    private NDList data() {
        NDArray ids = padded("input_ids", 0);
        return new NDList(ids, ids.neq(0).toType(DataType.INT64, false));
    }

    private NDList labels() {
        return new NDList(padded("labels", IGNORED));
    }

    private NDArray padded(String key, long padding) {
        List<long[]> rows = rows().stream().map(row -> ids(row, key)).toList();
        int width = rows.stream().mapToInt(row -> row.length).max().orElseThrow();
        long[] all = new long[rows.size() * width];
        Arrays.fill(all, padding);
        for (int i = 0; i < rows.size(); i++) {
            System.arraycopy(rows.get(i), 0, all, i * width, rows.get(i).length);
        }
        return manager.create(all, new Shape(rows.size(), width));
    }

    private List<JsonObject> rows() {
        JsonArray rows = golden.getAsJsonArray("rows");
        return StreamSupport.stream(rows.spliterator(), false)
                .map(JsonElement::getAsJsonObject)
                .toList();
    }

    private static long[] ids(JsonObject row, String key) {
        return StreamSupport.stream(row.getAsJsonArray(key).spliterator(), false)
                .mapToLong(JsonElement::getAsLong)
                .toArray();
    }
}

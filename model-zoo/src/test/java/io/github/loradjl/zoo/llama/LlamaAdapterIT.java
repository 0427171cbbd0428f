package io.github.loradjl.zoo.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Parameter;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.ParameterStore;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraGa;
import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.AdapterSelection;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.testing.Batches;
import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.text.CausalLmLoss;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Adapters on a pretrained LLaMA. */
class LlamaAdapterIT {

    private static final CausalLmLoss LOSS = new CausalLmLoss();

    private static ZooModel<NDList, NDList> load(DataType type) throws Exception {
        return HuggingFaceFolder.load(
                SharedRoot.require("checkpoints/stories260K"), Device.cpu(), type);
    }

    private static NDArray ids(NDManager manager) {
        long[][] rows = new long[3][40];
        for (int i = 0; i < rows.length; i++) {
            for (int j = 0; j < rows[i].length; j++) {
                rows[i][j] = (31L * i + 7L * j * j + 3) % 500;
            }
        }
        return manager.create(rows);
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT32", "BFLOAT16"})
    void start_subtractedProduct_keepsLogitsToTheLastBit(DataType type) throws Exception {
        try (ZooModel<NDList, NDList> model = load(type);
                NDManager manager = model.getNDManager().newSubManager()) {
            NDArray ids = ids(manager);
            byte[] base = logits(model, manager, ids, false);
            byte[] inTraining = logits(model, manager, ids, true);
            for (LoraInit init :
                    List.of(
                            LoraInit.loraGa(),
                            LoraInit.pissa(),
                            LoraInit.pissa(4),
                            LoraInit.olora(),
                            LoraInit.orthonormal(),
                            LoraInit.bothRandom())) {
                LoraConfig config =
                        LoraConfig.builder()
                                .optRank(4)
                                .optRankStabilized(true)
                                .optDropout(0.1)
                                .optInit(init)
                                .build();
                try (LoraModel lora = LoraModel.attach(model, config)) {
                    LoraGa.start(
                            lora, LOSS, List.of(Batches.of(manager, ids(manager), ids(manager))));
                    lora.getTargets("default")
                            .values()
                            .forEach(
                                    layer ->
                                            assertThat(
                                                            TorchOps.squareSum(
                                                                    layer.get("default").getB()))
                                                    .isPositive());
                    assertThat(logits(model, manager, ids, false))
                            .as(init.getName())
                            .isEqualTo(base);
                    assertThat(logits(model, manager, ids, true))
                            .as(init.getName() + " in training mode")
                            .isEqualTo(inTraining);
                }
            }
        }
    }

    /** Returns the bits of the logits. */
    private static byte[] logits(
            ZooModel<NDList, NDList> model, NDManager manager, NDArray ids, boolean training) {
        ParameterStore store = new ParameterStore(manager, false);
        try (GradientMode mode = GradientMode.off();
                NDArray logits = model.getBlock().forward(store, new NDList(ids), training).head();
                NDArray wide = TorchOps.toFloat32(logits)) {
            return wide.toByteArray();
        }
    }

    @Test
    void checkpointActivations_gradients_equalThoseOfThePlainPass() throws Exception {
        LoraConfig config = LoraConfig.builder().optRank(4).optInit(LoraInit.bothRandom()).build();
        try (ZooModel<NDList, NDList> model = load(DataType.FLOAT32);
                LoraModel lora = LoraModel.attach(model, config)) {
            Map<String, float[]> plain = gradients(lora);
            lora.checkpointActivations(LOSS);
            Map<String, float[]> checkpointed = gradients(lora);
            assertThat(checkpointed.keySet()).isEqualTo(plain.keySet());
            plain.forEach(
                    (path, expected) -> {
                        float[] actual = checkpointed.get(path);
                        double difference = 0;
                        double norm = 0;
                        for (int i = 0; i < expected.length; i++) {
                            difference += Math.pow(expected[i] - actual[i], 2);
                            norm += Math.pow(expected[i], 2);
                        }
                        // Same operations; only the order of a few sums of the loss differs.
                        assertThat(Math.sqrt(difference / norm))
                                .as(path)
                                .isCloseTo(0, within(1e-5));
                    });
        }
    }

    /** Returns gradients of twice the loss, to see that they scale with it. */
    private static Map<String, float[]> gradients(LoraModel lora) {
        Map<String, float[]> result = new LinkedHashMap<>();
        try (NDManager manager = lora.getModel().getNDManager().newSubManager();
                GradientMode mode = GradientMode.on()) {
            ParameterStore store = new ParameterStore(manager, false);
            NDList data = new NDList(ids(manager));
            NDList labels = new NDList(ids(manager));
            NDList output = lora.getBlock().forward(store, data, labels, null);
            NDArray loss = LOSS.evaluate(labels, output);
            TorchOps.backward(loss.add(loss));
            for (Map.Entry<String, Parameter> e : lora.getTrainableParameters().entrySet()) {
                try (NDArray gradient = TorchOps.gradientOf(e.getValue().getArray())) {
                    result.put(e.getKey(), gradient.toFloatArray());
                    gradient.subi(gradient);
                }
            }
        }
        return result;
    }

    @Test
    void use_eightThreadsWithTheirOwnAdapters_predictRight() throws Exception {
        try (ZooModel<NDList, NDList> model = load(DataType.FLOAT32);
                LoraModel lora = LoraModel.attach(model)) {
            String[] names = {"a", "b", "c"};
            for (int i = 0; i < names.length; i++) {
                LoraConfig config =
                        LoraConfig.builder()
                                .optRank(2 + i)
                                .optSeed(i)
                                .optInit(LoraInit.bothRandomUnsubtracted())
                                .build();
                lora.addAdapter(names[i], config);
            }
            Map<String, byte[]> expected = new LinkedHashMap<>();
            for (String name : names) {
                lora.setActive(name);
                try (NDManager manager = model.getNDManager().newSubManager()) {
                    expected.put(name, logits(model, manager, ids(manager), false));
                }
            }
            lora.setActive();
            int before = model.getNDManager().getManagedArrays().size();
            ExecutorService threads = Executors.newFixedThreadPool(8);
            try {
                List<Future<?>> results = new ArrayList<>();
                for (int t = 0; t < 8; t++) {
                    int offset = t;
                    results.add(
                            threads.submit(
                                    () -> {
                                        for (int i = 0; i < 12; i++) {
                                            String name = names[(offset + i) % names.length];
                                            predict(model, lora, name, expected.get(name));
                                        }
                                    }));
                }
                for (Future<?> result : results) {
                    result.get();
                }
            } finally {
                threads.shutdown();
            }
            assertThat(model.getNDManager().getManagedArrays()).hasSize(before);
        }
    }

    private static void predict(
            ZooModel<NDList, NDList> model, LoraModel lora, String name, byte[] expected) {
        try (NDManager manager = model.getNDManager().newSubManager();
                AdapterSelection.Scope scope = lora.use(name)) {
            ParameterStore store = new ParameterStore(manager, false);
            NDArray logits =
                    model.getBlock().forward(store, new NDList(ids(manager)), false).head();
            assertThat(logits.hasGradient()).isFalse();
            assertThat(logits.toByteArray()).as(name).isEqualTo(expected);
        }
    }
}

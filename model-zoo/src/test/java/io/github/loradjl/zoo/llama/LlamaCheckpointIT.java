package io.github.loradjl.zoo.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Parameter;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;

import com.google.gson.Gson;
import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.safetensors.Safetensors;
import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TokenGenerator;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Real checkpoints against the values that transformers computes for them. */
class LlamaCheckpointIT {

    private static <T> T json(String golden, Class<T> type) throws IOException {
        return new Gson().fromJson(Files.readString(SharedRoot.require(golden)), type);
    }

    private static ZooModel<NDList, NDList> load(String name, DataType type) throws Exception {
        return HuggingFaceFolder.load(
                SharedRoot.require("checkpoints/" + name), Device.cpu(), type);
    }

    /** The fields of golden/stories260K. */
    private static final class Stories {
        long[] ids;
        float loss;
        long[] greedy;
    }

    /** The fields of golden/smollm2. */
    private static final class Smol {
        List<Greedy> greedy;
        Gsm8k gsm8k;

        private static final class Greedy {
            long[] prompt_ids;
            long[] ids;
        }

        private static final class Gsm8k {
            List<Row> rows;
            float loss;
            int loss_tokens;
            Map<String, Double> gradient_norms;
        }

        private static final class Row {
            long[] ids;
            int prompt_tokens;
        }
    }

    @Test
    void stories260K_lossAndGreedyTokens_equalTransformers() throws Exception {
        Stories golden = json("golden/stories260K/golden.json", Stories.class);
        try (ZooModel<NDList, NDList> model = load("stories260K", DataType.FLOAT32);
                NDManager manager = model.getNDManager().newSubManager()) {
            NDArray ids = manager.create(golden.ids).expandDims(0);
            LlamaForCausalLM block = (LlamaForCausalLM) model.getBlock();
            ParameterStore store = new ParameterStore(manager, false);
            NDArray loss = block.evaluateLoss(store, new NDList(ids), new NDList(ids));
            // The tolerance that the project promises.
            assertThat(loss.getFloat()).isCloseTo(golden.loss, within(1e-4f));
            GenerationConfig config =
                    GenerationConfig.builder().optMaxNewTokens(60).optStopAtEnd(false).build();
            long[] tokens =
                    new TokenGenerator(model).generate(Arrays.copyOf(golden.greedy, 1), config);
            assertThat(tokens)
                    .isEqualTo(Arrays.copyOfRange(golden.greedy, 1, golden.greedy.length));
        }
    }

    @Test
    void smollm2_logitsAndGreedyTokens_equalTransformers() throws Exception {
        Smol golden = json("golden/smollm2/golden.json", Smol.class);
        Path tensors = SharedRoot.require("golden/smollm2/golden.safetensors");
        try (ZooModel<NDList, NDList> model = load("SmolLM2-135M-Instruct", DataType.FLOAT32);
                Safetensors expected = Safetensors.open(tensors);
                NDManager manager = model.getNDManager().newSubManager()) {
            ParameterStore store = new ParameterStore(manager, false);
            GenerationConfig config =
                    GenerationConfig.builder().optMaxNewTokens(48).optStopAtEnd(false).build();
            for (int i = 0; i < golden.greedy.size(); i++) {
                long[] prompt = golden.greedy.get(i).prompt_ids;
                NDList data = new NDList(manager.create(prompt).expandDims(0));
                NDArray logits =
                        model.getBlock().forward(store, data, false).singletonOrThrow().get(0);
                NDArray last = logits.get(-1).sub(expected.read(manager, "logits." + i));
                // The tolerance that the project promises; the logits reach 20.
                assertThat(last.abs().max().getFloat()).isLessThan(2e-3f);
                NDArray sums = logits.exp().sum(new int[] {1}).log();
                NDArray difference = sums.sub(expected.read(manager, "logsumexp." + i));
                assertThat(difference.abs().max().getFloat()).isLessThan(2e-3f);
                long[] tokens = new TokenGenerator(model).generate(prompt, config);
                long[] whole = golden.greedy.get(i).ids;
                assertThat(tokens)
                        .isEqualTo(Arrays.copyOfRange(whole, prompt.length, whole.length));
            }
        }
    }

    /** Pads on the right with token 2, and hides prompts and padding from the loss. */
    private static NDList[] batch(NDManager manager, Smol.Gsm8k golden) {
        int longest = golden.rows.stream().mapToInt(r -> r.ids.length).max().orElseThrow();
        long[][] ids = new long[golden.rows.size()][longest];
        long[][] mask = new long[ids.length][longest];
        long[][] labels = new long[ids.length][longest];
        int kept = 0;
        for (int i = 0; i < ids.length; i++) {
            Smol.Row row = golden.rows.get(i);
            Arrays.fill(ids[i], 2);
            Arrays.fill(labels[i], TorchOps.IGNORE_INDEX);
            for (int j = 0; j < row.ids.length; j++) {
                ids[i][j] = row.ids[j];
                mask[i][j] = 1;
                if (j >= row.prompt_tokens) {
                    labels[i][j] = row.ids[j];
                    kept++;
                }
            }
        }
        assertThat(kept).isEqualTo(golden.loss_tokens);
        return new NDList[] {
            new NDList(manager.create(ids), manager.create(mask)),
            new NDList(manager.create(labels))
        };
    }

    @Test
    void smollm2_lossAndGradientNorms_equalTransformers() throws Exception {
        Smol.Gsm8k golden = json("golden/smollm2/golden.json", Smol.class).gsm8k;
        try (ZooModel<NDList, NDList> model = load("SmolLM2-135M-Instruct", DataType.FLOAT32);
                NDManager manager = model.getNDManager().newSubManager()) {
            Map<String, Parameter> parameters = new HashMap<>();
            for (BlockTree.Node node : BlockTree.walk(model.getBlock())) {
                node.block()
                        .getDirectParameters()
                        .forEach(p -> parameters.put(node.path(p.getKey()), p.getValue()));
            }
            golden.gradient_norms.keySet().forEach(n -> parameters.get(n).freeze(false));
            ParameterStore store = new ParameterStore(manager, false);
            NDList[] batch = batch(manager, golden);
            NDArray loss;
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                loss = model.getBlock().forward(store, batch[0], batch[1], null).get(0);
                collector.backward(loss);
            }
            // The tolerances that the project promises.
            assertThat(loss.getFloat()).isCloseTo(golden.loss, within(1e-4f));
            assertThat(golden.gradient_norms).hasSize(210);
            golden.gradient_norms.forEach(
                    (name, norm) -> {
                        try (NDArray gradient = parameters.get(name).getArray().getGradient()) {
                            assertThat(Math.sqrt(TorchOps.squareSum(gradient)) / norm)
                                    .as(name)
                                    .isCloseTo(1, within(1e-3));
                        }
                    });
        }
    }

    @Test
    void smollm2_inBfloat16_hasAlmostTheLossOfFloat32() throws Exception {
        Smol.Gsm8k golden = json("golden/smollm2/golden.json", Smol.class).gsm8k;
        try (ZooModel<NDList, NDList> model = load("SmolLM2-135M-Instruct", DataType.BFLOAT16);
                NDManager manager = model.getNDManager().newSubManager()) {
            ParameterStore store = new ParameterStore(manager, false);
            NDList[] batch = batch(manager, golden);
            LlamaForCausalLM block = (LlamaForCausalLM) model.getBlock();
            float loss = block.evaluateLoss(store, batch[0], batch[1]).getFloat();
            // The tolerance that the project promises.
            assertThat(loss / golden.loss).isCloseTo(1, within(0.01f));
        }
    }
}

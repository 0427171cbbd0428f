package io.github.loradjl.zoo.llama;

import static org.assertj.core.api.Assertions.assertThat;

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

import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.safetensors.Safetensors;
import io.github.loradjl.staged.Stage;
import io.github.loradjl.testing.JavaMemory;
import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.text.generate.KeyValueCache;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A small random model against the values that transformers computes for it. */
class LlamaGoldenTest {

    private ZooModel<NDList, NDList> model;
    private LlamaForCausalLM block;
    private Safetensors golden;
    private NDManager manager;
    private ParameterStore store;

    @BeforeEach
    void open() throws Exception {
        Path folder = SharedRoot.require("golden/llama-gqa");
        model = HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
        block = (LlamaForCausalLM) model.getBlock();
        golden = Safetensors.open(folder.resolve("golden.safetensors"));
        manager = model.getNDManager().newSubManager();
        store = new ParameterStore(manager, false);
    }

    @AfterEach
    void close() throws Exception {
        if (model != null) {
            golden.close();
            model.close();
        }
    }

    private NDArray read(String name) throws Exception {
        return golden.read(manager, name);
    }

    private NDList data() throws Exception {
        return new NDList(read("input_ids"), read("attention_mask"));
    }

    @Test
    void forward_equalsTransformersWhereThereAreTokens() throws Exception {
        NDArray logits = block.forward(store, data(), false).singletonOrThrow();
        NDArray keep = read("attention_mask").toType(DataType.FLOAT32, false).expandDims(2);
        NDArray difference = logits.sub(read("logits")).mul(keep).abs().max();
        // The tolerance that the golden values come with.
        assertThat(difference.getFloat()).isLessThan(1e-4f);
    }

    @Test
    void forward_withLabels_givesLossAndGradientsOfTransformers() throws Exception {
        assertGradientsOfTransformers(() -> {});
    }

    @Test
    void gradients_nothingThatTheGraphNeedsEndsWithItsHandle() throws Exception {
        assertGradientsOfTransformers(JavaMemory::takeWhatIsFree);
    }

    /** What happens between the forward and the backward pass. */
    @FunctionalInterface
    private interface Interlude {
        void play() throws Exception;
    }

    private void assertGradientsOfTransformers(Interlude interlude) throws Exception {
        block.freezeParameters(false);
        NDArray loss;
        NDList data = data();
        NDList labels = new NDList(read("labels"));
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            loss = block.forward(store, data, labels, null).get(0);
            interlude.play();
            collector.backward(loss);
        }
        float expected = read("loss").toFloatArray()[0];
        assertThat(loss.getFloat() / expected - 1).isBetween(-1e-5f, 1e-5f);
        int compared = 0;
        for (BlockTree.Node node : BlockTree.walk(block)) {
            for (Parameter parameter : node.block().getDirectParameters().values()) {
                NDArray wanted = read("grad." + node.path(parameter.getName()));
                NDArray gradient = parameter.getArray().getGradient();
                double error = Math.sqrt(TorchOps.squareSum(gradient.sub(wanted)));
                // Rounding of float32 sums over 34 positions stays well below this.
                assertThat(error / Math.sqrt(TorchOps.squareSum(wanted)))
                        .as(node.path(parameter.getName()))
                        .isLessThan(1e-4);
                compared++;
            }
        }
        assertThat(compared).isEqualTo(30);
    }

    @Test
    void stages_equalForwardToTheLastBit() throws Exception {
        NDList list = data();
        List<Stage> stages = block.getStages();
        for (Stage stage : stages.subList(0, stages.size() - 1)) {
            list = stage.forward(store, list, true);
        }
        Stage head = stages.get(stages.size() - 1);
        float[] logits = head.forward(store, list, true).get(0).toFloatArray();
        float[] whole = block.forward(store, data(), true).get(0).toFloatArray();
        assertThat(logits).isEqualTo(whole);
        NDList labels = new NDList(read("labels"));
        float loss = head.forward(store, list, labels).get(0).getFloat();
        assertThat(block.forward(store, data(), labels, null).get(0).getFloat()).isEqualTo(loss);
        assertThat(block.evaluateLoss(store, data(), labels).getFloat()).isEqualTo(loss);
    }

    @Test
    void nextLogits_greedy_givesTokensOfTransformers() throws Exception {
        long[] expected = read("generated").toLongArray();
        long[] tokens = Arrays.copyOf(expected, 6);
        try (KeyValueCache cache = block.newCache(manager, 1, expected.length)) {
            NDArray next = manager.create(tokens).expandDims(0);
            while (tokens.length < expected.length) {
                long token = block.nextLogits(store, next, cache).argMax(1).getLong();
                tokens = Arrays.copyOf(tokens, tokens.length + 1);
                tokens[tokens.length - 1] = token;
                next = manager.create(new long[][] {{token}});
            }
        }
        assertThat(tokens).isEqualTo(expected);
    }
}

package io.github.loradjl.zoo.t5;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.repository.zoo.Criteria;
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
import io.github.loradjl.zoo.text.Seq2SeqLoss;
import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TokenGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A small random model against the values that transformers computes for it. */
class T5GoldenTest {

    private ZooModel<NDList, NDList> model;
    private T5ForConditionalGeneration block;
    private Safetensors golden;
    private NDManager manager;
    private ParameterStore store;

    @BeforeEach
    void open() throws Exception {
        Path folder = SharedRoot.require("golden/t5-v1.0");
        model =
                Criteria.builder()
                        .setTypes(NDList.class, NDList.class)
                        .optModelZoo(HuggingFaceFolder.zoo(folder))
                        .optDevice(Device.cpu())
                        .build()
                        .loadModel();
        block = (T5ForConditionalGeneration) model.getBlock();
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

    private NDList labels() throws Exception {
        return new NDList(read("labels"));
    }

    @Test
    void forward_equalsTransformers() throws Exception {
        NDList data = block.withLabels(data(), labels());
        NDArray logits = block.forward(store, data, false).singletonOrThrow();
        // The tolerance that the golden values come with.
        assertThat(logits.sub(read("logits")).abs().max().getFloat()).isLessThan(1e-4f);
        float expected = read("loss").toFloatArray()[0];
        NDArray loss = new Seq2SeqLoss().evaluate(labels(), new NDList(logits));
        assertThat(loss.getFloat() / expected - 1).isBetween(-1e-5f, 1e-5f);
    }

    @Test
    void forward_maskOfTheDecoder_hidesPaddingOnTheLeft() throws Exception {
        NDArray mask = manager.create(new long[][] {{0, 0, 1, 1, 1}});
        NDList data = new NDList(data().get(0).get(":1"), data().get(1).get(":1"));
        NDList padded = new NDList(data);
        padded.add(manager.create(new long[][] {{7, 8, 0, 5, 6}}));
        padded.add(mask);
        NDList plain = new NDList(data);
        plain.add(manager.create(new long[][] {{0, 5, 6}}));
        NDArray expected = block.forward(store, plain, false).head();
        NDArray actual = block.forward(store, padded, false).head().get(":, 2:");
        // Positions are relative: the same sums in another order.
        assertThat(actual.sub(expected).abs().max().getFloat()).isLessThan(1e-5f);
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
        NDList labels = labels();
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
                String path = node.path(parameter.getName());
                NDArray wanted = read("grad." + path);
                NDArray gradient = parameter.getArray().getGradient();
                double error = Math.sqrt(TorchOps.squareSum(gradient.sub(wanted)));
                // Rounding of float32 sums stays well below this.
                assertThat(error / Math.sqrt(TorchOps.squareSum(wanted))).as(path).isLessThan(1e-4);
                compared++;
            }
        }
        assertThat(compared).isEqualTo(55);
    }

    @Test
    void stages_equalForwardToTheLastBit() throws Exception {
        NDList list = block.withLabels(data(), labels());
        NDList whole = list;
        List<Stage> stages = block.getStages();
        for (Stage stage : stages.subList(0, stages.size() - 1)) {
            list = stage.forward(store, list, true);
        }
        Stage head = stages.get(stages.size() - 1);
        float[] logits = head.forward(store, list, true).get(0).toFloatArray();
        assertThat(block.forward(store, whole, true).get(0).toFloatArray()).isEqualTo(logits);
        float loss = head.forward(store, list, labels()).get(0).getFloat();
        assertThat(block.forward(store, data(), labels(), null).get(0).getFloat()).isEqualTo(loss);
        assertThat(block.evaluateLoss(store, data(), labels()).getFloat()).isEqualTo(loss);
    }

    @Test
    void tokenLosses_haveTheMeanOfTransformers() throws Exception {
        NDArray losses = block.tokenLosses(store, data(), labels().head());
        long kept = labels().head().neq(-100).sum().getLong();
        assertThat(losses.getShape().get(0)).isEqualTo(kept);
        float expected = read("loss").toFloatArray()[0];
        assertThat(losses.mean().getFloat() / expected - 1).isBetween(-1e-5f, 1e-5f);
    }

    @Test
    void forward_missingInputs_areNamed() throws Exception {
        NDList ids = new NDList(data().head());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> block.forward(store, ids, false))
                .withMessageContainingAll("input_ids and attention_mask", "1 of these");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> block.forward(store, ids, labels(), null))
                .withMessageContaining("attention_mask");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> block.forward(store, data(), false))
                .withMessageContaining("decoder_input_ids");
    }

    @Test
    void tokenLosses_severalAnswersToEachInput_areThoseOfRepeatedInputs() throws Exception {
        NDList data = data();
        NDArray answers = labels().head().repeat(0, 2);
        NDList repeated = new NDList(data.get(0).repeat(0, 2), data.get(1).repeat(0, 2));
        assertThat(block.tokenLosses(store, data, answers).toFloatArray())
                .containsExactly(
                        block.tokenLosses(store, repeated, answers).toFloatArray(), within(1e-5f));
        NDArray three = answers.get(":3");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> block.tokenLosses(store, data, three))
                .withMessageContaining("3 rows of labels do not go with 2 of input_ids");
        NDList given = block.withLabels(data, labels());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> block.tokenLosses(store, given, answers))
                .withMessageContaining("decoder_input_ids");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> block.tokenLosses(store, new NDList(), answers))
                .withMessageContaining("attention_mask");
    }

    @Test
    void forward_leavesOnlyItsResult() throws Exception {
        block.freezeParameters(false);
        NDList data = data();
        NDList labels = labels();
        int before = manager.getManagedArrays().size();
        int own = model.getNDManager().getManagedArrays().size();
        NDList whole = block.withLabels(data, labels);
        block.forward(store, whole, false).close();
        block.forward(store, whole, true).close();
        whole.get(2).close();
        block.forward(store, data, labels, null).close();
        block.evaluateLoss(store, data, labels).close();
        block.tokenLosses(store, data, labels.head()).close();
        assertThat(manager.getManagedArrays()).hasSize(before);
        assertThat(model.getNDManager().getManagedArrays()).hasSize(own);
    }

    @Test
    void generate_greedy_givesTokensOfTransformers() throws Exception {
        NDArray generated = read("generated");
        int width = (int) generated.getShape().get(1);
        long[] all = generated.toLongArray();
        int columns = (int) read("input_ids").getShape().get(1);
        long[] ids = read("input_ids").toLongArray();
        long[] mask = read("attention_mask").toLongArray();
        GenerationConfig config = GenerationConfig.builder().optMaxNewTokens(width - 1).build();
        for (int row = 0; row < 2; row++) {
            int start = row * columns;
            int length = (int) Arrays.stream(mask, start, start + columns).sum();
            long[] prompt = Arrays.copyOfRange(ids, start, start + length);
            long[] tokens = new TokenGenerator(model).generate(prompt, config);
            long[] expected = Arrays.copyOfRange(all, row * width + 1, (row + 1) * width);
            // What follows the end is padding, which is not generated here.
            assertThat(tokens).isEqualTo(Arrays.copyOf(expected, tokens.length));
            assertThat(Arrays.stream(expected).skip(tokens.length)).allMatch(id -> id == 0);
            assertThat(tokens.length == width - 1 || tokens[tokens.length - 1] == 1).isTrue();
        }
    }
}

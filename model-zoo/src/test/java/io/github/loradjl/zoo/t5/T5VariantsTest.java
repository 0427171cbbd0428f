package io.github.loradjl.zoo.t5;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;

import com.google.gson.JsonObject;
import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TokenGenerator;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.util.List;

/** Small models of every supported kind against random_models.json, made by make_golden.py. */
class T5VariantsTest {

    @TempDir private Path folder;

    private ZooModel<NDList, NDList> load(JsonObject config) throws Exception {
        RandomT5.write(folder, config);
        return RandomT5.load(folder);
    }

    @ParameterizedTest
    @ValueSource(strings = {"v1.0", "v1.1", "mt5", "byt5"})
    void model_equalsTransformers(String name) throws Exception {
        RandomT5.Expected expected = RandomT5.expected(name);
        try (ZooModel<NDList, NDList> model = load(expected.config);
                NDManager manager = model.getNDManager().newSubManager()) {
            T5ForConditionalGeneration block = (T5ForConditionalGeneration) model.getBlock();
            block.freezeParameters(false);
            ParameterStore store = new ParameterStore(manager, false);
            NDArray loss;
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                loss =
                        block.forward(store, RandomT5.data(manager), RandomT5.labels(manager), null)
                                .head();
                collector.backward(loss);
            }
            // Rounding of float32; a wrong bucket or scale changes the first digits.
            assertThat(loss.getFloat() / expected.loss).isCloseTo(1, within(1e-5f));
            NDList inputs = block.withLabels(RandomT5.data(manager), RandomT5.labels(manager));
            float[] last = block.forward(store, inputs, false).head().get("1, -1").toFloatArray();
            assertThat(last).containsExactly(expected.logits, within(1e-4f));
            int parameters = 0;
            for (BlockTree.Node node : BlockTree.walk(block)) {
                for (Parameter parameter : node.block().getDirectParameters().values()) {
                    parameters++;
                    String path = node.path(parameter.getName());
                    double norm = expected.gradient_norms.get(path);
                    NDArray gradient = parameter.getArray().getGradient();
                    assertThat(Math.sqrt(TorchOps.squareSum(gradient)))
                            .as(path)
                            .isCloseTo(norm, within(1e-4 * norm));
                }
            }
            assertThat(parameters).isEqualTo(expected.parameters);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"v1.0", "v1.1"})
    void buckets_areThoseOfTransformers(String name) throws Exception {
        RandomT5.Expected expected = RandomT5.expected(name);
        T5Config config = T5Config.parse(expected.config.toString());
        for (int i = 0; i < expected.encoder_buckets.length; i++) {
            assertThat(new RelativePositions(config, true).bucket(i - 300))
                    .isEqualTo(expected.encoder_buckets[i]);
            assertThat(new RelativePositions(config, false).bucket(i - 300))
                    .isEqualTo(expected.decoder_buckets[i]);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"v1.0", "v1.1", "mt5", "byt5"})
    void generate_batchOfUnequalPrompts_givesTokensOfTransformers(String name) throws Exception {
        RandomT5.Expected expected = RandomT5.expected(name);
        try (ZooModel<NDList, NDList> model = load(expected.config)) {
            GenerationConfig config =
                    GenerationConfig.builder().optMaxNewTokens(12).optStopAtEnd(false).build();
            List<long[]> tokens = new TokenGenerator(model).generate(RandomT5.prompts(), config);
            assertThat(tokens.get(0)).isEqualTo(expected.greedy[0]);
            assertThat(tokens.get(1)).isEqualTo(expected.greedy[1]);
        }
    }
}

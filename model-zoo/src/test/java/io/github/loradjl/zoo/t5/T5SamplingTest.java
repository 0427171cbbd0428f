package io.github.loradjl.zoo.t5;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;

import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TokenGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;

/** Tokens drawn from a T5. */
class T5SamplingTest {

    @TempDir private Path folder;

    private ZooModel<NDList, NDList> model() throws Exception {
        RandomT5.write(folder, RandomT5.expected("v1.1").config);
        return RandomT5.load(folder);
    }

    private static GenerationConfig.Builder tokens(int count) {
        return GenerationConfig.builder().optMaxNewTokens(count).optStopAtEnd(false);
    }

    @Test
    void generate_sampled_drawsFromTheDistributionOfTransformers() throws Exception {
        float[] logits = RandomT5.expected("v1.1").first_logits;
        double temperature = 0.7;
        double[] expected = new double[logits.length];
        double sum = 0;
        for (int i = 0; i < logits.length; i++) {
            expected[i] = Math.exp(logits[i] / temperature);
            sum += expected[i];
        }
        int draws = 2000;
        double[] shares = new double[logits.length];
        try (ZooModel<NDList, NDList> model = model()) {
            TokenGenerator generator = new TokenGenerator(model);
            GenerationConfig.Builder config = tokens(1).optTemperature((float) temperature);
            long[] prompt = RandomT5.prompts().get(0);
            for (int seed = 0; seed < draws; seed++) {
                long[] drawn = generator.generate(prompt, config.optSeed(seed).build());
                shares[(int) drawn[0]] += 1.0 / draws;
            }
        }
        for (int i = 0; i < expected.length; i++) {
            double share = expected[i] / sum;
            // Four standard deviations, and one draw for the rarest tokens.
            double tolerance = 4 * Math.sqrt(share * (1 - share) / draws) + 1.0 / draws;
            assertThat(shares[i]).as("token %d", i).isCloseTo(share, within(tolerance));
        }
    }

    @Test
    void generate_oneTokenToDrawFrom_isGreedy() throws Exception {
        long[][] greedy = RandomT5.expected("v1.1").greedy;
        try (ZooModel<NDList, NDList> model = model()) {
            GenerationConfig config = tokens(12).optTopK(1).optSeed(9).build();
            assertThat(new TokenGenerator(model).generate(RandomT5.prompts(), config))
                    .containsExactly(greedy);
        }
    }

    @Test
    void generate_sampled_repeatsWithItsSeedInABatchAndAlone() throws Exception {
        try (ZooModel<NDList, NDList> model = model()) {
            TokenGenerator generator = new TokenGenerator(model);
            GenerationConfig.Builder config = tokens(12).optTemperature(1.3f).optTopP(0.95f);
            GenerationConfig third = config.optSeed(3).build();
            List<long[]> batched = generator.generate(RandomT5.prompts(), third);
            List<long[]> alone =
                    RandomT5.prompts().stream()
                            .map(prompt -> generator.generate(prompt, third))
                            .toList();
            assertThat(alone).containsExactlyElementsOf(batched);
            assertThat(generator.generate(RandomT5.prompts(), config.optSeed(4).build()).get(0))
                    .isNotEqualTo(batched.get(0));
        }
    }
}

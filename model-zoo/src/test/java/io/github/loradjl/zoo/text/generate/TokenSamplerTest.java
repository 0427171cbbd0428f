package io.github.loradjl.zoo.text.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.stream.IntStream;

class TokenSamplerTest {

    /** Logits of the probabilities 0.1, 0.5, 0.1, 0.3. */
    private static final float[] LOGITS = {
        (float) Math.log(0.1), (float) Math.log(0.5), (float) Math.log(0.1), (float) Math.log(0.3)
    };

    private static double[] probabilities(GenerationConfig.Builder config) {
        double[] weights = new TokenSampler(config.build()).weights(LOGITS, LOGITS[1]);
        double sum = Arrays.stream(weights).sum();
        return Arrays.stream(weights).map(w -> w / sum).toArray();
    }

    private static GenerationConfig.Builder config() {
        return GenerationConfig.builder();
    }

    @Test
    void weights_temperature_dividesLogits() {
        // Squares of the probabilities, normalised.
        assertThat(probabilities(config().optTemperature(0.5f)))
                .containsExactly(new double[] {1 / 36d, 25 / 36d, 1 / 36d, 9 / 36d}, within(1e-6));
    }

    @Test
    void weights_topK_keepsTheLargestAndTies() {
        assertThat(probabilities(config().optTopK(2)))
                .containsExactly(new double[] {0, 5 / 8d, 0, 3 / 8d}, within(1e-6));
        assertThat(probabilities(config().optTopK(3)))
                .containsExactly(new double[] {0.1, 0.5, 0.1, 0.3}, within(1e-6));
    }

    @Test
    void weights_topP_keepsTheSmallestSetThatReachesIt() {
        assertThat(probabilities(config().optTopP(0.75f)))
                .containsExactly(new double[] {0, 5 / 8d, 0, 3 / 8d}, within(1e-6));
        assertThat(probabilities(config().optTopP(0.01f)))
                .containsExactly(new double[] {0, 1, 0, 0}, within(1e-6));
    }

    @Test
    void choose_manyDraws_followTheProbabilities() {
        TokenSampler sampler = new TokenSampler(config().optSample(true).optSeed(1).build());
        double[] counts = new double[4];
        for (int i = 0; i < 20000; i++) {
            counts[sampler.choose(LOGITS)] += 1 / 20000d;
        }
        // Four standard deviations of a share of 0.5 over 20000 draws.
        assertThat(counts).containsExactly(new double[] {0.1, 0.5, 0.1, 0.3}, within(0.015));
    }

    @Test
    void choose_firstDrawsOfNeighbouringSeeds_followTheProbabilities() {
        double[] counts = new double[4];
        for (int seed = 0; seed < 2000; seed++) {
            TokenSampler sampler = new TokenSampler(config().optSample(true).optSeed(seed).build());
            counts[sampler.choose(LOGITS)] += 1 / 2000d;
        }
        // Four standard deviations of a share of 0.5 over 2000 draws.
        assertThat(counts).containsExactly(new double[] {0.1, 0.5, 0.1, 0.3}, within(0.045));
    }

    @Test
    void choose_sameSeed_drawsTheSame() {
        int[][] draws = new int[3][];
        for (int i = 0; i < 3; i++) {
            long seed = i == 2 ? 8 : 7;
            TokenSampler sampler = new TokenSampler(config().optSample(true).optSeed(seed).build());
            draws[i] = IntStream.range(0, 50).map(j -> sampler.choose(LOGITS)).toArray();
        }
        assertThat(draws[1]).isEqualTo(draws[0]);
        assertThat(draws[2]).isNotEqualTo(draws[0]);
    }

    @Test
    void choose_nan_isAnError() {
        float[] broken = {0, Float.NaN};
        assertThatThrownBy(() -> new TokenSampler(config().optSample(true).build()).choose(broken))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("NaN");
    }

    @Test
    void build_valueOutOfRange_isNamed() {
        assertThatThrownBy(() -> config().optTemperature(0).build())
                .hasMessageContaining("temperature");
        assertThatThrownBy(() -> config().optTopP(1.5f).build()).hasMessageContaining("topP");
        assertThatThrownBy(() -> config().optTopK(-1).build()).hasMessageContaining("topK");
        assertThatThrownBy(() -> config().optMaxNewTokens(0).build())
                .hasMessageContaining("maxNewTokens");
    }
}

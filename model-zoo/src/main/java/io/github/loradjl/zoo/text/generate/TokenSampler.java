package io.github.loradjl.zoo.text.generate;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Draws tokens by their logits. */
final class TokenSampler {

    private final GenerationConfig config;
    // The first numbers of java.util.Random are almost the same for neighbouring seeds.
    private final SplittableRandom random;

    TokenSampler(GenerationConfig config) {
        this.config = config;
        random = new SplittableRandom(config.getSeed());
    }

    int choose(float[] logits) {
        int best = largest(logits);
        double[] weights = weights(logits, logits[best]);
        double point = random.nextDouble() * Arrays.stream(weights).sum();
        int last = best;
        for (int i = 0; i < weights.length; i++) {
            if (weights[i] > 0) {
                last = i;
                point -= weights[i];
                if (point < 0) {
                    return i;
                }
            }
        }
        // Rounding can leave a rest; it belongs to the last token.
        return last;
    }

    private static int largest(float[] logits) {
        int best = 0;
        for (int i = 0; i < logits.length; i++) {
            checkNumber(logits[i]);
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        return best;
    }

    static void checkNumber(float prediction) {
        if (Float.isNaN(prediction)) {
            throw new IllegalStateException(
                    "the model predicts NaN; its weights or its adapter are broken");
        }
    }

    /** Computes unnormalised probabilities, 0 for tokens that are filtered out. */
    double[] weights(float[] logits, float maximum) {
        double[] weights = new double[logits.length];
        float smallest = threshold(logits);
        for (int i = 0; i < logits.length; i++) {
            if (logits[i] >= smallest) {
                weights[i] = Math.exp((logits[i] - maximum) / (double) config.getTemperature());
            }
        }
        if (config.getTopP() < 1) {
            keepNucleus(weights);
        }
        return weights;
    }

    /** Finds the k-th largest logit; tokens equal to it are all kept. */
    private float threshold(float[] logits) {
        int k = config.getTopK();
        if (k == 0 || k >= logits.length) {
            return Float.NEGATIVE_INFINITY;
        }
        float[] sorted = logits.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length - k];
    }

    /** Drops the least probable tokens whose sum does not exceed 1 - p, never the last one. */
    private void keepNucleus(double[] weights) {
        int[] ascending =
                IntStream.range(0, weights.length)
                        .filter(i -> weights[i] > 0)
                        .boxed()
                        .sorted((i, j) -> Double.compare(weights[i], weights[j]))
                        .mapToInt(Integer::intValue)
                        .toArray();
        double limit = (1 - (double) config.getTopP()) * Arrays.stream(weights).sum();
        double below = 0;
        for (int i = 0; i < ascending.length - 1; i++) {
            below += weights[ascending[i]];
            if (below > limit) {
                return;
            }
            weights[ascending[i]] = 0;
        }
    }
}

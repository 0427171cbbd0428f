package io.github.loradjl.zoo.text.evaluate;

import java.util.List;

/**
 * How often a choice of two was right and wrong.
 *
 * @param truePositives right choices of the positive class
 * @param trueNegatives right choices of the negative class
 * @param falsePositives wrong choices of the positive class
 * @param falseNegatives wrong choices of the negative class
 */
public record BinaryCounts(
        long truePositives, long trueNegatives, long falsePositives, long falseNegatives) {

    /**
     * Counts outcomes of two labels. A wrong answer counts as the other label, whatever it says.
     *
     * @param outcomes the outcomes
     * @param positive the label of the positive class
     * @return the counts
     */
    public static BinaryCounts of(List<Outcome> outcomes, String positive) {
        long[] counts = new long[4];
        for (Outcome outcome : outcomes) {
            boolean chosen = outcome.gold().equals(positive) == outcome.correct();
            counts[(chosen ? 0 : 1) + (outcome.correct() ? 0 : 2)]++;
        }
        return new BinaryCounts(counts[0], counts[1], counts[2], counts[3]);
    }

    /**
     * Computes Matthews' correlation of choices and truth: (TP TN - FP FN) / sqrt((TP + FP) (TP +
     * FN) (TN + FP) (TN + FN)).
     *
     * @return the correlation, within -1 and 1; 0 if a factor below the root is 0
     */
    public double matthews() {
        double product =
                (double) (truePositives + falsePositives)
                        * (truePositives + falseNegatives)
                        * (trueNegatives + falsePositives)
                        * (trueNegatives + falseNegatives);
        double difference =
                (double) truePositives * trueNegatives - (double) falsePositives * falseNegatives;
        return product == 0 ? 0 : difference / Math.sqrt(product);
    }

    /**
     * Computes the F1 score of the positive class, 2 TP / (2 TP + FP + FN).
     *
     * @return the score, within 0 and 1; 0 without positives
     */
    public double f1() {
        long sum = 2 * truePositives + falsePositives + falseNegatives;
        return sum == 0 ? 0 : 2d * truePositives / sum;
    }
}

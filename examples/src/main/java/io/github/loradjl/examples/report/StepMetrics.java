package io.github.loradjl.examples.report;

import com.google.gson.annotations.SerializedName;

/**
 * The figures of one logged step; null where a figure was not measured.
 *
 * @param globalStep the number of optimizer steps so far; 0 before the first
 * @param loss the mean loss of the step's tokens, in nats
 * @param learningRate the step's learning rate
 * @param tokensPerSecond tokens read per second since the last logged step, padding not counted
 * @param evalLoss the mean loss of the validation data's tokens, in nats
 */
public record StepMetrics(
        @SerializedName("global_step") long globalStep,
        @SerializedName("loss") Double loss,
        @SerializedName("learning_rate") Double learningRate,
        @SerializedName("tokens_per_second") Double tokensPerSecond,
        @SerializedName("eval_loss") Double evalLoss) {

    /**
     * Makes the figures of a validation alone.
     *
     * @param globalStep the number of optimizer steps so far
     * @param evalLoss the mean loss of the validation data's tokens
     * @return the figures
     */
    public static StepMetrics evaluation(long globalStep, double evalLoss) {
        return new StepMetrics(globalStep, null, null, null, evalLoss);
    }
}

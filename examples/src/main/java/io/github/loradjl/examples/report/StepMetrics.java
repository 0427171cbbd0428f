package io.github.loradjl.examples.report;

import com.google.gson.annotations.SerializedName;

/**
 * The figures of one logged step under the names that TRL gives them; null where a figure was not
 * measured.
 *
 * @param globalStep the number of optimizer steps so far; 0 before the first
 * @param epoch how often the data has been read, as 1.25
 * @param numTokens the tokens read so far, padding not counted
 * @param loss the mean loss of the tokens since the last logged step, in nats
 * @param meanTokenAccuracy the share of these tokens that were the most probable
 * @param learningRate the step's learning rate
 * @param gradNorm the global norm of the step's gradient before clipping
 * @param tokensPerSecond tokens read per second since the last logged step, padding not counted
 * @param peakMemoryMb the highest resident memory of the process so far, in millions of bytes
 * @param evalLoss the mean loss of the validation data's tokens, in nats
 * @param evalPerplexity its exponential
 */
public record StepMetrics(
        @SerializedName("global_step") long globalStep,
        @SerializedName("epoch") Double epoch,
        @SerializedName("num_tokens") Long numTokens,
        @SerializedName("loss") Double loss,
        @SerializedName("mean_token_accuracy") Double meanTokenAccuracy,
        @SerializedName("learning_rate") Double learningRate,
        @SerializedName("grad_norm") Double gradNorm,
        @SerializedName("tokens_per_second") Double tokensPerSecond,
        @SerializedName("peak_memory_mb") Double peakMemoryMb,
        @SerializedName("eval_loss") Double evalLoss,
        @SerializedName("eval_perplexity") Double evalPerplexity) {

    /**
     * Makes the figures of a validation alone.
     *
     * @param globalStep the number of optimizer steps so far
     * @param evalLoss the mean loss of the validation data's tokens
     * @return the figures
     */
    public static StepMetrics evaluation(long globalStep, double evalLoss) {
        return new StepMetrics(
                        globalStep, null, null, null, null, null, null, null, null, null, null)
                .withEvaluation(evalLoss);
    }

    /**
     * Adds a validation of the same step.
     *
     * @param loss the mean loss of the validation data's tokens
     * @return these figures with the validation's
     */
    public StepMetrics withEvaluation(double loss) {
        return new StepMetrics(
                globalStep,
                epoch,
                numTokens,
                this.loss,
                meanTokenAccuracy,
                learningRate,
                gradNorm,
                tokensPerSecond,
                peakMemoryMb,
                loss,
                Math.exp(loss));
    }
}

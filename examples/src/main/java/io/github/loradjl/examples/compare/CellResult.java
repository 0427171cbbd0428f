package io.github.loradjl.examples.compare;

import com.google.gson.annotations.SerializedName;

import java.util.List;

/**
 * What came of one run.
 *
 * @param method the method's label
 * @param rate the highest learning rate
 * @param seed the seed
 * @param failure why there is no final loss, or null
 * @param start the start, or null for a run that could not begin
 * @param training the training, likewise
 * @param metric the metric of the trained model, or null where none is asked for
 */
public record CellResult(
        String method,
        double rate,
        int seed,
        String failure,
        Start start,
        Training training,
        Double metric) {

    /**
     * What comes before the first step.
     *
     * @param trainable the number of trained parameters
     * @param seconds the time from the loaded model to the first step
     * @param memoryMb the resident memory beside the loaded model at its highest, in millions of
     *     bytes, or null where the system does not tell
     * @param captured the mean share of the gradient's energy in the directions of a LoRA-GA start,
     *     or null for other starts
     * @param conditions the factors' condition numbers, or null without factors
     */
    public record Start(
            long trainable,
            double seconds,
            @SerializedName("memory_mb") Double memoryMb,
            Double captured,
            ConditionNumbers conditions) {}

    /**
     * The training.
     *
     * @param losses the loss of each step's batch before the step
     * @param validationSteps after how many steps the model was validated
     * @param validationLosses the validation loss after so many steps
     * @param stepSeconds the median time of a step
     * @param memoryMb the resident memory beside the loaded model at its highest, in millions of
     *     bytes, or null where the system does not tell
     * @param conditions the trained factors' condition numbers, or null without factors
     */
    public record Training(
            List<Double> losses,
            @SerializedName("validation_steps") List<Long> validationSteps,
            @SerializedName("validation_losses") List<Double> validationLosses,
            @SerializedName("step_seconds") double stepSeconds,
            @SerializedName("memory_mb") Double memoryMb,
            ConditionNumbers conditions) {}

    static CellResult failed(Cell cell, String why) {
        return new CellResult(
                cell.method().label(), cell.rate(), cell.seed(), why, null, null, null);
    }

    /**
     * Returns the last validation loss.
     *
     * @return the loss, in nats per token; infinite for a run that failed
     */
    public double finalLoss() {
        if (failure != null) {
            return Double.POSITIVE_INFINITY;
        }
        List<Double> curve = training.validationLosses();
        return curve.get(curve.size() - 1);
    }
}

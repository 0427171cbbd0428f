package io.github.loradjl.training;

/** Hears how a fine-tuning run goes. */
public interface FineTuningListener {

    /**
     * A training step that is done.
     *
     * @param number the number of steps so far, from 1
     * @param epoch the epoch it belongs to, from 1
     * @param loss the batch's loss before the step
     * @param gradientNorm the global norm of the gradient before clipping
     * @param tokens the tokens read by this step
     * @param seconds the time that this step took
     */
    record Step(
            long number,
            int epoch,
            double loss,
            double gradientNorm,
            long tokens,
            double seconds) {}

    /**
     * Called after each step.
     *
     * @param step the step
     */
    default void onStep(Step step) {}

    /**
     * Called after each validation: before the first step, at the intervals asked for, and after
     * the last step.
     *
     * @param steps the number of training steps so far
     * @param loss the mean loss over the validation data
     */
    default void onValidation(long steps, double loss) {}
}

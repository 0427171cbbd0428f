package io.github.loradjl.training;

/** Hears how a fine-tuning run goes. */
public interface FineTuningListener {

    /**
     * A training step that is done.
     *
     * @param number the number of steps so far, from 1
     * @param epoch how often the data has been read, as 1.25; the whole number at the end of an
     *     epoch
     * @param loss the mean loss of the step's targets before the step
     * @param accuracy the share of targets that were the most probable; NaN where it is not known
     * @param gradientNorm the global norm of the gradient before clipping
     * @param tokens the tokens read by this step
     * @param totalTokens the tokens read so far
     * @param seconds the time that this step took
     * @param validationLoss the mean loss over the validation data after this step; NaN where it
     *     was not computed
     */
    record Step(
            long number,
            double epoch,
            double loss,
            double accuracy,
            double gradientNorm,
            long tokens,
            long totalTokens,
            double seconds,
            double validationLoss) {}

    /**
     * Called before the first step, unless the run is resumed.
     *
     * @param loss the mean loss over the validation data; not called where there are none
     */
    default void onFirstValidation(double loss) {}

    /**
     * Called after each step, its validation included, and before a checkpoint of it is saved.
     *
     * @param step the step
     */
    default void onStep(Step step) {}

    /**
     * Called with a text that the model has generated.
     *
     * @param step the number of steps so far
     * @param text what the sampler gave
     */
    default void onSample(long step, String text) {}

    /**
     * Called before a checkpoint is saved: what a listener has not written down by now will be
     * missing if the process is killed and resumed from here.
     *
     * @param step the number of steps so far
     */
    default void onCheckpoint(long step) {}
}

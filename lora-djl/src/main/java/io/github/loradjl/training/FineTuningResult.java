package io.github.loradjl.training;

/**
 * How a fine-tuning run ended.
 *
 * @param steps the number of optimizer steps made, those before a resumption included
 * @param end why it ended
 * @param checkpoint the last checkpoint, or null where none was saved
 */
public record FineTuningResult(long steps, End end, Checkpoint checkpoint) {

    /** Why a run ends. */
    public enum End {
        /** All epochs or steps are done. */
        COMPLETED,
        /** The validation loss has not fallen for as long as early stopping waits. */
        STOPPED_EARLY,
        /** It was asked to stop. */
        INTERRUPTED
    }
}

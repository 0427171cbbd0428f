package io.github.loradjl.zoo.text.task;

import java.util.Locale;

/** A number that tells how well classes were told apart. */
public enum Metric {

    /** The share of right choices. */
    ACCURACY,

    /** Matthews' correlation of choices and truth, for two classes. */
    MATTHEWS,

    /** The F1 score of the positive class of two. */
    F1;

    /**
     * Returns the name of the metric in files.
     *
     * @return the name in lower case
     */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}

package io.github.loradjl.zoo.text.evaluate;

import java.util.Locale;

/**
 * How it is told what a model answers where the right answer is one of some labels. The modes give
 * other numbers for the same model, so each number is named with its mode.
 */
public enum AnswerMode {

    /** The most probable of all labels, by {@link LabelScoring}. */
    LABELS,

    /**
     * Every token of the right label is the most probable one in its place, by {@link
     * TeacherForcedAccuracy}.
     */
    HARD,

    /**
     * The first token of the right label is more probable than that of the other one, by {@link
     * TeacherForcedAccuracy}.
     */
    SOFT,

    /** What the model writes freely, by {@link ExactMatch}. */
    GENERATED,

    /** The class with the largest logit of a classifier, by {@link ClassifierScoring}. */
    CLASSIFIER;

    /**
     * Returns the name of the mode in files.
     *
     * @return the name in lower case
     */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}

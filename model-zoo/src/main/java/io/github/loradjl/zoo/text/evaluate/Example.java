package io.github.loradjl.zoo.text.evaluate;

import java.util.Objects;

/**
 * What a model is asked, and what is right.
 *
 * @param id what tells the example from others, as its line in a file
 * @param prompt what the model is given
 * @param gold what it should say
 */
public record Example(String id, String prompt, String gold) {

    /**
     * Checks that nothing is missing.
     *
     * @param id what tells the example from others, as its line in a file
     * @param prompt what the model is given
     * @param gold what it should say
     */
    public Example {
        Objects.requireNonNull(id, "an example has no id");
        Objects.requireNonNull(prompt, "example " + id + " has no prompt");
        Objects.requireNonNull(gold, "example " + id + " has no answer to compare with");
    }
}

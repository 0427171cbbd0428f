package io.github.loradjl.zoo.text.evaluate;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;

import java.util.List;

/**
 * What became of one example.
 *
 * @param id the id of the example
 * @param prompt what the model was given
 * @param output what it said, or the label that it finds most probable
 * @param extracted the answer that was found in the output
 * @param gold the answer that is right
 * @param correct whether they are equal
 */
public record Outcome(
        String id, String prompt, String output, String extracted, String gold, boolean correct) {

    private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

    /**
     * Writes the outcome as one line.
     *
     * @return a JSON object with the names of the components as keys
     */
    public String toJson() {
        return GSON.toJson(this);
    }

    /**
     * Computes the share of correct outcomes.
     *
     * @param outcomes the outcomes
     * @return the accuracy, NaN without outcomes
     */
    public static double accuracy(List<Outcome> outcomes) {
        return outcomes.stream().mapToInt(o -> o.correct() ? 1 : 0).average().orElse(Double.NaN);
    }
}

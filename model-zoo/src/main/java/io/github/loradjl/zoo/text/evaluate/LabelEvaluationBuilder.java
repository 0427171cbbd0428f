package io.github.loradjl.zoo.text.evaluate;

import ai.djl.Model;

import io.github.loradjl.zoo.text.TextTokenizer;

import java.util.HashSet;
import java.util.List;
import java.util.Objects;

/**
 * The options of an evaluation whose right answers are labels.
 *
 * @param <B> the builder
 */
public abstract class LabelEvaluationBuilder<B extends LabelEvaluationBuilder<B>> {

    Model model;
    TextTokenizer tokenizer;
    List<String> labels;
    boolean addSpecialTokens = true;
    int batchSize = 8;
    int maxLength = Integer.MAX_VALUE;

    LabelEvaluationBuilder() {}

    abstract B self();

    /**
     * Sets what scores.
     *
     * @param model a loaded model, adapted or not; it stays the caller's
     * @param tokenizer the model's tokenizer; it stays the caller's
     * @return this builder
     */
    public B setModel(Model model, TextTokenizer tokenizer) {
        this.model = model;
        this.tokenizer = tokenizer;
        return self();
    }

    /**
     * Sets the labels to choose from.
     *
     * @param labels at least two, all different, without blanks around them
     * @return this builder
     */
    public B setLabels(List<String> labels) {
        this.labels = List.copyOf(labels);
        return self();
    }

    /**
     * Sets whether the tokenizer adds its special tokens to prompts, true by default.
     *
     * @param add false if prompts hold all special tokens, as those of a chat template
     * @return this builder
     */
    public B optAddSpecialTokens(boolean add) {
        addSpecialTokens = add;
        return self();
    }

    /**
     * Sets how many prompts are scored together, 8 by default.
     *
     * @param batchSize a positive number
     * @return this builder
     */
    public B optBatchSize(int batchSize) {
        this.batchSize = batchSize;
        return self();
    }

    /**
     * Sets the most tokens of a prompt that an encoder reads, any number by default. A longer one
     * is cut at the end and keeps its end token, as {@code TextDataset.Builder.optMaxLength} does
     * for training: give the same number here.
     *
     * @param maxLength the number of tokens, at least 1
     * @return this builder
     */
    public B optMaxLength(int maxLength) {
        this.maxLength = maxLength;
        return self();
    }

    /** Checks what is required. */
    void check() {
        Objects.requireNonNull(model, "setModel is missing");
        Objects.requireNonNull(labels, "setLabels is missing");
        if (labels.size() < 2 || new HashSet<>(labels).size() < labels.size()) {
            throw new IllegalArgumentException(
                    "labels must be at least two, all different, not " + labels);
        }
        for (String label : labels) {
            if (label.isEmpty() || !label.equals(label.strip())) {
                throw new IllegalArgumentException(
                        "the label \""
                                + label
                                + "\" is empty or has blanks around it; put those into the"
                                + " prompt");
            }
        }
        if (batchSize < 1) {
            throw new IllegalArgumentException("the batch size must be positive, not " + batchSize);
        }
        if (maxLength < 1) {
            throw new IllegalArgumentException(
                    "the maximum length must be positive, not " + maxLength);
        }
    }
}

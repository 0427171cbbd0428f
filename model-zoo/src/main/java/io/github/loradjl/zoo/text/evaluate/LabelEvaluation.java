package io.github.loradjl.zoo.text.evaluate;

import io.github.loradjl.zoo.text.TextTokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** An evaluation whose right answers are labels. */
public abstract class LabelEvaluation {

    private final TextTokenizer tokenizer;
    private final boolean addSpecialTokens;
    private final List<String> labels;
    private final int batchSize;
    private final int maxLength;

    LabelEvaluation(LabelEvaluationBuilder<?> builder) {
        tokenizer = builder.tokenizer;
        addSpecialTokens = builder.addSpecialTokens;
        labels = builder.labels;
        batchSize = builder.batchSize;
        maxLength = builder.maxLength;
    }

    /**
     * Evaluates examples, whose right answers are labels, perhaps with blanks around them.
     *
     * @param examples the examples
     * @return their outcomes, in the same order
     * @throws IllegalArgumentException as {@link #evaluate(List, Consumer)}
     */
    public List<Outcome> evaluate(List<Example> examples) {
        return evaluate(examples, outcome -> {});
    }

    /**
     * Evaluates examples, whose right answers are labels, and tells each outcome once its batch is
     * done.
     *
     * @param examples the examples
     * @param listener called with each outcome, in the order of the examples
     * @return their outcomes, in the same order
     * @throws IllegalArgumentException if what should be right is none of the labels; nothing is
     *     scored then
     */
    public List<Outcome> evaluate(List<Example> examples, Consumer<Outcome> listener) {
        for (Example example : examples) {
            if (!labels.contains(example.gold().strip())) {
                throw new IllegalArgumentException(
                        "example "
                                + example.id()
                                + ": what should be right, \""
                                + example.gold()
                                + "\", is none of the labels "
                                + labels);
            }
        }
        List<Outcome> outcomes = new ArrayList<>();
        for (int from = 0; from < examples.size(); from += batchSize) {
            int to = Math.min(examples.size(), from + batchSize);
            for (Outcome outcome : outcomes(examples.subList(from, to))) {
                outcomes.add(outcome);
                listener.accept(outcome);
            }
        }
        return outcomes;
    }

    /** Evaluates one batch. */
    abstract List<Outcome> outcomes(List<Example> batch);

    static Outcome chosen(Example example, String label) {
        String gold = example.gold().strip();
        return new Outcome(example.id(), example.prompt(), label, label, gold, label.equals(gold));
    }

    TextTokenizer tokenizer() {
        return tokenizer;
    }

    List<String> labels() {
        return labels;
    }

    /** Encodes a prompt, or a prompt with its answer. */
    long[] encode(String text) {
        return tokenizer.encode(text, addSpecialTokens);
    }

    /** Encodes a prompt for an encoder, cut as for training. */
    long[] encodePrompt(String prompt) {
        return tokenizer.truncate(encode(prompt), maxLength);
    }

    /** Encodes prompts for an encoder. */
    List<long[]> encodePrompts(List<Example> batch) {
        return batch.stream().map(example -> encodePrompt(example.prompt())).toList();
    }

    /** A causal model's rows are cut at the end, where the answer stands. */
    void checkMaxLength(boolean isEncoderDecoder) {
        if (!isEncoderDecoder && maxLength < Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "optMaxLength cuts what an encoder reads; a causal model reads prompts whole");
        }
    }

    /** Encodes a label as a text of its own, with the end token, as a decoder learns to write. */
    long[] answer(String label) {
        return ended(tokenizer.encode(label));
    }

    /** Adds the end token unless the tokenizer did. */
    long[] ended(long[] ids) {
        OptionalLong end = tokenizer.getEosId();
        if (end.isEmpty() || ids.length > 0 && ids[ids.length - 1] == end.getAsLong()) {
            return ids;
        }
        long[] result = Arrays.copyOf(ids, ids.length + 1);
        result[ids.length] = end.getAsLong();
        return result;
    }

    /**
     * Counts the first tokens that a prompt has in common with itself and a label.
     *
     * @throws IllegalArgumentException if there are none
     */
    static int shared(String prompt, long[] before, long[] row) {
        int differ = Arrays.mismatch(before, row);
        int shared = differ < 0 ? before.length : differ;
        if (shared == 0) {
            throw new IllegalArgumentException(
                    "no token stands before the labels in \"" + prompt + "\"; a prompt is needed");
        }
        return shared;
    }

    /** Chooses the label with the largest score for each example. */
    List<Outcome> likeliest(List<Example> batch, List<double[]> scores) {
        List<Outcome> outcomes = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
            outcomes.add(chosen(batch.get(i), labels.get(largest(scores.get(i)))));
        }
        return outcomes;
    }

    /** Finds the largest score. */
    static int largest(double[] scores) {
        int best = 0;
        for (int i = 0; i < scores.length; i++) {
            if (Double.isNaN(scores[i])) {
                throw new IllegalStateException(
                        "the model predicts NaN; its weights or its adapter are broken");
            }
            best = scores[i] > scores[best] ? i : best;
        }
        return best;
    }
}

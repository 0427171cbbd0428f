package io.github.loradjl.zoo.text;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The options of a data set of texts: what is read, and how batches are made of it.
 *
 * @param <B> the builder
 */
public abstract class TextDatasetBuilder<B extends TextDatasetBuilder<B>> {

    /** Stands for the prompt in a prompt format. */
    public static final String PROMPT = "{prompt}";

    private static final int MAX_WEIGHT = 1000;

    TextTokenizer tokenizer;
    final List<Path> paths = new ArrayList<>();
    final List<Double> weights = new ArrayList<>();
    int batchSize;
    boolean shuffle;
    boolean lengthGroups = true;
    int maxLength;
    long seed;
    long limit = Long.MAX_VALUE;
    String textKey = "text";
    String promptKey = "prompt";
    String completionKey = "completion";
    String promptFormat = PROMPT;

    TextDatasetBuilder() {}

    abstract B self();

    /**
     * Sets the tokenizer, which stays the caller's to close.
     *
     * @param tokenizer the tokenizer
     * @return this builder
     */
    public B setTokenizer(TextTokenizer tokenizer) {
        this.tokenizer = tokenizer;
        return self();
    }

    /**
     * Sets the file or folder to read, in place of any given before.
     *
     * @param path a {@code .jsonl}, {@code .csv}, {@code .tsv} or {@code .txt} file in UTF-8, or a
     *     folder of such files, which are read in the order of their names
     * @return this builder
     */
    public B setFile(Path path) {
        paths.clear();
        weights.clear();
        return addFile(path, 1);
    }

    /**
     * Adds a further file or folder to read.
     *
     * @param path a file or folder as for {@link #setFile}
     * @param weight how often each of its rows comes in an epoch: 2 for twice, 0.5 for a half of
     *     them, drawn anew for each epoch
     * @return this builder
     */
    public B addFile(Path path, double weight) {
        if (!(weight > 0 && weight <= MAX_WEIGHT)) {
            throw new IllegalArgumentException(
                    "The weight of " + path + " must be in (0, " + MAX_WEIGHT + "], not " + weight);
        }
        paths.add(Objects.requireNonNull(path, "the file is null"));
        weights.add(weight);
        return self();
    }

    /**
     * Sets how batches are made.
     *
     * @param batchSize the rows of a batch, or its sequences of rows if they are packed; the last
     *     one may have fewer
     * @param shuffle true for a new order in each epoch, with rows of similar length together;
     *     false for the order of the file
     * @return this builder
     */
    public B setSampling(int batchSize, boolean shuffle) {
        this.batchSize = batchSize;
        this.shuffle = shuffle;
        return self();
    }

    /**
     * Sets whether shuffled batches are made of rows of similar length, true by default: less
     * padding, at the price of batches that are less random. Packed sequences are not grouped.
     *
     * @param lengthGroups false to shuffle without a look at the lengths
     * @return this builder
     */
    public B optLengthGroups(boolean lengthGroups) {
        this.lengthGroups = lengthGroups;
        return self();
    }

    /**
     * Sets the most tokens of a row, end token included: by default 1024, or the tokenizer's own
     * maximum if that is less. What is longer is cut at the end, and counted.
     *
     * @param maxLength the number of tokens, at least 2
     * @return this builder
     */
    public B optMaxLength(int maxLength) {
        if (maxLength < 2) {
            throw new IllegalArgumentException(
                    "A row needs at least 2 tokens to learn one, not " + maxLength);
        }
        this.maxLength = maxLength;
        return self();
    }

    /**
     * Sets the seed of the shuffling, and of what else is drawn, 0 by default.
     *
     * @param seed the seed
     * @return this builder
     */
    public B optSeed(long seed) {
        this.seed = seed;
        return self();
    }

    /**
     * Reads only the first rows of each file or folder.
     *
     * @param limit the number of rows, at least 1
     * @return this builder
     */
    public B optLimit(long limit) {
        if (limit < 1) {
            throw new IllegalArgumentException(
                    "Of each file at least 1 row must be read, not " + limit);
        }
        this.limit = limit;
        return self();
    }

    /**
     * Sets the keys of the two texts of a row, {@code prompt} and {@code completion} by default.
     *
     * @param prompt the key of the prompt, as {@code question}
     * @param completion the key of the completion, as {@code answer}
     * @return this builder
     */
    public B optKeys(String prompt, String completion) {
        promptKey = prompt;
        completionKey = completion;
        return self();
    }

    /**
     * Sets the key of the text of a row, {@code text} by default.
     *
     * @param key the key
     * @return this builder
     */
    public B optTextKey(String key) {
        textKey = key;
        return self();
    }

    /**
     * Sets what stands around a prompt, before the completion; nothing by default.
     *
     * @param format the text with {@value #PROMPT} where the prompt goes, as {@code "Q: {prompt}\n
     *     A: "}
     * @return this builder
     * @throws IllegalArgumentException if there is no place for the prompt
     */
    public B optPromptFormat(String format) {
        if (!format.contains(PROMPT)) {
            throw new IllegalArgumentException(
                    "The prompt format \"" + format + "\" has no " + PROMPT + " in it");
        }
        promptFormat = format;
        return self();
    }

    /** Checks what is required. */
    void check() {
        Objects.requireNonNull(tokenizer, "setTokenizer is missing");
        if (paths.isEmpty()) {
            throw new NullPointerException("setFile is missing");
        }
        if (batchSize < 1) {
            throw new IllegalArgumentException(
                    "setSampling needs a batch size of at least 1, not " + batchSize);
        }
    }

    /** Returns the maximum length of a row, set or not. */
    int rowLength() {
        return maxLength > 0 ? maxLength : TextSource.defaultLength(tokenizer);
    }

    BatchOrder order(boolean packing) {
        return new BatchOrder(batchSize, shuffle, lengthGroups, packing ? rowLength() : 0, seed);
    }
}

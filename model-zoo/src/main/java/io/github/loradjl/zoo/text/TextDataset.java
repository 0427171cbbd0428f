package io.github.loradjl.zoo.text;

import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;
import ai.djl.util.Progress;

import io.github.loradjl.training.EpochDataset;
import io.github.loradjl.zoo.text.chat.ChatTemplate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * A data set for causal language models, from files of texts.
 *
 * <p>A {@code .jsonl} file has one JSON object per line, a {@code .csv} or {@code .tsv} file one
 * row under the names of its columns. The keys tell what a row is, and kinds may be mixed:
 *
 * <ul>
 *   <li>{@code {"messages": [{"role": ..., "content": ...}, ...]}}, a conversation, perhaps with
 *       {@code "tools"}: goes through the model's {@link ChatTemplate}, and what the assistant says
 *       is learnt, with what ends its turn
 *   <li>{@code {"prompt": ..., "completion": ...}}: only the completion is learnt unless {@code
 *       optTrainOnPrompt} says otherwise
 *   <li>{@code {"text": ...}}: learnt as a whole
 *   <li>{@code {"instruction": ..., "input": ..., "output": ...}}, the input perhaps missing: a
 *       prompt in the words of <a href="https://github.com/tatsu-lab/stanford_alpaca">Alpaca</a>
 *       with the output as completion
 * </ul>
 *
 * <p>Prompt and completion are tokenised together, so that the model sees what it will see later,
 * and the first tokens are masked as far as they are those of the prompt alone; a token that stands
 * across the end of the prompt is learnt, and counted in the report. Special tokens that the
 * tokenizer adds by itself are added, except to conversations, and each row ends with the
 * tokenizer's end token, or as the chat template ends it.
 *
 * <p>A {@code .txt} file is one long text, cut into blocks of the maximum length.
 *
 * <p>Tokens are kept in a temporary file, not in memory, except those of a {@code .txt} file while
 * it is read.
 *
 * <p>Each batch holds, as INT64 arrays of shape (b, t), the data {@code [input ids, attention
 * mask]} and the labels, not shifted and -100 where nothing is learnt; rows are padded on the right
 * to the longest of their batch. Each epoch has a new order of batches, made from the seed and the
 * epoch's number alone.
 *
 * <pre>{@code
 * TextDataset data = TextDataset.builder()
 *         .setTokenizer(tokenizer)
 *         .setFile(Path.of("train.jsonl"))
 *         .setSampling(8, true)
 *         .build();
 * TextDataset.Split split = data.split(0.05, 0);
 * EasyTrain.fit(trainer, 1, split.train(), split.validation());
 * }</pre>
 */
public final class TextDataset implements EpochDataset {

    private static final int MAX_WEIGHT = 1000;

    private static final Logger logger = LoggerFactory.getLogger(TextDataset.class);

    private final TextSource source;
    private final double[] weights;
    private final int batchSize;
    private final boolean shuffle;
    private final long seed;
    private TokenRows rows;
    private TextReport report;
    private int epoch;

    private TextDataset(Builder builder) {
        source =
                new TextSource(
                        builder.tokenizer,
                        List.copyOf(builder.paths),
                        new RawRow.Keys(builder.textKey, builder.promptKey, builder.completionKey),
                        builder.separator,
                        builder.trainOnPrompt,
                        builder.maxLength,
                        builder.limit,
                        builder.template);
        weights = builder.weights.stream().mapToDouble(Double::doubleValue).toArray();
        batchSize = builder.batchSize;
        shuffle = builder.shuffle;
        seed = builder.seed;
    }

    /** A part of a prepared data set. */
    private TextDataset(TextDataset whole, TokenRows rows, double[] weights, boolean shuffle) {
        source = whole.source;
        this.weights = weights;
        batchSize = whole.batchSize;
        seed = whole.seed;
        this.shuffle = shuffle;
        this.rows = rows;
        report = TextReport.of(rows, 0);
    }

    /**
     * The two parts of a data set.
     *
     * @param train the rows to train on, with the settings of the whole
     * @param validation the rows held out, never shuffled
     */
    public record Split(TextDataset train, TextDataset validation) {}

    /**
     * Creates a builder.
     *
     * @return the builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Reads and tokenises the file, once. Any other method does so by itself if need be.
     *
     * @param progress told how many rows are done; may be null
     * @throws IOException if the file cannot be read, is empty, has a malformed line (which is
     *     named), or nothing to learn is left within the maximum length
     */
    @Override
    public synchronized void prepare(Progress progress) throws IOException {
        if (rows != null) {
            return;
        }
        TextSource.Rows read = source.read(progress);
        rows = read.kept();
        report = TextReport.of(rows, read.dropped());
        if (report.hasLosses()) {
            logger.warn("{}: {}", source.name(), report);
        } else {
            logger.info("{}: {}", source.name(), report);
        }
    }

    /**
     * Gives the batches of an epoch. Once a loop has run through all of them, the next call gives
     * those of the next epoch; a look at the first few, as for a gradient pass, changes nothing.
     *
     * @param manager the manager of the batches' own managers; arrays are made on its device
     * @return the batches of the epoch; iterating it again gives the same ones. Each batch is to be
     *     closed
     * @throws IOException if the data set is not prepared yet and cannot be
     */
    @Override
    public synchronized Iterable<Batch> getData(NDManager manager) throws IOException {
        int number = epoch;
        return batches(manager, number, 0, () -> finish(number));
    }

    /**
     * {@inheritDoc}
     *
     * <p>Does not touch the count of epochs of {@link #getData}.
     *
     * @throws IllegalArgumentException if a number is negative
     */
    @Override
    public synchronized Iterable<Batch> getEpoch(NDManager manager, int epoch, long firstBatch)
            throws IOException {
        if (epoch < 0 || firstBatch < 0) {
            throw new IllegalArgumentException(
                    "There is no batch " + firstBatch + " of epoch " + epoch);
        }
        return batches(manager, epoch, firstBatch, () -> {});
    }

    private Iterable<Batch> batches(NDManager manager, int number, long first, Runnable finished)
            throws IOException {
        prepare(null);
        int[] turns = BatchOrder.turns(rows, weights, seed, number);
        List<int[]> order =
                shuffle
                        ? BatchOrder.shuffled(rows, turns, batchSize, seed, number)
                        : BatchOrder.inOrder(turns, batchSize);
        TextTokenizer tokenizer = source.tokenizer();
        long pad = tokenizer.getPadId().orElse(tokenizer.getEosId().orElse(0));
        int skipped = (int) Math.min(first, order.size());
        return new TokenBatches(manager, rows, order, skipped, pad, finished);
    }

    private synchronized void finish(int number) {
        epoch = Math.max(epoch, number + 1);
    }

    /**
     * Chooses the epoch that the next call of {@link #getData} starts, as when a run is resumed.
     *
     * @param epoch its number, from 0
     */
    public synchronized void setEpoch(int epoch) {
        this.epoch = epoch;
    }

    /**
     * Tells what became of the texts.
     *
     * @return the report
     * @throws IOException if the data set is not prepared yet and cannot be
     */
    public synchronized TextReport getReport() throws IOException {
        prepare(null);
        return report;
    }

    /**
     * Returns the number of batches of an epoch.
     *
     * @return the number of batches
     * @throws IOException if the data set is not prepared yet and cannot be
     */
    public synchronized int getBatchCount() throws IOException {
        prepare(null);
        // Every epoch has as many turns; only which rows a fraction draws is different.
        int turns = BatchOrder.turns(rows, weights, seed, 0).length;
        return Math.toIntExact((turns + batchSize - 1L) / batchSize);
    }

    /**
     * Holds rows out for validation, drawn by the seed.
     *
     * @param fraction the share of rows to hold out, in (0, 1); rounded to at least one row
     * @param seed the seed of the draw
     * @return the two parts
     * @throws IOException if the data set is not prepared yet and cannot be
     * @throws IllegalArgumentException if a part would be empty
     */
    public synchronized Split split(double fraction, long seed) throws IOException {
        prepare(null);
        int held = (int) Math.max(1, Math.round(fraction * rows.size()));
        if (!(fraction > 0 && fraction < 1) || held >= rows.size()) {
            throw new IllegalArgumentException(
                    "A share of "
                            + fraction
                            + " does not split "
                            + rows.size()
                            + " rows in two; it must be in (0, 1) and leave rows to train on");
        }
        int[] sample = BatchOrder.sample(rows.size(), held, seed);
        int[] rest =
                IntStream.range(0, rows.size())
                        .filter(row -> Arrays.binarySearch(sample, row) < 0)
                        .toArray();
        TokenRows train = rows.select(rest);
        TokenRows validation = rows.select(sample);
        return new Split(
                new TextDataset(this, train, weights, shuffle),
                new TextDataset(this, validation, weights, false));
    }

    /**
     * Takes the first batches in the order of the files, each row once, for a gradient pass before
     * training: the same ones each time they are asked for, without touching the epochs of this
     * data set.
     *
     * @param batches the number of batches
     * @return a data set of these batches
     * @throws IOException if the data set is not prepared yet and cannot be
     * @throws IllegalArgumentException if there are fewer
     */
    public synchronized TextDataset calibration(int batches) throws IOException {
        prepare(null);
        int available = (rows.size() + batchSize - 1) / batchSize;
        if (batches < 1 || batches > available) {
            throw new IllegalArgumentException(
                    batches
                            + " batches are asked for calibration; there are "
                            + available
                            + " of "
                            + batchSize
                            + " rows");
        }
        int number = (int) Math.min(rows.size(), (long) batches * batchSize);
        double[] once = new double[weights.length];
        Arrays.fill(once, 1);
        return new TextDataset(
                this, rows.select(IntStream.range(0, number).toArray()), once, false);
    }

    /** The builder of {@link TextDataset}. */
    public static final class Builder {

        private TextTokenizer tokenizer;
        private final List<Path> paths = new ArrayList<>();
        private final List<Double> weights = new ArrayList<>();
        private ChatTemplate template;
        private int batchSize;
        private boolean shuffle;
        private int maxLength;
        private long seed;
        private long limit = Long.MAX_VALUE;
        private String textKey = "text";
        private String promptKey = "prompt";
        private String completionKey = "completion";
        private String separator = "";
        private boolean trainOnPrompt;

        private Builder() {}

        /**
         * Sets the tokenizer, which stays the caller's to close.
         *
         * @param tokenizer the tokenizer
         * @return this builder
         */
        public Builder setTokenizer(TextTokenizer tokenizer) {
            this.tokenizer = tokenizer;
            return this;
        }

        /**
         * Sets the file or folder to read, in place of any given before.
         *
         * @param path a {@code .jsonl}, {@code .csv}, {@code .tsv} or {@code .txt} file in UTF-8,
         *     or a folder of such files, which are read in the order of their names
         * @return this builder
         */
        public Builder setFile(Path path) {
            paths.clear();
            weights.clear();
            return addFile(path, 1);
        }

        /**
         * Adds a further file or folder to read.
         *
         * @param path a file or folder as for {@link #setFile}
         * @param weight how often each of its rows comes in an epoch: 2 for twice, 0.5 for a half
         *     of them, drawn anew for each epoch
         * @return this builder
         */
        public Builder addFile(Path path, double weight) {
            if (!(weight > 0 && weight <= MAX_WEIGHT)) {
                throw new IllegalArgumentException(
                        "The weight of "
                                + path
                                + " must be in (0, "
                                + MAX_WEIGHT
                                + "], not "
                                + weight);
            }
            paths.add(Objects.requireNonNull(path, "the file is null"));
            weights.add(weight);
            return this;
        }

        /**
         * Sets the chat template of the model, which rows with messages need. Such rows end as the
         * template ends them, and only what the assistant says is learnt.
         *
         * @param template the template
         * @return this builder
         */
        public Builder optChatTemplate(ChatTemplate template) {
            this.template = template;
            return this;
        }

        /**
         * Sets how batches are made.
         *
         * @param batchSize the rows of a batch; the last one may have fewer
         * @param shuffle true for a new order in each epoch, with rows of similar length together;
         *     false for the order of the file
         * @return this builder
         */
        public Builder setSampling(int batchSize, boolean shuffle) {
            this.batchSize = batchSize;
            this.shuffle = shuffle;
            return this;
        }

        /**
         * Sets the most tokens of a row, end token included: by default 1024, or the tokenizer's
         * own maximum if that is less. What is longer is cut at the end, and counted.
         *
         * @param maxLength the number of tokens, at least 2
         * @return this builder
         */
        public Builder optMaxLength(int maxLength) {
            if (maxLength < 2) {
                throw new IllegalArgumentException(
                        "A row needs at least 2 tokens to learn one, not " + maxLength);
            }
            this.maxLength = maxLength;
            return this;
        }

        /**
         * Sets the seed of the shuffling, 0 by default.
         *
         * @param seed the seed
         * @return this builder
         */
        public Builder optSeed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Reads only the first rows of each file or folder.
         *
         * @param limit the number of rows
         * @return this builder
         */
        public Builder optLimit(long limit) {
            this.limit = limit;
            return this;
        }

        /**
         * Sets the keys of the two texts of a row, {@code prompt} and {@code completion} by
         * default.
         *
         * @param prompt the key of the prompt, as {@code question}
         * @param completion the key of the completion, as {@code answer}
         * @return this builder
         */
        public Builder optKeys(String prompt, String completion) {
            promptKey = prompt;
            completionKey = completion;
            return this;
        }

        /**
         * Sets the key of the text of a row, {@code text} by default.
         *
         * @param key the key
         * @return this builder
         */
        public Builder optTextKey(String key) {
            textKey = key;
            return this;
        }

        /**
         * Sets the text to put between prompt and completion, as a part of the prompt; nothing by
         * default.
         *
         * @param separator the text, as a line break
         * @return this builder
         */
        public Builder optSeparator(String separator) {
            this.separator = separator;
            return this;
        }

        /**
         * Sets whether the prompt is learnt too, false by default.
         *
         * @param trainOnPrompt true to learn it
         * @return this builder
         */
        public Builder optTrainOnPrompt(boolean trainOnPrompt) {
            this.trainOnPrompt = trainOnPrompt;
            return this;
        }

        /**
         * Builds the data set. The file is read at first use.
         *
         * @return the data set
         * @throws IllegalArgumentException if the batch size is not set
         */
        public TextDataset build() {
            Objects.requireNonNull(tokenizer, "setTokenizer is missing");
            if (paths.isEmpty()) {
                throw new NullPointerException("setFile is missing");
            }
            if (batchSize < 1) {
                throw new IllegalArgumentException(
                        "setSampling needs a batch size of at least 1, not " + batchSize);
            }
            return new TextDataset(this);
        }
    }
}

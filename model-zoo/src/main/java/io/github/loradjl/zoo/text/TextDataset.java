package io.github.loradjl.zoo.text;

import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;

import io.github.loradjl.zoo.text.chat.ChatTemplate;
import io.github.loradjl.zoo.text.task.ClassificationTask;

import java.io.IOException;
import java.util.List;
import java.util.Objects;

/**
 * A data set for language models, from files of texts: for causal ones, or, with {@code
 * optEncoderDecoder}, for those with an encoder and a decoder.
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
 * <p>With {@code optTask} rows are those of a {@link ClassificationTask} instead, as of GLUE.
 *
 * <p>Tokens are kept in a temporary file, not in memory, except those of a {@code .txt} file while
 * it is read.
 *
 * <p>Each batch holds, as INT64 arrays of shape (b, t), the data {@code [input ids, attention
 * mask]} and the labels, not shifted and -100 where nothing is learnt; rows are padded on the right
 * to the longest of their batch. Each epoch has a new order of batches, made from the seed and the
 * epoch's number alone. A batch's indices are the names of its rows, as {@code train.jsonl:17} for
 * a line or {@code book.txt block 3}.
 *
 * <p>With {@code optPacking} several rows share a sequence of up to the maximum length. The
 * attention mask then holds the number of each token's row within its sequence, from 1, and 0 at
 * padding; third in the data come position ids, which begin at 0 with each row; and the first token
 * of each row is not learnt, for what stands before it is another row.
 *
 * <p>With {@code optEncoderDecoder} the encoder reads what is asked, of shape (b, s), and the
 * labels, of shape (b, t), are the answer with its end token; they share no token. Of a
 * conversation the last answer is learnt, and the messages before it are asked. Of a text without a
 * prompt, and of each block of a {@code .txt} file, spans are left out and learnt, as T5 was
 * pretrained ({@link SpanCorruption}, a share of 0.15 in spans of 3 on average), where the
 * tokenizer has T5's sentinels. Which spans follows from the seed and the number of the row: they
 * are drawn once, when the files are read, and are the same in every epoch.
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
public final class TextDataset extends RowDataset {

    private TextDataset(Builder builder) {
        super(
                new TextSource(
                        builder.tokenizer,
                        List.copyOf(builder.paths),
                        builder.rowFormat(),
                        builder.limit,
                        builder.rowOptions()),
                builder.weights.stream().mapToDouble(Double::doubleValue).toArray(),
                builder.order(builder.packing));
    }

    /** A part of a prepared data set. */
    private TextDataset(TextSource source, OrderedRows rows) {
        super(source, rows);
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

    @Override
    Iterable<Batch> batches(NDManager manager, EpochOrder order, int skipped, Runnable finished) {
        TextTokenizer tokenizer = source().tokenizer();
        long pad = tokenizer.getPadId().orElse(tokenizer.getEosId().orElse(0));
        boolean hasClasses = !source().rows().classes().isEmpty();
        return new TokenBatches(manager, order, skipped, pad, hasClasses, finished);
    }

    /**
     * Shows a row as the model gets it.
     *
     * @param row the number of the row, from 0, in the order of the files
     * @return its text with what is learnt told apart
     * @throws IOException if the data set is not prepared yet and cannot be
     * @throws IndexOutOfBoundsException if there is no such row
     */
    public RenderedExample render(int row) throws IOException {
        TokenRows all = rows().rows();
        Objects.checkIndex(row, all.size());
        return RenderedExample.of(
                all.name(row), all.get(row), source().tokenizer(), source().rows().classes());
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
    public Split split(double fraction, long seed) throws IOException {
        List<OrderedRows> parts = rows().split(fraction, seed);
        return new Split(
                new TextDataset(source(), parts.get(0)), new TextDataset(source(), parts.get(1)));
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
     * @see #getCalibrationLimit
     */
    public TextDataset calibration(int batches) throws IOException {
        return new TextDataset(source(), rows().first(batches));
    }

    /**
     * Gives the same rows in the order of another seed.
     *
     * @param seed the seed of the shuffling
     * @return a data set of its own, at its first epoch
     * @throws IOException if the data set is not prepared yet and cannot be
     */
    public TextDataset reordered(long seed) throws IOException {
        return new TextDataset(source(), rows().reordered(seed));
    }

    /** The builder of {@link TextDataset}. */
    public static final class Builder extends TextDatasetBuilder<Builder> {

        private ChatTemplate template;
        private boolean isChat;
        private boolean trainOnPrompt;
        private boolean packing;
        private boolean encoderDecoder;
        private int maxTargetLength;
        private ClassificationTask task;
        private boolean classNumbers;

        private Builder() {}

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
         * Sets whether a prompt and its completion become what a user says and an assistant
         * answers, through the chat template; false by default. That is what a model made for
         * conversations expects.
         *
         * @param isChat true for conversations
         * @return this builder
         */
        public Builder optChat(boolean isChat) {
            this.isChat = isChat;
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
         * Sets whether several rows share a sequence, false by default. Each row is in a sequence
         * as a whole, sees nothing of the others and has positions of its own, so that its loss is
         * the same; there is hardly any padding, and the batch size counts sequences, each of up to
         * the maximum length.
         *
         * @param packing true to pack rows
         * @return this builder
         */
        public Builder optPacking(boolean packing) {
            this.packing = packing;
            return this;
        }

        /**
         * Sets whether the model has an encoder, which reads what is asked, and a decoder, whose
         * answer is learnt; false by default, for causal models. The maximum length is then that of
         * what is asked; a longer one is cut before its end token.
         *
         * @param encoderDecoder true for a model as T5
         * @return this builder
         */
        public Builder optEncoderDecoder(boolean encoderDecoder) {
            this.encoderDecoder = encoderDecoder;
            return this;
        }

        /**
         * Sets the most tokens of the labels for an encoder with a decoder, end token included: by
         * default as many as the maximum length. What is longer is cut at the end, and counted.
         *
         * @param maxTargetLength the number of tokens, at least 1
         * @return this builder
         */
        public Builder optMaxTargetLength(int maxTargetLength) {
            if (maxTargetLength < 1) {
                throw new IllegalArgumentException(
                        "Labels need at least 1 token, not " + maxTargetLength);
            }
            this.maxTargetLength = maxTargetLength;
            return this;
        }

        /**
         * Sets the task whose tables are read, in place of the keys of rows: each row becomes a
         * prompt, with the text of its label as completion.
         *
         * @param task the task
         * @return this builder
         */
        public Builder optTask(ClassificationTask task) {
            this.task = task;
            return this;
        }

        /**
         * Sets whether the labels are the numbers of the task's classes, of shape (b), for a model
         * with a classifier behind its encoder; false by default, for the texts of the labels. In
         * reports a class counts as one token.
         *
         * @param classNumbers true for numbers
         * @return this builder
         */
        public Builder optClassNumbers(boolean classNumbers) {
            this.classNumbers = classNumbers;
            return this;
        }

        /**
         * Builds the data set. The file is read at first use.
         *
         * @return the data set
         * @throws IllegalArgumentException if the batch size is not set, conversations are asked
         *     for without a template, or an option does not fit the kind of model
         */
        public TextDataset build() {
            check();
            if (isChat && template == null) {
                throw new IllegalArgumentException("optChat needs optChatTemplate");
            }
            if (classNumbers && (task == null || encoderDecoder)) {
                throw new IllegalArgumentException(
                        "optClassNumbers needs optTask, and no optEncoderDecoder: a classifier has"
                                + " no decoder");
            }
            boolean hasEncoder = encoderDecoder || classNumbers;
            if (hasEncoder && packing) {
                throw new IllegalArgumentException(
                        "optPacking is for causal models: behind an encoder, rows that share a"
                                + " sequence would see each other. Leave it out");
            }
            if (hasEncoder && trainOnPrompt) {
                throw new IllegalArgumentException(
                        "optTrainOnPrompt is for causal models: an encoder only reads the prompt."
                                + " Leave it out");
            }
            if (!encoderDecoder && maxTargetLength > 0) {
                throw new IllegalArgumentException(
                        "optMaxTargetLength needs optEncoderDecoder(true)");
            }
            return new TextDataset(this);
        }

        private RowFormat rowFormat() {
            return task == null
                    ? new RawRow.Keys(textKey, promptKey, completionKey)
                    : new TaskFormat(task);
        }

        private RowOptions rowOptions() {
            int target = maxTargetLength > 0 ? maxTargetLength : rowLength();
            return new RowOptions(
                    promptFormat,
                    trainOnPrompt,
                    template,
                    isChat,
                    rowLength(),
                    classNumbers ? 1 : encoderDecoder ? target : 0,
                    classNumbers ? task.getLabelTexts() : List.of(),
                    seed);
        }

        @Override
        Builder self() {
            return this;
        }
    }
}

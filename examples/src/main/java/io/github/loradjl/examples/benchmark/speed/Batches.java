package io.github.loradjl.examples.benchmark.speed;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.Batchifier;

import com.google.gson.Gson;
import io.github.loradjl.zoo.text.CausalLmLoss;
import io.github.loradjl.zoo.text.TextDataset;
import io.github.loradjl.zoo.text.TextTokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Batches that both sides read from one file. A row has no padding; a side pads as it is used to.
 *
 * @param batches the batches
 */
record Batches(List<List<Row>> batches) {

    /**
     * A row.
     *
     * @param ids token ids
     * @param labels the ids again, -100 where nothing is learnt
     */
    record Row(long[] ids, long[] labels) {}

    /** Cuts texts of questions and answers into rows of one length, all of it learnt. */
    static Batches blocks(TextTokenizer tokenizer, Path file, int count, int rows, int length)
            throws IOException {
        long[] all = new long[count * rows * length];
        int filled = 0;
        String text = Files.readString(file);
        for (int at = 0; filled < all.length; at += 100_000) {
            if (at >= text.length()) {
                throw new IllegalArgumentException(file + " is too short for " + all.length);
            }
            String part = text.substring(at, Math.min(text.length(), at + 100_000));
            for (long id : tokenizer.encode(part, false)) {
                if (filled < all.length) {
                    all[filled++] = id;
                }
            }
        }
        List<List<Row>> batches = new ArrayList<>();
        for (int b = 0; b < count; b++) {
            List<Row> batch = new ArrayList<>();
            for (int r = 0; r < rows; r++) {
                int from = (b * rows + r) * length;
                long[] ids = Arrays.copyOfRange(all, from, from + length);
                batch.add(new Row(ids, ids));
            }
            batches.add(batch);
        }
        return new Batches(batches);
    }

    /** Reads rows of questions and answers in the order of the file; the answers are learnt. */
    static Batches questions(TextTokenizer tokenizer, Path file, int count, int size)
            throws Exception {
        TextDataset data =
                TextDataset.builder()
                        .setTokenizer(tokenizer)
                        .setFile(file)
                        .optKeys("question", "answer")
                        .optLimit(count)
                        .setSampling(size, false)
                        .build();
        List<List<Row>> batches = new ArrayList<>();
        try (NDManager manager = NDManager.newBaseManager()) {
            for (Batch batch : data.getData(manager)) {
                try (batch) {
                    batches.add(rows(batch));
                }
            }
        }
        return new Batches(batches);
    }

    /** Makes rows of random tokens, all of them learnt; the same each time. */
    static List<Row> random(int rows, int length, int vocabulary) {
        Random random = new Random(1);
        List<Row> batch = new ArrayList<>();
        for (int row = 0; row < rows; row++) {
            long[] ids = random.longs(length, 0, vocabulary).toArray();
            batch.add(new Row(ids, ids));
        }
        return batch;
    }

    private static List<Row> rows(Batch batch) {
        NDArray ids = batch.getData().get(0);
        int length = Math.toIntExact(ids.getShape().get(1));
        long[] all = ids.toLongArray();
        long[] mask = batch.getData().get(1).toLongArray();
        long[] labels = batch.getLabels().head().toLongArray();
        List<Row> rows = new ArrayList<>();
        for (int from = 0; from < all.length; from += length) {
            int to = from;
            while (to < from + length && mask[to] != 0) {
                to++;
            }
            rows.add(
                    new Row(
                            Arrays.copyOfRange(all, from, to),
                            Arrays.copyOfRange(labels, from, to)));
        }
        return rows;
    }

    static Batches read(Path file) throws IOException {
        return new Gson().fromJson(Files.readString(file), Batches.class);
    }

    void write(Path file) throws IOException {
        Files.writeString(file, new Gson().toJson(this));
    }

    /** Keeps the first rows of the first batch. */
    Batches first(int rows) {
        return new Batches(List.of(batches.get(0).subList(0, rows)));
    }

    /** Counts the tokens of a batch, padding not among them. */
    long tokens(int number) {
        return batches.get(number % batches.size()).stream().mapToLong(r -> r.ids.length).sum();
    }

    /** Makes a batch as {@link TextDataset} does, in a manager of its own. */
    Batch batch(NDManager parent, int number) {
        List<Row> rows = batches.get(number % batches.size());
        int longest = rows.stream().mapToInt(row -> row.ids.length).max().orElseThrow();
        long[] ids = new long[rows.size() * longest];
        long[] mask = new long[ids.length];
        long[] labels = new long[ids.length];
        Arrays.fill(labels, CausalLmLoss.IGNORE_INDEX);
        for (int i = 0; i < rows.size(); i++) {
            int length = rows.get(i).ids.length;
            System.arraycopy(rows.get(i).ids, 0, ids, i * longest, length);
            System.arraycopy(rows.get(i).labels, 0, labels, i * longest, length);
            Arrays.fill(mask, i * longest, i * longest + length, 1);
        }
        Shape shape = new Shape(rows.size(), longest);
        NDManager own = parent.newSubManager();
        NDList data = new NDList(own.create(ids, shape), own.create(mask, shape));
        NDList targets = new NDList(own.create(labels, shape));
        Batchifier stack = Batchifier.STACK;
        return new Batch(own, data, targets, rows.size(), stack, stack, number, batches.size());
    }
}

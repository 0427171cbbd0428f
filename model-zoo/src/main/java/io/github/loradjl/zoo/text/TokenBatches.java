package io.github.loradjl.zoo.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.Batchifier;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Makes padded batches of sequences, each in a manager of its own that closes with it. Skipped
 * batches are not read.
 */
record TokenBatches(
        NDManager manager,
        EpochOrder order,
        int skipped,
        long padId,
        boolean hasClasses,
        Runnable finished)
        implements Iterable<Batch> {

    /** {@inheritDoc} */
    @Override
    public Iterator<Batch> iterator() {
        Iterator<int[]> batches = order.batches().listIterator(skipped);
        long all = sequences(order.batches());
        return new Iterator<>() {

            private long given = sequences(order.batches().subList(0, skipped));

            /** {@inheritDoc} */
            @Override
            public boolean hasNext() {
                boolean more = batches.hasNext();
                if (!more) {
                    finished.run();
                }
                return more;
            }

            /** {@inheritDoc} */
            @Override
            public Batch next() {
                int[] batch = batches.next();
                given += batch.length;
                return stack(batch, given, all);
            }
        };
    }

    private static long sequences(List<int[]> batches) {
        return batches.stream().mapToLong(batch -> batch.length).sum();
    }

    private Batch stack(int[] batch, long progress, long all) {
        NDManager own = manager.newSubManager();
        NDList arrays = order.isPaired() ? pairs(own, batch) : sequences(own, batch);
        NDArray labels = arrays.remove(arrays.size() - 1);
        return new Batch(
                own,
                arrays,
                new NDList(labels),
                batch.length,
                Batchifier.STACK,
                Batchifier.STACK,
                progress,
                all,
                Arrays.stream(batch).mapToObj(this::name).toList());
    }

    /** Makes the data and, last, the labels of a batch of texts. */
    private NDList sequences(NDManager own, int[] batch) {
        int longest = order.longestTarget(batch);
        Contents arrays = new Contents(batch.length * longest, padId);
        for (int i = 0; i < batch.length; i++) {
            int at = i * longest;
            int segment = 1;
            for (int row : order.rowsOf(batch[i])) {
                at += arrays.write(order.rows().get(row), at, segment++, order.isPacked());
            }
        }
        Shape shape = new Shape(batch.length, longest);
        NDList data = new NDList(own.create(arrays.ids, shape), own.create(arrays.mask, shape));
        if (order.isPacked()) {
            data.add(own.create(arrays.positions, shape));
        }
        data.add(own.create(arrays.labels, shape));
        return data;
    }

    /** Makes the data and, last, the labels of a batch for an encoder and what follows it. */
    private NDList pairs(NDManager own, int[] batch) {
        int longest = order.longestSource(batch);
        int longestTarget = order.longestTarget(batch);
        long[] ids = filled(batch.length * longest, padId);
        long[] mask = new long[ids.length];
        long[] labels = filled(batch.length * longestTarget, Seq2SeqLoss.IGNORE_INDEX);
        for (int i = 0; i < batch.length; i++) {
            TokenRow row = order.rows().get(batch[i]);
            for (int t = 0; t < row.encoderLength(); t++) {
                ids[i * longest + t] = row.ids()[t];
                mask[i * longest + t] = 1;
            }
            row.label(labels, i * longestTarget - row.encoderLength());
        }
        Shape shape = new Shape(batch.length, longest);
        Shape labelShape =
                hasClasses ? new Shape(batch.length) : new Shape(batch.length, longestTarget);
        return new NDList(
                own.create(ids, shape), own.create(mask, shape), own.create(labels, labelShape));
    }

    private static long[] filled(int size, long value) {
        long[] values = new long[size];
        Arrays.fill(values, value);
        return values;
    }

    private String name(int sequence) {
        return Arrays.stream(order.rowsOf(sequence))
                .mapToObj(order.rows()::name)
                .collect(Collectors.joining(", "));
    }

    /** The arrays of a batch of texts while they are filled. */
    private static final class Contents {

        private final long[] ids;
        private final long[] mask;
        private final long[] positions;
        private final long[] labels;

        Contents(int size, long padId) {
            ids = filled(size, padId);
            mask = new long[size];
            positions = new long[size];
            labels = filled(size, CausalLmLoss.IGNORE_INDEX);
        }

        /** Writes a row and returns its length. */
        int write(TokenRow row, int at, int segment, boolean packed) {
            int length = row.ids().length;
            for (int t = 0; t < length; t++) {
                ids[at + t] = row.ids()[t];
                mask[at + t] = segment;
                positions[at + t] = t;
            }
            row.label(labels, at);
            if (packed) {
                // Before it stands the end of another row, which is not to predict it.
                labels[at] = CausalLmLoss.IGNORE_INDEX;
            }
            return length;
        }
    }
}

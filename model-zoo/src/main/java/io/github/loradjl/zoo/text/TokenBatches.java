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

/**
 * Makes padded batches of rows, each in a manager of its own that closes with it. Skipped batches
 * are not read.
 */
record TokenBatches(
        NDManager manager,
        TokenRows rows,
        List<int[]> order,
        int skipped,
        long padId,
        Runnable finished)
        implements Iterable<Batch> {

    /** {@inheritDoc} */
    @Override
    public Iterator<Batch> iterator() {
        Iterator<int[]> batches = order.listIterator(skipped);
        long all = rows(order);
        return new Iterator<>() {

            private long given = rows(order.subList(0, skipped));

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

    private static long rows(List<int[]> batches) {
        return batches.stream().mapToLong(batch -> batch.length).sum();
    }

    private Batch stack(int[] batch, long progress, long all) {
        int longest = Arrays.stream(batch).map(rows::length).max().orElse(0);
        long[] ids = new long[batch.length * longest];
        long[] mask = new long[ids.length];
        long[] labels = new long[ids.length];
        Arrays.fill(ids, padId);
        Arrays.fill(labels, CausalLmLoss.IGNORE_INDEX);
        for (int i = 0; i < batch.length; i++) {
            TokenRow row = rows.get(batch[i]);
            for (int t = 0; t < row.ids().length; t++) {
                int at = i * longest + t;
                ids[at] = row.ids()[t];
                mask[at] = 1;
            }
            row.label(labels, i * longest);
        }
        Shape shape = new Shape(batch.length, longest);
        NDManager own = manager.newSubManager();
        NDArray label = own.create(labels, shape);
        return new Batch(
                own,
                new NDList(own.create(ids, shape), own.create(mask, shape)),
                new NDList(label),
                batch.length,
                Batchifier.STACK,
                Batchifier.STACK,
                progress,
                all,
                Arrays.stream(batch).mapToObj(Long::valueOf).toList());
    }
}

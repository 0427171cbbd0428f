package io.github.loradjl.zoo.text;

import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;
import ai.djl.util.Progress;

import io.github.loradjl.training.EpochDataset;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;

/**
 * A data set of tokenised rows in an order that is known beforehand. What rows are made of, and how
 * arrays are made of them, is left to its kinds.
 */
abstract class RowDataset implements EpochDataset {

    private static final Logger logger = LoggerFactory.getLogger(RowDataset.class);

    private final TextSource source;
    private final double[] weights;
    private final BatchOrder order;
    private OrderedRows rows;
    private TextReport report;
    private int epoch;

    RowDataset(TextSource source, double[] weights, BatchOrder order) {
        this.source = source;
        this.weights = weights;
        this.order = order;
    }

    /** A part of a prepared data set. */
    RowDataset(TextSource source, OrderedRows rows) {
        this(source, rows.weights(), rows.order());
        this.rows = rows;
        report = TextReport.of(rows.rows(), 0);
    }

    /** Makes the batches of an epoch, of which the first ones are skipped. */
    abstract Iterable<Batch> batches(
            NDManager manager, EpochOrder order, int skipped, Runnable finished);

    TextSource source() {
        return source;
    }

    /** Returns the rows, read and tokenised. */
    synchronized OrderedRows rows() throws IOException {
        prepare(null);
        return rows;
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
        rows = new OrderedRows(read.kept(), weights, order);
        report = TextReport.of(read.kept(), read.dropped());
        if (report.hasLosses()) {
            logger.warn("{}: {}", source.name(), report);
        } else {
            logger.info("{}: {}", source.name(), report);
        }
        if (order.packedLength() > 0) {
            logger.info("{}: packed into {}", source.name(), rows.epoch(0).report());
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
        EpochOrder batches = rows().epoch(number);
        int skipped = (int) Math.min(first, batches.batches().size());
        return batches(manager, batches, skipped, finished);
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
     * Counts what the batches of an epoch hold, without reading them.
     *
     * @param epoch the number of the epoch, from 0
     * @return the report
     * @throws IOException if the data set is not prepared yet and cannot be
     */
    public synchronized EpochReport getEpochReport(int epoch) throws IOException {
        return rows().epoch(epoch).report();
    }

    /**
     * Returns the number of batches of the first epoch, which is that of every epoch unless rows
     * are packed: then one may come out a little shorter or longer than another.
     *
     * @return the number of batches
     * @throws IOException if the data set is not prepared yet and cannot be
     */
    public synchronized int getBatchCount() throws IOException {
        return rows().epoch(0).batches().size();
    }

    /**
     * Makes the batch of the first epoch with the most positions, padding included, which takes the
     * most memory.
     *
     * @param manager the manager of the batch's own manager
     * @return the batch, to be closed
     * @throws IOException if the data set is not prepared yet and cannot be
     */
    public synchronized Batch longestBatch(NDManager manager) throws IOException {
        EpochOrder longest = rows().epoch(0).longestBatch();
        return batches(manager, longest, 0, () -> {}).iterator().next();
    }

    /**
     * Returns the most batches that {@code calibration} can take. With weights or packed rows an
     * epoch may have another number.
     *
     * @return the number of batches
     * @throws IOException if the data set is not prepared yet and cannot be
     */
    public synchronized int getCalibrationLimit() throws IOException {
        return rows().inOrder().batches().size();
    }
}

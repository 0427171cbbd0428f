package io.github.loradjl.examples.compare;

import ai.djl.MalformedModelException;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Runs methods under equal conditions: the same model, rows, batches in the same order, steps and
 * schedule. Runs that were finished before are taken from their files.
 */
public final class Comparison {

    private final Grid grid;
    private final Setup setup;
    private final CellStore store;

    /** Hears of the runs that are made. */
    public interface Listener {

        /**
         * Called once when nothing is left to be found wrong, before the first run.
         *
         * @throws IOException if what is to be noted of it cannot be written
         */
        void onReady() throws IOException;

        /**
         * Called before a run.
         *
         * @param cell the run
         * @param number its number, from 1
         * @param of the number of runs
         */
        void onBegin(Cell cell, int number, int of);

        /**
         * Called after each step of the run.
         *
         * @param step its number, from 1
         */
        void onStep(int step);

        /**
         * Called after a run.
         *
         * @param cell the run
         * @param result what came of it
         */
        void onEnd(Cell cell, CellResult result);

        /**
         * Called in place of {@link #onEnd} after a run that the engine gave up, as for want of
         * memory: another machine, or another day, may bring it to an end.
         *
         * @param cell the run
         * @param why what the engine said
         */
        void onError(Cell cell, EngineException why);
    }

    /**
     * Creates a comparison.
     *
     * @param grid which runs
     * @param setup what they have in common
     * @param folder where their results are kept
     */
    public Comparison(Grid grid, Setup setup, Path folder) {
        this.grid = grid;
        this.setup = setup;
        store = new CellStore(folder);
    }

    /**
     * Tells whether a comparison has finished a run.
     *
     * @param folder where its results are kept
     * @return true if it has
     * @throws IOException if the folder cannot be read
     */
    public static boolean isBegun(Path folder) throws IOException {
        return !new CellStore(folder).isEmpty();
    }

    /**
     * Makes all runs that are not finished.
     *
     * @param listener hears how it goes
     * @return what came of each run, those aside that the engine gave up
     * @throws IllegalArgumentException if the metric cannot be measured, or a method wants more
     *     batches than there are; no run is made then
     * @throws IOException if the model or the rows cannot be read, or a result cannot be kept
     * @throws MalformedModelException if the model is broken
     * @throws TranslateException if the rows cannot be read
     */
    public List<CellResult> run(Listener listener)
            throws IOException, MalformedModelException, TranslateException {
        List<Cell> cells = grid.cells();
        List<CellResult> results = new ArrayList<>();
        try (ZooModel<NDList, NDList> base = setup.models().frozen()) {
            check(base);
            listener.onReady();
            for (int i = 0; i < cells.size(); i++) {
                Cell cell = cells.get(i);
                Optional<CellResult> known = store.find(cell);
                if (known.isPresent()) {
                    results.add(known.get());
                    continue;
                }
                listener.onBegin(cell, i + 1, cells.size());
                CellResult result;
                try {
                    result = new CellRun(setup, cell, listener::onStep).run(base);
                } catch (EngineException e) {
                    listener.onError(cell, e);
                    continue;
                }
                store.save(cell, result);
                results.add(result);
                listener.onEnd(cell, result);
            }
        }
        return results;
    }

    private void check(ZooModel<NDList, NDList> base) throws IOException {
        if (setup.metric() != null) {
            setup.metric().check(base);
        }
        for (Method method : grid.methods()) {
            Integer wanted = method.ownCalibrationBatches();
            if (wanted == null) {
                continue;
            }
            int most = setup.data().train(0, method.share()).getCalibrationLimit();
            if (wanted > most) {
                throw new IllegalArgumentException(
                        method + ": its training rows make no more than " + most + " batches");
            }
        }
    }
}

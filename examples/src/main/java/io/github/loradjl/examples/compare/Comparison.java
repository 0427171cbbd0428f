package io.github.loradjl.examples.compare;

import ai.djl.MalformedModelException;
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
     * Makes all runs that are not finished.
     *
     * @param listener hears how it goes
     * @return what came of each run
     * @throws IOException if the model or the rows cannot be read, or a result cannot be kept
     * @throws MalformedModelException if the model is broken
     * @throws TranslateException if the rows cannot be read
     */
    public List<CellResult> run(Listener listener)
            throws IOException, MalformedModelException, TranslateException {
        List<Cell> cells = grid.cells();
        List<CellResult> results = new ArrayList<>();
        try (ZooModel<NDList, NDList> base = setup.models().frozen()) {
            for (Cell cell : cells) {
                Optional<CellResult> known = store.find(cell);
                if (known.isPresent()) {
                    results.add(known.get());
                    continue;
                }
                listener.onBegin(cell, results.size() + 1, cells.size());
                CellResult result = new CellRun(setup, cell, listener::onStep).run(base);
                store.save(cell, result);
                results.add(result);
                listener.onEnd(cell, result);
            }
        }
        return results;
    }
}

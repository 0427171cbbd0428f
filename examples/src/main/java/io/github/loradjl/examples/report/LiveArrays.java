package io.github.loradjl.examples.report;

import ai.djl.ndarray.NDManager;

/** Counts native arrays that are still held. */
public final class LiveArrays {

    private LiveArrays() {}

    /**
     * Counts the arrays of all managers of the default engine.
     *
     * @return their number
     */
    public static int count() {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDManager root = manager;
            while (root.getParentManager() != null) {
                root = root.getParentManager();
            }
            return root.getManagedArrays().size();
        }
    }
}

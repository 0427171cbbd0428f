package io.github.loradjl.examples.benchmark.speed;

/** What a worker repeats. */
interface Work extends AutoCloseable {

    /**
     * Works once.
     *
     * @param turn how often it has worked before
     * @return the loss, or NaN where there is none
     * @throws Exception if it fails
     */
    double run(int turn) throws Exception;

    /** Forgets the last turn, outside the time that is measured. */
    default void reset() throws Exception {}

    @Override
    void close();
}

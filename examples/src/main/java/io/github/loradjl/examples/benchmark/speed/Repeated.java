package io.github.loradjl.examples.benchmark.speed;

/** Does a work several times in one turn. */
record Repeated(Work work, int times) implements Work {

    /** {@inheritDoc} */
    @Override
    public double run(int turn) throws Exception {
        double value = Double.NaN;
        for (int i = 0; i < times; i++) {
            value = work.run(turn * times + i);
        }
        return value;
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        work.close();
    }
}

package io.github.loradjl.training;

/** Where a run stands: what changes from step to step beside the weights and their moments. */
final class RunState {

    final long seed;
    final int accumulation;
    long step;
    int epoch;
    long batch;
    long tokens;
    Checkpoint last;
    private double bestLoss = Double.POSITIVE_INFINITY;
    private int stale;

    RunState(long seed, int accumulation) {
        this.seed = seed;
        this.accumulation = accumulation;
    }

    RunState(Checkpoint resumed) {
        Checkpoint.Progress progress = resumed.progress();
        seed = progress.seed();
        accumulation = progress.accumulation();
        step = progress.step();
        epoch = progress.epoch();
        batch = progress.batch();
        tokens = progress.tokens();
        stale = progress.stale();
        last = resumed;
        if (progress.bestLoss() != null) {
            bestLoss = progress.bestLoss();
        }
    }

    /** Compares a validation with the best one; returns whether it is better. */
    boolean improves(double validationLoss) {
        if (validationLoss < bestLoss) {
            bestLoss = validationLoss;
            stale = 0;
            return true;
        }
        stale++;
        return false;
    }

    /** Returns the number of validations since the best one. */
    int stale() {
        return stale;
    }

    Checkpoint.Progress progress() {
        Double best = Double.isInfinite(bestLoss) ? null : bestLoss;
        return new Checkpoint.Progress(step, epoch, batch, tokens, seed, accumulation, best, stale);
    }
}

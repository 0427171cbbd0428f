package io.github.loradjl.training;

import ai.djl.training.tracker.ParameterTracker;

/**
 * A learning rate that rises in a line over the first steps, then falls along a half cosine towards
 * a share of its peak, which it has after the last step.
 *
 * <p>Step s of n, counted from 1, with w steps of warm-up and final share f has the rate
 *
 * <pre>
 * peak s / w                                               for s &lt;= w
 * peak (f + (1 - f) (1 + cos(pi (s - w) / (n - w + 1))) / 2)   for w &lt; s &lt;= n
 * </pre>
 */
public final class CosineSchedule implements ParameterTracker {

    private final double peak;
    private final long warmup;
    private final long steps;
    private final double finalShare;

    /**
     * Creates a schedule that falls towards 0.
     *
     * @param peak the highest rate
     * @param warmup the number of steps of the rise; 0 starts at the peak
     * @param steps the number of steps of the run
     * @throws IllegalArgumentException if a number is out of its range
     */
    public CosineSchedule(double peak, long warmup, long steps) {
        this(peak, warmup, steps, 0);
    }

    /**
     * Creates a schedule.
     *
     * @param peak the highest rate
     * @param warmup the number of steps of the rise; 0 starts at the peak
     * @param steps the number of steps of the run
     * @param finalShare the last rate as a share of the peak, in [0, 1]
     * @throws IllegalArgumentException if a number is out of its range
     */
    public CosineSchedule(double peak, long warmup, long steps, double finalShare) {
        if (!(peak > 0) || !Double.isFinite(peak)) {
            throw new IllegalArgumentException("the learning rate must be positive, not " + peak);
        }
        if (steps < 1 || warmup < 0 || warmup > steps) {
            throw new IllegalArgumentException(
                    "a run of " + steps + " steps cannot have " + warmup + " steps of warm-up");
        }
        if (!(finalShare >= 0 && finalShare <= 1)) {
            throw new IllegalArgumentException(
                    "the final share of the learning rate is in [0, 1], not " + finalShare);
        }
        this.peak = peak;
        this.warmup = warmup;
        this.steps = steps;
        this.finalShare = finalShare;
    }

    /**
     * Returns the rate of a step.
     *
     * @param step the step, counted from 1
     * @return the learning rate
     */
    public double at(long step) {
        if (step <= warmup) {
            return peak * step / warmup;
        }
        double done = Math.min(1.0, (double) (step - warmup) / (steps - warmup + 1));
        return peak * (finalShare + (1 - finalShare) * 0.5 * (1 + Math.cos(Math.PI * done)));
    }

    /** {@inheritDoc} */
    @Override
    public float getNewValue(String parameterId, int numUpdate) {
        return (float) at(numUpdate);
    }
}

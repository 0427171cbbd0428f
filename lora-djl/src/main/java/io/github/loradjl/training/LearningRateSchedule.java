package io.github.loradjl.training;

import ai.djl.training.tracker.ParameterTracker;

/**
 * A learning rate that rises in a line over the first steps, then falls towards a share of its
 * peak, which it has after the last step, or stays.
 *
 * <p>Step s of n, counted from 1, with w steps of warm-up and final share f has the rate
 *
 * <pre>
 * peak s / w                           for s &lt;= w
 * peak (f + (1 - f) fall(x))           for w &lt; s &lt;= n, x = (s - w) / (n - w + 1)
 *
 * fall(x) = (1 + cos(pi x)) / 2        cosine
 * fall(x) = 1 - x                      linear
 * fall(x) = 1                          constant
 * </pre>
 *
 * <p>These are torch's {@code SequentialLR} of {@code LinearLR(1/w, total_iters=w-1)} and {@code
 * CosineAnnealingLR(T_max=n-w+1)} or {@code LinearLR}: unlike in transformers, the first step has a
 * rate above 0 and the last one too, so that neither is wasted.
 */
public final class LearningRateSchedule implements ParameterTracker {

    private final Fall fall;
    private final double peak;
    private final long warmup;
    private final long steps;
    private final double finalShare;

    /** How the rate falls after the warm-up. */
    public enum Fall {
        /** Along a half cosine. */
        COSINE {
            @Override
            double at(double x) {
                return 0.5 * (1 + Math.cos(Math.PI * x));
            }
        },
        /** In a line. */
        LINEAR {
            @Override
            double at(double x) {
                return 1 - x;
            }
        },
        /** Not at all. */
        CONSTANT {
            @Override
            double at(double x) {
                return 1;
            }
        };

        abstract double at(double x);
    }

    /**
     * Creates a schedule that falls towards 0.
     *
     * @param fall how the rate falls
     * @param peak the highest rate
     * @param warmup the number of steps of the rise; 0 starts at the peak
     * @param steps the number of steps of the run
     * @throws IllegalArgumentException if a number is out of its range
     */
    public LearningRateSchedule(Fall fall, double peak, long warmup, long steps) {
        this(fall, peak, warmup, steps, 0);
    }

    /**
     * Creates a schedule.
     *
     * @param fall how the rate falls
     * @param peak the highest rate
     * @param warmup the number of steps of the rise; 0 starts at the peak
     * @param steps the number of steps of the run
     * @param finalShare the last rate as a share of the peak, in [0, 1]
     * @throws IllegalArgumentException if a number is out of its range
     */
    public LearningRateSchedule(
            Fall fall, double peak, long warmup, long steps, double finalShare) {
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
        this.fall = fall;
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
        return peak * (finalShare + (1 - finalShare) * fall.at(done));
    }

    /** {@inheritDoc} */
    @Override
    public float getNewValue(String parameterId, int numUpdate) {
        return (float) at(numUpdate);
    }
}

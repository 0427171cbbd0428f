package io.github.loradjl.linalg;

/**
 * How a truncated singular value decomposition is computed: randomised with two columns per wanted
 * triplet, two power iterations and seed 0, unless set otherwise.
 *
 * @param exact true to decompose the whole matrix; the other values are then not used
 * @param oversampling the columns of the random test matrix per wanted triplet, at least 1
 * @param powerIterations the passes through M<sup>T</sup> and M that sharpen the basis, at least 0
 * @param seed the seed of the random test matrix
 * @see TruncatedSvd
 */
public record SvdOptions(boolean exact, double oversampling, int powerIterations, long seed) {

    /**
     * Creates options.
     *
     * @param exact true to decompose the whole matrix
     * @param oversampling the columns of the test matrix per wanted triplet
     * @param powerIterations the power iterations
     * @param seed the seed of the test matrix
     * @throws IllegalArgumentException if {@code oversampling} is below 1 or {@code
     *     powerIterations} below 0
     */
    public SvdOptions {
        if (!(oversampling >= 1) || Double.isInfinite(oversampling)) {
            throw new IllegalArgumentException(
                    "oversampling is "
                            + oversampling
                            + ": give the columns per wanted triplet, at least 1, usually 2");
        }
        if (powerIterations < 0) {
            throw new IllegalArgumentException(
                    "powerIterations is " + powerIterations + ": give 0 or more, usually 2");
        }
    }

    /**
     * Returns the default options: randomised, two columns per triplet, two power iterations, seed
     * 0.
     *
     * @return the options
     */
    public static SvdOptions defaults() {
        return builder().build();
    }

    /**
     * Returns a builder that starts from the default options.
     *
     * @return the builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the same options with another seed, so that each matrix gets a test matrix of its
     * own.
     *
     * @param other the seed
     * @return the options
     */
    public SvdOptions withSeed(long other) {
        return new SvdOptions(exact, oversampling, powerIterations, other);
    }

    /**
     * Returns the number of columns of the test matrix.
     *
     * @param count the number of wanted triplets
     * @param rows the rows of the matrix to decompose
     * @param columns its columns
     * @return {@code oversampling * count}, rounded up, at most the smaller side of the matrix
     */
    public int basisSize(int count, long rows, long columns) {
        return (int) Math.min(Math.ceil(oversampling * count), Math.min(rows, columns));
    }

    /** The builder of {@link SvdOptions}. */
    public static final class Builder {

        private boolean exact;
        private double oversampling = 2;
        private int powerIterations = 2;
        private long seed;

        private Builder() {}

        /**
         * Sets whether to decompose the whole matrix instead of sampling its range. The default is
         * false.
         *
         * @param exact true for the exact decomposition
         * @return this builder
         */
        public Builder optExact(boolean exact) {
            this.exact = exact;
            return this;
        }

        /**
         * Sets the columns of the random test matrix per wanted triplet. The default is 2.
         *
         * @param oversampling the factor, at least 1
         * @return this builder
         */
        public Builder optOversampling(double oversampling) {
            this.oversampling = oversampling;
            return this;
        }

        /**
         * Sets the number of power iterations. The default is 2.
         *
         * @param powerIterations the number, at least 0
         * @return this builder
         */
        public Builder optPowerIterations(int powerIterations) {
            this.powerIterations = powerIterations;
            return this;
        }

        /**
         * Sets the seed of the test matrix. The default is 0.
         *
         * @param seed the seed
         * @return this builder
         */
        public Builder optSeed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Builds the options.
         *
         * @return the options
         */
        public SvdOptions build() {
            return new SvdOptions(exact, oversampling, powerIterations, seed);
        }
    }
}

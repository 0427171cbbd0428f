package io.github.loradjl;

import io.github.loradjl.adapter.TargetMatcher;
import io.github.loradjl.init.LoraInit;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What an adapter is: rank 8, alpha 16, no dropout, on all linear layers but the output head,
 * started as PEFT does, unless set otherwise.
 *
 * <p>Names and rules of the options are PEFT's. The scaling is eta = alpha / r, or alpha / sqrt(r)
 * if rank-stabilised.
 *
 * @see <a href="https://arxiv.org/abs/2106.09685">LoRA</a>
 * @see <a href="https://arxiv.org/abs/2312.03732">Rank-stabilised LoRA</a>
 */
public final class LoraConfig {

    private final int rank;
    private final double alpha;
    private final boolean rankStabilized;
    private final double dropout;
    private final TargetMatcher targets;
    private final TargetMatcher excludes;
    private final Map<String, Integer> rankPattern;
    private final Map<String, Double> alphaPattern;
    private final List<Integer> layersToTransform;
    private final List<String> layersPattern;
    private final List<String> modulesToSave;
    private final Bias bias;
    private final LoraInit init;
    private final long seed;
    private final boolean updateRunningStatistics;

    private LoraConfig(Builder builder) {
        rank = builder.rank;
        alpha = builder.alpha;
        rankStabilized = builder.rankStabilized;
        dropout = builder.dropout;
        targets = builder.targets;
        excludes = builder.excludes;
        rankPattern = new LinkedHashMap<>(builder.rankPattern);
        alphaPattern = new LinkedHashMap<>(builder.alphaPattern);
        layersToTransform = List.copyOf(builder.layersToTransform);
        layersPattern = List.copyOf(builder.layersPattern);
        modulesToSave = List.copyOf(builder.modulesToSave);
        bias = builder.bias;
        init = builder.init;
        seed = builder.seed;
        updateRunningStatistics = builder.updateRunningStatistics;
    }

    /** Which biases of the base are trained along. */
    public enum Bias {
        /** None. */
        NONE,
        /** All biases of the model. */
        ALL,
        /** The biases of the adapted layers. */
        LORA_ONLY
    }

    /**
     * Creates a builder with the defaults.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the rank of a target.
     *
     * @param path the target's path
     * @return the value of the first rank pattern that matches, or the general rank
     */
    public int rankOf(String path) {
        Integer own = TargetMatcher.lookup(rankPattern, path);
        return own == null ? rank : own;
    }

    /**
     * Returns alpha of a target.
     *
     * @param path the target's path
     * @return the value of the first alpha pattern that matches, or the general alpha
     */
    public double alphaOf(String path) {
        Double own = TargetMatcher.lookup(alphaPattern, path);
        return own == null ? alpha : own;
    }

    /**
     * Returns the scaling of a target.
     *
     * @param path the target's path
     * @return eta
     */
    public double scalingOf(String path) {
        int r = rankOf(path);
        return alphaOf(path) / (rankStabilized ? Math.sqrt(r) : r);
    }

    /**
     * Returns the general rank.
     *
     * @return r
     */
    public int getRank() {
        return rank;
    }

    /**
     * Returns the general alpha.
     *
     * @return alpha
     */
    public double getAlpha() {
        return alpha;
    }

    /**
     * Tells whether the scaling is alpha / sqrt(r).
     *
     * @return true if rank-stabilised
     */
    public boolean isRankStabilized() {
        return rankStabilized;
    }

    /**
     * Returns the dropout rate of the adapter's input.
     *
     * @return a number in [0, 1)
     */
    public double getDropout() {
        return dropout;
    }

    /**
     * Returns which modules are adapted.
     *
     * @return the matcher
     */
    public TargetMatcher getTargets() {
        return targets;
    }

    /**
     * Returns which modules are not adapted although they are targets.
     *
     * @return the matcher, or null
     */
    public TargetMatcher getExcludes() {
        return excludes;
    }

    /**
     * Returns ranks by path pattern.
     *
     * @return an ordered map
     */
    public Map<String, Integer> getRankPattern() {
        return new LinkedHashMap<>(rankPattern);
    }

    /**
     * Returns alphas by path pattern.
     *
     * @return an ordered map
     */
    public Map<String, Double> getAlphaPattern() {
        return new LinkedHashMap<>(alphaPattern);
    }

    /**
     * Returns the indices of the layers to adapt.
     *
     * @return indices, empty for all
     */
    public List<Integer> getLayersToTransform() {
        return layersToTransform;
    }

    /**
     * Returns the names of the list of layers that the indices refer to.
     *
     * @return names, empty for any
     */
    public List<String> getLayersPattern() {
        return layersPattern;
    }

    /**
     * Returns the modules that are trained whole and saved with the adapter.
     *
     * @return names or path suffixes
     */
    public List<String> getModulesToSave() {
        return modulesToSave;
    }

    /**
     * Returns which biases are trained.
     *
     * @return the choice
     */
    public Bias getBias() {
        return bias;
    }

    /**
     * Returns how A and B start.
     *
     * @return the start
     */
    public LoraInit getInit() {
        return init;
    }

    /**
     * Returns the seed of the random parts of the start.
     *
     * @return the seed
     */
    public long getSeed() {
        return seed;
    }

    /**
     * Tells whether batch normalization goes on updating its running statistics.
     *
     * @return true if it does
     */
    public boolean isUpdateRunningStatistics() {
        return updateRunningStatistics;
    }

    /**
     * Returns a builder that starts from this configuration.
     *
     * @return a new builder
     */
    public Builder toBuilder() {
        Builder builder = new Builder();
        builder.rank = rank;
        builder.alpha = alpha;
        builder.rankStabilized = rankStabilized;
        builder.dropout = dropout;
        builder.targets = targets;
        builder.excludes = excludes;
        builder.rankPattern = rankPattern;
        builder.alphaPattern = alphaPattern;
        builder.layersToTransform = layersToTransform;
        builder.layersPattern = layersPattern;
        builder.modulesToSave = modulesToSave;
        builder.bias = bias;
        builder.init = init;
        builder.seed = seed;
        builder.updateRunningStatistics = updateRunningStatistics;
        return builder;
    }

    /** Builds a {@link LoraConfig}. */
    public static final class Builder {

        private int rank = 8;
        private double alpha = 16;
        private boolean rankStabilized;
        private double dropout;
        private TargetMatcher targets = TargetMatcher.allLinear();
        private TargetMatcher excludes;
        private Map<String, Integer> rankPattern = Map.of();
        private Map<String, Double> alphaPattern = Map.of();
        private List<Integer> layersToTransform = List.of();
        private List<String> layersPattern = List.of();
        private List<String> modulesToSave = List.of();
        private Bias bias = Bias.NONE;
        private LoraInit init = LoraInit.kaimingUniform();
        private long seed = 42;
        private boolean updateRunningStatistics;

        private Builder() {}

        /**
         * Sets the rank, 8 by default.
         *
         * @param rank r, positive
         * @return this builder
         */
        public Builder optRank(int rank) {
            this.rank = rank;
            return this;
        }

        /**
         * Sets alpha, 16 by default.
         *
         * @param alpha the numerator of the scaling, not 0
         * @return this builder
         */
        public Builder optAlpha(double alpha) {
            this.alpha = alpha;
            return this;
        }

        /**
         * Sets the scaling to alpha / sqrt(r) instead of alpha / r.
         *
         * @param rankStabilized true for alpha / sqrt(r)
         * @return this builder
         */
        public Builder optRankStabilized(boolean rankStabilized) {
            this.rankStabilized = rankStabilized;
            return this;
        }

        /**
         * Sets the share of the adapter's input that is dropped in training, 0 by default.
         *
         * @param dropout a number in [0, 1)
         * @return this builder
         */
        public Builder optDropout(double dropout) {
            this.dropout = dropout;
            return this;
        }

        /**
         * Sets the modules to adapt, all linear layers but the head by default.
         *
         * @param names paths or their last parts; or the single word {@code all-linear}
         * @return this builder
         */
        public Builder optTargetModules(String... names) {
            boolean all = names.length == 1 && TargetMatcher.ALL_LINEAR.equalsIgnoreCase(names[0]);
            targets = all ? TargetMatcher.allLinear() : TargetMatcher.names(Arrays.asList(names));
            return this;
        }

        /**
         * Sets the modules to adapt by an expression that must match the whole path.
         *
         * @param expression a regular expression
         * @return this builder
         */
        public Builder optTargetPattern(String expression) {
            targets = TargetMatcher.expression(expression);
            return this;
        }

        /**
         * Sets modules that are not adapted although they are targets.
         *
         * @param names paths or their last parts
         * @return this builder
         */
        public Builder optExcludeModules(String... names) {
            excludes = TargetMatcher.names(Arrays.asList(names));
            return this;
        }

        /**
         * Sets modules that are not adapted by an expression that must match the whole path.
         *
         * @param expression a regular expression
         * @return this builder
         */
        public Builder optExcludePattern(String expression) {
            excludes = TargetMatcher.expression(expression);
            return this;
        }

        /**
         * Sets ranks of single targets.
         *
         * @param pattern ranks by expressions over the end of the path; the first match wins
         * @return this builder
         */
        public Builder optRankPattern(Map<String, Integer> pattern) {
            rankPattern = new LinkedHashMap<>(pattern);
            return this;
        }

        /**
         * Sets alphas of single targets.
         *
         * @param pattern alphas by expressions over the end of the path; the first match wins
         * @return this builder
         */
        public Builder optAlphaPattern(Map<String, Double> pattern) {
            alphaPattern = new LinkedHashMap<>(pattern);
            return this;
        }

        /**
         * Restricts the targets to some layers; needs target names, not an expression.
         *
         * @param indices layer indices from 0
         * @return this builder
         */
        public Builder optLayersToTransform(Integer... indices) {
            layersToTransform = List.of(indices);
            return this;
        }

        /**
         * Sets the name of the list of layers that {@link #optLayersToTransform} refers to.
         *
         * @param names names, for instance {@code layers}
         * @return this builder
         */
        public Builder optLayersPattern(String... names) {
            layersPattern = List.of(names);
            return this;
        }

        /**
         * Sets modules that are trained whole, as private copies, and saved with the adapter.
         *
         * @param names paths or their last parts
         * @return this builder
         */
        public Builder optModulesToSave(String... names) {
            modulesToSave = List.of(names);
            return this;
        }

        /**
         * Sets which biases are trained, as private copies; none by default.
         *
         * @param bias the choice
         * @return this builder
         */
        public Builder optBias(Bias bias) {
            this.bias = bias;
            return this;
        }

        /**
         * Sets how A and B start.
         *
         * @param init the start
         * @return this builder
         */
        public Builder optInit(LoraInit init) {
            this.init = init;
            return this;
        }

        /**
         * Sets the seed of the random parts of the start, 42 by default.
         *
         * @param seed the seed
         * @return this builder
         */
        public Builder optSeed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Lets batch normalization go on updating its running statistics, which are part of the
         * base and stay fixed by default.
         *
         * @param update true to update them
         * @return this builder
         */
        public Builder optUpdateRunningStatistics(boolean update) {
            updateRunningStatistics = update;
            return this;
        }

        /**
         * Builds the configuration.
         *
         * @return the configuration
         * @throws IllegalArgumentException if a value is out of range or two options exclude each
         *     other
         */
        public LoraConfig build() {
            check(rank > 0, "rank must be positive, is " + rank);
            check(
                    Double.isFinite(alpha) && alpha != 0,
                    "alpha must be a finite number other than 0, is " + alpha);
            check(dropout >= 0 && dropout < 1, "dropout must be in [0, 1), is " + dropout);
            Objects.requireNonNull(bias, "bias");
            Objects.requireNonNull(init, "init");
            rankPattern.forEach(
                    (pattern, r) -> {
                        TargetMatcher.checkExpression(pattern);
                        check(r > 0, "the rank of " + pattern + " must be positive, is " + r);
                    });
            alphaPattern.forEach(
                    (pattern, a) -> {
                        TargetMatcher.checkExpression(pattern);
                        check(
                                Double.isFinite(a) && a != 0,
                                "the alpha of "
                                        + pattern
                                        + " must be a finite number other than 0, is "
                                        + a);
                    });
            check(
                    targets.getExpression() != null || !targets.getNames().isEmpty(),
                    "there are no target modules: name some, or leave them out for all-linear");
            checkNames("target modules", targets.getNames());
            checkNames("modules to save", modulesToSave);
            checkNames("layers pattern", layersPattern);
            modulesToSave.forEach(TargetMatcher::checkExpression);
            layersPattern.forEach(TargetMatcher::checkExpression);
            check(
                    layersToTransform.stream().allMatch(layer -> layer >= 0),
                    "layers are counted from 0, are " + layersToTransform);
            check(
                    layersToTransform.isEmpty()
                            || targets.getExpression() == null
                            || targets.isAllLinear(),
                    "layersToTransform needs target names, not the expression " + targets);
            check(
                    layersPattern.isEmpty() || !layersToTransform.isEmpty(),
                    "layersPattern needs layersToTransform");
            return new LoraConfig(this);
        }

        private static void checkNames(String what, List<String> names) {
            check(names.stream().noneMatch(String::isBlank), "one of the " + what + " is blank");
        }

        private static void check(boolean valid, String message) {
            if (!valid) {
                throw new IllegalArgumentException(message);
            }
        }
    }
}

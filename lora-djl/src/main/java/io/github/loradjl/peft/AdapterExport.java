package io.github.loradjl.peft;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.LowRankUpdate;
import io.github.loradjl.adapter.TargetMatcher;
import io.github.loradjl.torch.GradientMode;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Forms the tensors of a saved adapter and the configuration that gives them their meaning.
 *
 * <p>A subtracted start eta (B A - B0 A0) is the one product eta [B, -B0] [A; A0] of rank 2r. Its
 * scaling must stay eta, and since readers divide alpha by the doubled rank, the saved alpha is 2 r
 * eta, without rank stabilisation. The ranks and scalings of the updates themselves are what
 * counts: a configuration that would give a reader others is replaced by one that lists every
 * target.
 */
final class AdapterExport {

    private final LoraModel lora;
    private final String name;
    private final Map<String, LoraLinear> targets;
    private final boolean portable;

    AdapterExport(LoraModel lora, String name, SaveOptions options) {
        this.lora = lora;
        this.name = name;
        targets = lora.getTargets(name);
        portable = options.getForm() == SaveOptions.Form.PORTABLE;
        if (portable && !lora.getPrivateCopies(name).getParameters().isEmpty()) {
            throw new IllegalArgumentException(
                    "adapter "
                            + name
                            + " trains "
                            + lora.getPrivateCopies(name).getParameters().keySet()
                            + " whole, which the portable form cannot hold: save it in PEFT's form"
                            + " or merge it into the model");
        }
    }

    String baseFingerprint() {
        return Fingerprint.of(lora, targets);
    }

    /** Tells whether the file holds a subtracted start that can be taken apart again. */
    boolean isDifference() {
        return !portable && targets.values().stream().anyMatch(l -> l.get(name).getA0() != null);
    }

    private static int savedRank(LowRankUpdate update) {
        return update.getA0() == null ? update.getRank() : 2 * update.getRank();
    }

    private int portableRank() {
        return targets.values().stream().mapToInt(l -> savedRank(l.get(name))).max().orElseThrow();
    }

    /** Returns the configuration of the adapter itself, fit to be read without this model. */
    LoraConfig ownConfig() {
        LoraConfig config = withNamedTargets(lora.getConfig(name));
        return fitting(config, false);
    }

    /** Returns the configuration of the saved tensors. */
    LoraConfig savedConfig() {
        LoraConfig config = withNamedTargets(lora.getConfig(name));
        if (portable) {
            int rank = portableRank();
            return config.toBuilder()
                    .optRank(rank)
                    .optAlpha(rank)
                    .optRankStabilized(false)
                    .optRankPattern(Map.of())
                    .optAlphaPattern(Map.of())
                    .build();
        }
        return isDifference() ? fitting(doubled(config), true) : fitting(config, true);
    }

    private static LoraConfig doubled(LoraConfig config) {
        int rank = 2 * config.getRank();
        double eta =
                config.getAlpha()
                        / (config.isRankStabilized()
                                ? Math.sqrt(config.getRank())
                                : config.getRank());
        double factor = config.isRankStabilized() ? rank * eta / config.getAlpha() : 2;
        Map<String, Integer> ranks = config.getRankPattern();
        ranks.replaceAll((key, value) -> 2 * value);
        Map<String, Double> alphas = config.getAlphaPattern();
        alphas.replaceAll((key, value) -> factor * value);
        return config.toBuilder()
                .optRank(rank)
                .optAlpha(factor * config.getAlpha())
                .optRankStabilized(false)
                .optRankPattern(ranks)
                .optAlphaPattern(alphas)
                .build();
    }

    /** Returns the configuration, or one that lists single targets if it gives them wrongly. */
    private LoraConfig fitting(LoraConfig config, boolean saved) {
        Map<String, Integer> ranks = new LinkedHashMap<>();
        Map<String, Double> alphas = new LinkedHashMap<>();
        boolean fits = true;
        for (LoraLinear layer : targets.values()) {
            String path = layer.getPath();
            LowRankUpdate update = layer.get(name);
            int rank = saved ? savedRank(update) : update.getRank();
            double eta = update.getScaling();
            fits = fits && config.rankOf(path) == rank && same(config.scalingOf(path), eta);
            // Anchored, because a pattern matches the end of a path.
            String pattern = "^" + TargetMatcher.literal(path);
            if (rank != config.getRank()) {
                ranks.put(pattern, rank);
            }
            if (!same(rank * eta, config.getAlpha())) {
                alphas.put(pattern, rank * eta);
            }
        }
        if (fits) {
            return config;
        }
        return config.toBuilder()
                .optRankStabilized(false)
                .optRankPattern(ranks)
                .optAlphaPattern(alphas)
                .build();
    }

    private static boolean same(double one, double other) {
        return Math.abs(one - other) <= 1e-12 * Math.abs(other);
    }

    /** What "all-linear" means depends on the reader, so the targets are listed instead. */
    private LoraConfig withNamedTargets(LoraConfig config) {
        if (!config.getTargets().isAllLinear()) {
            return config;
        }
        Set<String> suffixes = new TreeSet<>();
        targets.keySet().forEach(path -> suffixes.add(path.substring(path.lastIndexOf('.') + 1)));
        LoraConfig.Builder builder =
                config.toBuilder().optExcludeModules().optLayersToTransform().optLayersPattern();
        for (Set<String> names : List.of(suffixes, targets.keySet())) {
            if (meansTargets(TargetMatcher.names(List.copyOf(names)))) {
                return builder.optTargetModules(names.toArray(String[]::new)).build();
            }
        }
        // Even a whole path may be the end of another one.
        return builder.optTargetPattern(
                        targets.keySet().stream()
                                .map(TargetMatcher::literal)
                                .collect(Collectors.joining("|")))
                .build();
    }

    private boolean meansTargets(TargetMatcher matcher) {
        return BlockTree.walk(lora.getBase()).stream()
                .map(BlockTree.Node::path)
                .allMatch(path -> matcher.matches(path, true) == targets.containsKey(path));
    }

    /**
     * Returns the tensors to save.
     *
     * @param scope the owner of the arrays that are made for it
     */
    Map<String, NDArray> tensors(NDManager scope) {
        Map<String, NDArray> result = new LinkedHashMap<>();
        int rank = portable ? portableRank() : 0;
        try (GradientMode mode = GradientMode.off()) {
            for (LoraLinear layer : targets.values()) {
                LowRankUpdate update = layer.get(name);
                NDArray a = joined(update.getA(), update.getA0(), 1, 0, scope);
                NDArray b = joined(update.getB(), update.getB0(), -1, 1, scope);
                if (portable) {
                    a = filled(a, rank, 0, scope);
                    NDArray scaled = b.mul(update.getScaling());
                    scaled.attach(scope);
                    b = filled(scaled, rank, 1, scope);
                }
                result.put(TensorNames.a(layer.getPath()), a);
                result.put(TensorNames.b(layer.getPath()), b);
            }
        }
        Map<String, NDArray> copies = lora.getPrivateCopies(name).getCopies();
        TensorNames.ofCopies(lora.getPrivateCopies(name), targets.keySet())
                .forEach((tensor, path) -> result.put(tensor, copies.get(path)));
        return result;
    }

    private static NDArray joined(NDArray now, NDArray start, int sign, int axis, NDManager scope) {
        if (start == null) {
            return now;
        }
        try (NDArray signed = start.mul(sign)) {
            NDArray result = NDArrays.concat(new NDList(now, signed), axis);
            result.attach(scope);
            return result;
        }
    }

    private static NDArray filled(NDArray x, int rank, int axis, NDManager scope) {
        long missing = rank - x.getShape().get(axis);
        if (missing == 0) {
            return x;
        }
        Shape shape =
                axis == 0
                        ? new Shape(missing, x.getShape().get(1))
                        : new Shape(x.getShape().get(0), missing);
        NDArray result = NDArrays.concat(new NDList(x, scope.zeros(shape)), axis);
        result.attach(scope);
        return result;
    }
}

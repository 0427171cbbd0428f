package io.github.loradjl;

import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;

import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.TargetMatcher;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds the layers and parameters of a block tree that a configuration speaks of. */
final class TargetSelection {

    private final LoraConfig config;
    private final List<BlockTree.Node> nodes;

    TargetSelection(LoraConfig config, Block base) {
        this.config = config;
        nodes = BlockTree.walk(base);
    }

    /**
     * Returns the linear layers to adapt; one that stands in several places is listed at each.
     *
     * @throws IllegalArgumentException if a pattern matches nothing, or matches something that is
     *     not a linear layer
     */
    List<BlockTree.Node> targets() {
        List<BlockTree.Node> targets = new ArrayList<>();
        for (BlockTree.Node node : nodes) {
            if (!config.getTargets().matches(node.path(), isLinear(node)) || excluded(node)) {
                continue;
            }
            if (!isLinear(node)) {
                if (config.getTargets().getExpression() != null) {
                    continue; // an expression may well match the parents of what it means
                }
                throw new IllegalArgumentException(
                        "target "
                                + node.path()
                                + " is a "
                                + node.block().getClass().getSimpleName()
                                + ", only Linear layers can be adapted");
            }
            targets.add(node);
        }
        checkPatterns(targets);
        return targets;
    }

    private static boolean isLinear(BlockTree.Node node) {
        return node.block() instanceof Linear && node.parent() != null;
    }

    private boolean excluded(BlockTree.Node node) {
        TargetMatcher excludes = config.getExcludes();
        if (excludes != null && excludes.matches(node.path(), isLinear(node))) {
            return true;
        }
        if (matchesAny(config.getModulesToSave(), node.path())) {
            return true;
        }
        List<Integer> layers = config.getLayersToTransform();
        return !layers.isEmpty()
                && !layers.contains(
                        TargetMatcher.layerIndex(node.path(), config.getLayersPattern()));
    }

    private void checkPatterns(List<BlockTree.Node> targets) {
        List<String> all = nodes.stream().map(BlockTree.Node::path).toList();
        refuse("target", config.getTargets().unmatched(all), linearPaths());
        if (config.getExcludes() != null) {
            refuse("exclude", config.getExcludes().unmatched(all), linearPaths());
        }
        if (targets.isEmpty()) {
            throw new IllegalArgumentException(
                    "no layer is left to adapt: targets "
                            + config.getTargets()
                            + (config.getExcludes() == null
                                    ? ""
                                    : ", excluded " + config.getExcludes())
                            + ", layers "
                            + config.getLayersToTransform()
                            + "; the model has "
                            + shortened(linearPaths()));
        }
        List<String> paths = targets.stream().map(BlockTree.Node::path).toList();
        refuse("rank", unmatched(config.getRankPattern(), paths), paths);
        refuse("alpha", unmatched(config.getAlphaPattern(), paths), paths);
    }

    private static List<String> unmatched(Map<String, ?> patterns, List<String> paths) {
        return patterns.keySet().stream()
                .filter(p -> paths.stream().noneMatch(path -> matches(p, path)))
                .toList();
    }

    private static boolean matches(String pattern, String path) {
        return TargetMatcher.lookup(Map.of(pattern, true), path) != null;
    }

    private static void refuse(String kind, List<String> unmatched, List<String> candidates) {
        if (!unmatched.isEmpty()) {
            throw new IllegalArgumentException(
                    kind
                            + " pattern "
                            + String.join(", ", unmatched)
                            + " matches nothing; the model has "
                            + shortened(candidates));
        }
    }

    private List<String> linearPaths() {
        return nodes.stream().filter(TargetSelection::isLinear).map(BlockTree.Node::path).toList();
    }

    private static String shortened(List<String> paths) {
        // The layers of a deep model differ in one number only.
        Set<String> kinds = new LinkedHashSet<>();
        paths.forEach(p -> kinds.add(p.replaceAll("\\.\\d+\\.", ".*.")));
        return kinds.isEmpty() ? "no Linear layers" : String.join(", ", kinds);
    }

    /** Returns the parameters that are trained whole, by path. */
    Map<String, Parameter> privateParameters(List<LoraLinear> adapted) {
        Map<String, Parameter> result = new LinkedHashMap<>();
        List<String> missing = new ArrayList<>(config.getModulesToSave());
        for (BlockTree.Node node : nodes) {
            missing.removeIf(name -> matchesAny(List.of(name), node.path()));
            if (matchesAny(config.getModulesToSave(), node.path())) {
                for (BlockTree.Node below : BlockTree.walk(node.block())) {
                    below.block()
                            .getDirectParameters()
                            .forEach(p -> result.put(path(node, below, p.getKey()), p.getValue()));
                }
            }
            if (config.getBias() == LoraConfig.Bias.ALL) {
                node.block().getDirectParameters().values().stream()
                        .filter(TargetSelection::isBias)
                        .forEach(p -> result.put(node.path(p.getName()), p));
            }
        }
        refuse("module to save", missing, nodes.stream().map(BlockTree.Node::path).toList());
        if (config.getBias() == LoraConfig.Bias.LORA_ONLY) {
            for (LoraLinear layer : adapted) {
                layer.getBase().getDirectParameters().values().stream()
                        .filter(TargetSelection::isBias)
                        .forEach(p -> result.put(layer.getPath() + "." + p.getName(), p));
            }
        }
        result.values()
                .removeIf(
                        p ->
                                p.getType() == Parameter.Type.RUNNING_MEAN
                                        || p.getType() == Parameter.Type.RUNNING_VAR);
        return result;
    }

    private static String path(BlockTree.Node module, BlockTree.Node below, String name) {
        return below.path().isEmpty() ? module.path(name) : module.path(below.path()) + "." + name;
    }

    private static boolean isBias(Parameter parameter) {
        return parameter.getType() == Parameter.Type.BIAS
                || parameter.getType() == Parameter.Type.BETA;
    }

    private static boolean matchesAny(List<String> names, String path) {
        return TargetMatcher.names(names).matches(path, false);
    }
}

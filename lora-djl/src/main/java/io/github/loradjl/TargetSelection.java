package io.github.loradjl;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.RunningStatistics;
import io.github.loradjl.adapter.TargetMatcher;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds the layers and parameters of a block tree that a configuration speaks of. */
final class TargetSelection {

    private final LoraConfig config;
    private final Block base;
    private final List<BlockTree.Node> nodes;

    /** A parameter that an adapter holds a copy of, and the block that has it. */
    record Private(String path, Block owner, Parameter parameter) {}

    TargetSelection(LoraConfig config, Block base) {
        this.config = config;
        this.base = base;
        nodes = BlockTree.walk(base);
    }

    LoraConfig config() {
        return config;
    }

    /**
     * Tells whether a configuration means a module, by the rules of PEFT.
     *
     * @param config the configuration
     * @param path the module's dotted path
     * @param linear whether it is a linear layer
     * @return true if it is a target
     */
    static boolean isTarget(LoraConfig config, String path, boolean linear) {
        TargetMatcher excludes = config.getExcludes();
        if ((excludes != null && excludes.matches(path, linear))
                || TargetMatcher.isWithin(config.getModulesToSave(), path)
                || !config.getTargets().matches(path, linear)) {
            return false;
        }
        List<Integer> layers = config.getLayersToTransform();
        return layers.isEmpty()
                || config.getTargets().namesInFull(path)
                || layers.contains(TargetMatcher.layerIndex(path, config.getLayersPattern()));
    }

    /**
     * Returns the linear layers to adapt; one that stands in several places is listed at each.
     *
     * @throws IllegalArgumentException if a pattern matches nothing, or something that is matched
     *     cannot be adapted
     */
    List<BlockTree.Node> targets() {
        List<BlockTree.Node> targets = matched();
        List<String> all = nodes.stream().map(BlockTree.Node::path).toList();
        refuse("target", config.getTargets().unmatched(all), linearPaths());
        if (config.getExcludes() != null) {
            refuse("exclude", config.getExcludes().unmatched(all), linearPaths());
        }
        List<String> paths = targets.stream().map(BlockTree.Node::path).toList();
        refuse("rank", unmatched(config.getRankPattern(), paths), paths);
        refuse("alpha", unmatched(config.getAlphaPattern(), paths), paths);
        return targets;
    }

    /**
     * Returns the linear layers to adapt, as {@link #targets} does, for an adapter that was made
     * elsewhere: patterns may well speak of layers that this model does not have.
     */
    List<BlockTree.Node> matched() {
        List<BlockTree.Node> targets = new ArrayList<>();
        for (BlockTree.Node node : nodes) {
            boolean linear = node.block() instanceof Linear && node.parent() != null;
            if (!isTarget(config, node.path(), linear)) {
                continue;
            }
            if (linear) {
                checkPlain(node);
                targets.add(node);
            } else if (config.getTargets().getExpression() == null) {
                // An expression may well match the parents of what it means, a name does not.
                throw new IllegalArgumentException(
                        "target "
                                + node.path()
                                + " is a "
                                + node.block().getClass().getSimpleName()
                                + ", only Linear layers can be adapted");
            }
        }
        if (targets.isEmpty()) {
            throw nothingLeft();
        }
        List<String> all = nodes.stream().map(BlockTree.Node::path).toList();
        List<String> missing =
                config.getModulesToSave().stream()
                        .filter(name -> all.stream().noneMatch(p -> isSaved(List.of(name), p)))
                        .toList();
        refuse("module to save", missing, all);
        return targets;
    }

    /** A subclass that computes something else would lose it in a wrapper. */
    private static void checkPlain(BlockTree.Node node) {
        Class<?> c = node.block().getClass();
        while (c != Linear.class && c != LoraLinear.class) {
            try {
                c.getDeclaredMethod(
                        "forwardInternal",
                        ParameterStore.class,
                        NDList.class,
                        boolean.class,
                        PairList.class);
                throw new IllegalArgumentException(
                        "target "
                                + node.path()
                                + " is a "
                                + node.block().getClass().getSimpleName()
                                + ", a Linear with a forward pass of its own, which an adapter"
                                + " would replace: exclude it from the targets");
            } catch (NoSuchMethodException e) {
                c = c.getSuperclass();
            }
        }
    }

    private IllegalArgumentException nothingLeft() {
        return new IllegalArgumentException(
                "no layer is left to adapt: targets "
                        + config.getTargets()
                        + (config.getExcludes() == null ? "" : ", excluded " + config.getExcludes())
                        + (config.getModulesToSave().isEmpty()
                                ? ""
                                : ", saved whole " + config.getModulesToSave())
                        + (config.getLayersToTransform().isEmpty()
                                ? ""
                                : ", layers " + config.getLayersToTransform())
                        + "; the model "
                        + (base instanceof Linear
                                ? "is a single Linear: put it into a SequentialBlock"
                                : "has " + shortened(linearPaths())));
    }

    private static List<String> unmatched(Map<String, ?> patterns, List<String> paths) {
        return patterns.keySet().stream()
                .filter(
                        p ->
                                paths.stream()
                                        .noneMatch(
                                                path ->
                                                        TargetMatcher.lookup(Map.of(p, true), path)
                                                                != null))
                .toList();
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
        return nodes.stream()
                .filter(node -> node.block() instanceof Linear && node.parent() != null)
                .map(BlockTree.Node::path)
                .toList();
    }

    private static String shortened(List<String> paths) {
        // The layers of a deep model differ in one number only.
        Set<String> kinds = new LinkedHashSet<>();
        paths.stream()
                .filter(path -> !path.isEmpty())
                .forEach(path -> kinds.add(path.replaceAll("\\.\\d+\\.", ".*.")));
        return kinds.isEmpty() ? "no Linear layers" : String.join(", ", kinds);
    }

    /**
     * Returns the parameters that the adapter holds copies of. Call it after the targets are
     * wrapped, with no copies of other adapters in place.
     */
    List<Private> privateParameters(Set<LoraLinear> adapted) {
        List<Private> result = new ArrayList<>();
        for (BlockTree.Node node : BlockTree.walk(base)) {
            Block block = node.block();
            boolean saved = isWithinSaved(node.path());
            boolean bias =
                    config.getBias() == LoraConfig.Bias.ALL
                            || (config.getBias() == LoraConfig.Bias.LORA_ONLY
                                    && block instanceof LoraLinear layer
                                    && adapted.contains(layer));
            Block owner = block instanceof LoraLinear layer ? layer.getBase() : block;
            for (Parameter parameter : owner.getDirectParameters().values()) {
                boolean wanted =
                        RunningStatistics.isStatistic(parameter)
                                ? config.isUpdateRunningStatistics() && block instanceof BatchNorm
                                : saved || (bias && isBias(parameter));
                if (wanted) {
                    result.add(new Private(node.path(parameter.getName()), owner, parameter));
                }
            }
        }
        return result;
    }

    private static boolean isBias(Parameter parameter) {
        return parameter.getType() == Parameter.Type.BIAS
                || parameter.getType() == Parameter.Type.BETA
                || parameter.getName().contains("bias");
    }

    /** A module to save is saved with all that is below it. */
    private boolean isWithinSaved(String path) {
        for (String p = path; !p.isEmpty(); p = p.substring(0, Math.max(0, p.lastIndexOf('.')))) {
            if (isSaved(config.getModulesToSave(), p)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isSaved(List<String> names, String path) {
        return TargetMatcher.names(names).matches(path, false);
    }
}

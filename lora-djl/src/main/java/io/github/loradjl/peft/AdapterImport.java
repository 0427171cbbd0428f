package io.github.loradjl.peft;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.core.Linear;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.adapter.LowRankUpdate;
import io.github.loradjl.adapter.PrivateCopies;
import io.github.loradjl.adapter.TargetMatcher;
import io.github.loradjl.safetensors.SafetensorsFile;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Adds one adapter folder to a model, after every tensor was held against it. */
final class AdapterImport {

    private static final Logger logger = LoggerFactory.getLogger(AdapterImport.class);

    private final LoraModel lora;
    private final AdapterFolder folder;
    private final SafetensorsFile file;
    private final Map<String, Linear> linears = new LinkedHashMap<>();
    private final List<String> paths;

    AdapterImport(LoraModel lora, AdapterFolder folder, SafetensorsFile file) {
        this.lora = lora;
        this.folder = folder;
        this.file = file;
        List<BlockTree.Node> nodes = BlockTree.walk(lora.getBase());
        paths = nodes.stream().map(BlockTree.Node::path).toList();
        for (BlockTree.Node node : nodes) {
            if (node.block() instanceof Linear linear) {
                linears.put(node.path(), linear);
            }
        }
    }

    /**
     * Adds the adapter.
     *
     * @param name its new name
     * @param forced true to take it even if it was trained on a base with other weights
     */
    void addTo(String name, boolean forced) throws IOException {
        refuseOtherKinds();
        LoraConfig saved = present(folder.config());
        LoraConfig own = folder.isDifference() ? present(folder.ownConfig()) : saved;
        List<String> targets = lora.findTargets(own);
        checkHomes(targets);
        checkShapes(targets, saved, own);
        checkBase(targets, forced);
        Map<String, LowRankUpdate> updates = new LinkedHashMap<>();
        boolean added = false;
        try (NDManager scope = lora.getManager().newSubManager()) {
            for (String path : targets) {
                updates.put(path, update(path, own, scope));
            }
            lora.addAdapter(name, own, updates);
            added = true;
            fillCopies(name, scope);
        } catch (IOException | RuntimeException e) {
            if (added) {
                lora.removeAdapter(name);
            } else {
                updates.values().forEach(LowRankUpdate::close);
            }
            throw e;
        }
    }

    private void refuseOtherKinds() throws IOException {
        for (String tensor : file.names()) {
            if (!tensor.startsWith(TensorNames.PREFIX)) {
                throw new IOException(
                        file.path()
                                + ", tensor '"
                                + tensor
                                + "': its name does not start with "
                                + TensorNames.PREFIX
                                + "; it is not a PEFT adapter");
            }
            String kind = null;
            if (tensor.contains(".lora_embedding_")) {
                kind = "an adapted embedding";
            } else if (tensor.contains(".lora_magnitude_vector")) {
                kind = "a part of DoRA";
            } else if (tensor.endsWith(".lora_B.bias")) {
                kind = "a bias on B";
            }
            if (kind != null) {
                throw new IOException(
                        file.path()
                                + ", tensor '"
                                + tensor
                                + "': it is "
                                + kind
                                + ", which is not supported; train the adapter without it");
            }
        }
    }

    /** PEFT accepts names and patterns that match nothing; here they are named and left out. */
    private LoraConfig present(LoraConfig config) throws IOException {
        LoraConfig.Builder builder = config.toBuilder();
        if (config.getTargets().getExpression() == null) {
            Set<String> names = new LinkedHashSet<>(config.getTargets().getNames());
            drop("target_modules", names, config.getTargets().unmatched(paths));
            if (names.isEmpty()) {
                throw new IllegalArgumentException(
                        folder.path()
                                + " is for another model: it targets "
                                + config.getTargets()
                                + ", and none of them is in "
                                + lora.getModel().getName());
            }
            builder.optTargetModules(names.toArray(String[]::new));
        }
        if (config.getExcludes() != null) {
            List<String> missing = config.getExcludes().unmatched(paths);
            if (config.getExcludes().getExpression() == null) {
                Set<String> names = new LinkedHashSet<>(config.getExcludes().getNames());
                drop("exclude_modules", names, missing);
                builder.optExcludeModules(names.toArray(String[]::new));
            } else if (!missing.isEmpty()) {
                drop("exclude_modules", new LinkedHashSet<>(missing), missing);
                builder.optExcludeModules();
            }
        }
        Set<String> modules = new LinkedHashSet<>(config.getModulesToSave());
        drop(
                "modules_to_save",
                modules,
                TargetMatcher.names(List.copyOf(modules)).unmatched(paths));
        builder.optModulesToSave(modules.toArray(String[]::new));
        List<String> targets =
                lora.findTargets(
                        builder.optRankPattern(Map.of()).optAlphaPattern(Map.of()).build());
        Map<String, Integer> ranks = config.getRankPattern();
        drop("rank_pattern", ranks.keySet(), unmatched(ranks, targets));
        Map<String, Double> alphas = config.getAlphaPattern();
        drop("alpha_pattern", alphas.keySet(), unmatched(alphas, targets));
        return builder.optRankPattern(ranks).optAlphaPattern(alphas).build();
    }

    private void drop(String key, Set<String> values, List<String> missing) {
        if (!missing.isEmpty()) {
            logger.warn("{}: {} {} match nothing in the model", folder.path(), key, missing);
            missing.forEach(values::remove);
        }
    }

    private static List<String> unmatched(Map<String, ?> patterns, List<String> paths) {
        return patterns.keySet().stream()
                .filter(
                        key ->
                                paths.stream()
                                        .allMatch(
                                                path ->
                                                        TargetMatcher.lookup(Map.of(key, 1), path)
                                                                == null))
                .toList();
    }

    private void checkHomes(List<String> targets) {
        Set<String> missing = new LinkedHashSet<>();
        for (String path : targets) {
            missing.add(TensorNames.a(path));
            missing.add(TensorNames.b(path));
        }
        Set<String> known = new LinkedHashSet<>(missing);
        missing.removeAll(file.names());
        if (!missing.isEmpty()) {
            String first = missing.iterator().next();
            throw new IllegalArgumentException(
                    file.path()
                            + " lacks tensor '"
                            + first
                            + "'"
                            + andMore(missing.size())
                            + ", which target_modules asks for in this model");
        }
        for (String tensor : file.names()) {
            boolean factor = tensor.endsWith(TensorNames.A) || tensor.endsWith(TensorNames.B);
            if (!factor || known.contains(tensor)) {
                continue;
            }
            String suffix = tensor.endsWith(TensorNames.A) ? TensorNames.A : TensorNames.B;
            String path =
                    tensor.substring(
                            TensorNames.PREFIX.length(), tensor.length() - suffix.length());
            throw new IllegalArgumentException(
                    file.path()
                            + ", tensor '"
                            + tensor
                            + "' finds no home: "
                            + (linears.containsKey(path)
                                    ? "target_modules does not name " + path
                                    : "the model has no linear layer " + path));
        }
    }

    private static String andMore(int count) {
        return count == 1 ? "" : " and " + (count - 1) + " more";
    }

    private void checkShapes(List<String> targets, LoraConfig saved, LoraConfig own)
            throws IOException {
        for (String path : targets) {
            int rank = saved.rankOf(path);
            Shape weight = weight(path).getShape();
            checkShape(TensorNames.a(path), new Shape(rank, weight.get(1)));
            checkShape(TensorNames.b(path), new Shape(weight.get(0), rank));
            if (folder.isDifference()) {
                double eta = own.scalingOf(path);
                if (rank != own.rankOf(path) && rank != 2 * own.rankOf(path)
                        || Math.abs(saved.scalingOf(path) - eta) > 1e-9 * Math.abs(eta)) {
                    throw new IOException(
                            folder.path()
                                    + ": "
                                    + AdapterFolder.CONFIG
                                    + " and "
                                    + AdapterFolder.SIDE
                                    + " disagree about "
                                    + path
                                    + "; delete "
                                    + AdapterFolder.SIDE
                                    + " to load the adapter as an ordinary one");
                }
            }
        }
    }

    private void checkShape(String tensor, Shape expected) {
        Shape shape = file.info(tensor).shape();
        if (!shape.equals(expected)) {
            throw new IllegalArgumentException(
                    file.path()
                            + ", tensor '"
                            + tensor
                            + "' has shape "
                            + shape
                            + ", but rank and layer ask for "
                            + expected);
        }
    }

    private NDArray weight(String path) {
        return linears.get(path).getDirectParameters().get("weight").getArray();
    }

    private void checkBase(List<String> targets, boolean forced) {
        String expected = folder.origin().baseFingerprint();
        if (expected == null) {
            logger.warn(
                    "{} does not say which base it belongs to; only shapes were checked",
                    folder.path());
            return;
        }
        Map<String, Linear> layers = new LinkedHashMap<>();
        targets.forEach(path -> layers.put(path, linears.get(path)));
        String actual = Fingerprint.of(lora, layers);
        if (actual.equals(expected)) {
            return;
        }
        String message =
                folder.path()
                        + " belongs to another base: "
                        + baseName()
                        + ", whose target weights have the fingerprint "
                        + expected
                        + "; those of "
                        + lora.getModel().getName()
                        + " have "
                        + actual;
        if (!forced) {
            throw new IllegalArgumentException(message + "; load the base it was trained on");
        }
        logger.warn("{}; it is used all the same, as asked", message);
    }

    private String baseName() {
        AdapterOrigin origin = folder.origin();
        if (origin.baseModel() == null) {
            return "one without a name";
        }
        return origin.baseModel()
                + (origin.baseRevision() == null ? "" : "@" + origin.baseRevision());
    }

    private LowRankUpdate update(String path, LoraConfig config, NDManager scope)
            throws IOException {
        NDArray a = factor(TensorNames.a(path), scope);
        NDArray b = factor(TensorNames.b(path), scope);
        double eta = config.scalingOf(path);
        LowRankUpdate update;
        try (GradientMode mode = GradientMode.off()) {
            int r = config.rankOf(path);
            if (folder.isDifference() && a.getShape().get(0) == 2L * r) {
                update =
                        new LowRankUpdate(
                                owned(a.get(new NDIndex(":" + r))),
                                owned(b.get(new NDIndex(":, :" + r))),
                                eta,
                                config.getDropout());
                update.setStart(
                        owned(a.get(new NDIndex(r + ":"))),
                        owned(b.get(new NDIndex(":, " + r + ":")).neg()));
            } else {
                update = new LowRankUpdate(owned(a), owned(b), eta, config.getDropout());
            }
        }
        return update;
    }

    private NDArray factor(String tensor, NDManager scope) throws IOException {
        return TorchOps.toFloat32(file.read(scope, tensor));
    }

    /** Makes an array of its own: it is trained in place and outlives the slice it comes from. */
    private NDArray owned(NDArray x) {
        NDArray copy = x.duplicate();
        copy.attach(lora.getManager());
        return copy;
    }

    private void fillCopies(String name, NDManager scope) throws IOException {
        PrivateCopies copies = lora.getPrivateCopies(name);
        Map<String, String> expected = TensorNames.ofCopies(copies, lora.getTargets(name).keySet());
        Set<String> extra = new LinkedHashSet<>(file.names());
        extra.removeIf(t -> t.endsWith(TensorNames.A) || t.endsWith(TensorNames.B));
        for (Map.Entry<String, String> entry : expected.entrySet()) {
            String tensor = entry.getKey();
            if (!extra.remove(tensor)) {
                throw new IllegalArgumentException(
                        file.path()
                                + " lacks tensor '"
                                + tensor
                                + "', which modules_to_save or bias asks for in this model");
            }
            NDArray copy = copies.getCopies().get(entry.getValue());
            checkShape(tensor, copy.getShape());
            try (GradientMode mode = GradientMode.off();
                    NDArray target = TorchOps.alias(copy, scope);
                    NDArray values = file.read(scope, tensor)) {
                Shape rows = new Shape(1, 1, copy.getShape().size(), 1);
                TorchOps.writeAt(target.reshape(rows), values.reshape(rows), 0);
            }
        }
        if (!extra.isEmpty()) {
            throw new IllegalArgumentException(
                    file.path()
                            + ", tensor '"
                            + extra.iterator().next()
                            + "'"
                            + andMore(extra.size())
                            + " finds no home: neither modules_to_save nor bias asks for it in this"
                            + " model");
        }
    }
}

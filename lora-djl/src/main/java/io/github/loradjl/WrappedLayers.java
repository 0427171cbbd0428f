package io.github.loradjl;

import ai.djl.nn.Block;
import ai.djl.nn.core.Linear;

import io.github.loradjl.adapter.AdapterSelection;
import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.adapter.LoraLinear;

import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The layers of a base block that stand wrapped in its tree, each once. */
final class WrappedLayers {

    private final Block base;
    private final AdapterSelection selection;
    private final Map<String, LoraLinear> layers = new LinkedHashMap<>();

    WrappedLayers(Block base, AdapterSelection selection) {
        this.base = base;
        this.selection = selection;
    }

    /**
     * Wraps the targets that are not wrapped yet.
     *
     * @return the wrappers of all targets
     * @throws IllegalArgumentException if a place cannot hold a wrapper; nothing has changed
     */
    Set<LoraLinear> wrap(List<BlockTree.Node> targets) {
        Map<Block, LoraLinear> fresh = new IdentityHashMap<>();
        Set<LoraLinear> wrapped = new LinkedHashSet<>();
        for (BlockTree.Node node : targets) {
            wrapped.add(
                    node.block() instanceof LoraLinear layer
                            ? layer
                            : fresh.computeIfAbsent(node.block(), b -> wrapper(node)));
        }
        BlockTree.replace(base, new IdentityHashMap<>(fresh));
        wrapped.forEach(layer -> layers.put(layer.getPath(), layer));
        return wrapped;
    }

    private LoraLinear wrapper(BlockTree.Node node) {
        return new LoraLinear((Linear) node.block(), node.path(), selection);
    }

    /** Puts the original layers back where no adapter needs a wrapper. */
    void unwrapUnused() {
        Map<Block, Block> originals = new IdentityHashMap<>();
        for (LoraLinear layer : layers.values()) {
            if (layer.getUpdates().isEmpty()) {
                originals.put(layer, layer.getBase());
            }
        }
        BlockTree.replace(base, originals);
        layers.values().removeIf(originals::containsKey);
    }

    /** Puts all original layers back and releases what the wrappers hold. */
    void close() {
        layers.values().forEach(LoraLinear::releaseAdapters);
        unwrapUnused();
    }

    Collection<LoraLinear> all() {
        return layers.values();
    }
}

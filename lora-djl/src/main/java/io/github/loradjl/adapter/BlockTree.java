package io.github.loradjl.adapter;

import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.BlockList;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Walks a tree of blocks by dotted paths and replaces blocks in it.
 *
 * <p><b>Paths.</b> {@link AbstractBlock} puts a two-digit position before each child's name. The
 * path of a block leaves it out, so that it equals the module path of the checkpoint's own
 * framework, {@code model.layers.0.self_attn.q_proj}. Where two children of one parent would then
 * have the same name, or one would have none, all children of that parent are named by their
 * position from 0: a {@link ai.djl.nn.SequentialBlock} of Linear, ReLU, Linear has the children
 * {@code 0}, {@code 1} and {@code 2}.
 *
 * <p><b>Replacing.</b> A block keeps its children in a list, and usually once more in fields of its
 * own. DJL offers no way to exchange a child, so every place in the tree that holds the block is
 * written by reflection; a field whose type cannot hold the replacement is an error.
 */
public final class BlockTree {

    private BlockTree() {}

    /**
     * A block and its place.
     *
     * @param path the dotted path from the root, empty for the root itself
     * @param block the block
     * @param parent the block that holds it, null for the root
     */
    public record Node(String path, Block block, Block parent) {

        /**
         * Returns the path of a parameter or child of this block.
         *
         * @param name the name
         * @return the path with the name appended
         */
        public String path(String name) {
            return path.isEmpty() ? name : path + "." + name;
        }
    }

    /**
     * Lists all blocks, each before its children.
     *
     * @param root the root of the tree
     * @return the nodes; a block that stands in two places is listed twice
     */
    public static List<Node> walk(Block root) {
        List<Node> nodes = new ArrayList<>();
        walk(new Node("", root, null), nodes);
        return nodes;
    }

    private static void walk(Node node, List<Node> nodes) {
        nodes.add(node);
        BlockList children = node.block().getChildren();
        List<String> names = childNames(children.keys());
        for (int i = 0; i < names.size(); i++) {
            walk(new Node(node.path(names.get(i)), children.valueAt(i), node.block()), nodes);
        }
    }

    private static List<String> childNames(List<String> keys) {
        List<String> names = new ArrayList<>(keys.size());
        for (int i = 0; i < keys.size(); i++) {
            String prefix = String.format(Locale.ROOT, "%02d", i + 1);
            String key = keys.get(i);
            names.add(key.startsWith(prefix) ? key.substring(prefix.length()) : key);
        }
        if (names.contains("") || new HashSet<>(names).size() < names.size()) {
            for (int i = 0; i < names.size(); i++) {
                names.set(i, Integer.toString(i));
            }
        }
        return names;
    }

    /**
     * Puts other blocks in the place of some, everywhere in a tree.
     *
     * @param root the root of the tree, which cannot itself be replaced
     * @param replacements new blocks by old ones, compared by identity
     * @throws IllegalArgumentException if a place that holds an old block cannot hold the new one,
     *     or a parent makes up its children anew each time; the tree is then unchanged
     */
    public static void replace(Block root, Map<Block, Block> replacements) {
        Map<Block, Block> byIdentity = new IdentityHashMap<>(replacements);
        Set<Block> owners = Collections.newSetFromMap(new IdentityHashMap<>());
        walk(root).forEach(node -> owners.add(node.block()));
        Runnable undo;
        try {
            undo = References.exchange(owners, byIdentity);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "cannot replace layers: "
                            + e.getMessage()
                            + "; declare it as Linear or Block, or exclude the layer from the"
                            + " targets",
                    e);
        }
        for (Node node : walk(root)) {
            if (byIdentity.containsKey(node.block())) {
                undo.run();
                Block parent = node.parent();
                throw new IllegalArgumentException(
                        "cannot replace "
                                + (parent == null
                                        ? "the root block: put it into a SequentialBlock"
                                        : node.path()
                                                + ": its parent "
                                                + parent.getClass().getName()
                                                + " does not hold its children in fields; exclude"
                                                + " the layer from the targets"));
            }
        }
    }
}

package io.github.loradjl.adapter;

import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.BlockList;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.ListIterator;
import java.util.Locale;
import java.util.Map;

/**
 * Walks a tree of blocks by dotted paths and replaces blocks in it.
 *
 * <p><b>Paths.</b> {@link AbstractBlock} puts a two-digit position before each child's name. The
 * path of a block leaves it out, so that it equals the module path of the checkpoint's own
 * framework, {@code model.layers.0.self_attn.q_proj}. Where two children of one parent would then
 * have the same name, all children of that parent are named by their position from 0: a {@link
 * ai.djl.nn.SequentialBlock} of Linear, ReLU, Linear has the children {@code 0}, {@code 1} and
 * {@code 2}.
 *
 * <p><b>Replacing.</b> A block keeps its children in a list, and usually once more in fields of its
 * own. DJL offers no way to exchange a child, so both are written by reflection; a field whose type
 * cannot hold the replacement is an error.
 */
public final class BlockTree {

    private static final Field CHILDREN = field(AbstractBlock.class, "children");

    private BlockTree() {}

    /**
     * A block and its place.
     *
     * @param path the dotted path from the root, empty for the root itself
     * @param block the block
     * @param parent the block that holds it, null for the root
     * @param index its position among the parent's children
     */
    public record Node(String path, Block block, Block parent, int index) {

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
        walk(new Node("", root, null, 0), nodes);
        return nodes;
    }

    private static void walk(Node node, List<Node> nodes) {
        nodes.add(node);
        BlockList children = node.block().getChildren();
        List<String> names = childNames(children.keys());
        for (int i = 0; i < names.size(); i++) {
            Block child = children.valueAt(i);
            walk(new Node(node.path(names.get(i)), child, node.block(), i), nodes);
        }
    }

    private static List<String> childNames(List<String> keys) {
        List<String> names = new ArrayList<>(keys.size());
        for (int i = 0; i < keys.size(); i++) {
            String prefix = String.format(Locale.ROOT, "%02d", i + 1);
            String key = keys.get(i);
            names.add(key.startsWith(prefix) ? key.substring(prefix.length()) : key);
        }
        if (new HashSet<>(names).size() < names.size()) {
            for (int i = 0; i < names.size(); i++) {
                names.set(i, Integer.toString(i));
            }
        }
        return names;
    }

    /**
     * Puts another block in the place of a node.
     *
     * @param node the place
     * @param replacement the block to put there
     * @throws IllegalArgumentException if the parent's children cannot be exchanged, or a field of
     *     the parent holds the old block and has a type that cannot hold the replacement; the tree
     *     is then unchanged
     */
    public static void replace(Node node, Block replacement) {
        Block parent = node.parent();
        if (!(parent instanceof AbstractBlock)) {
            throw new IllegalArgumentException(
                    "cannot replace "
                            + node.path()
                            + ": its parent "
                            + (parent == null ? "(none)" : parent.getClass().getName())
                            + " is not an AbstractBlock; wrap the layer in a SequentialBlock or"
                            + " exclude it from the targets");
        }
        Block current = childrenOf(parent).valueAt(node.index());
        List<Field> holders = holders(parent, current, replacement, node.path());
        childrenOf(parent).values().set(node.index(), replacement);
        for (Field holder : holders) {
            set(holder, parent, replacement);
        }
        replaceInContainers(parent, current, replacement);
    }

    private static BlockList childrenOf(Block parent) {
        return (BlockList) get(CHILDREN, parent);
    }

    private static List<Field> holders(
            Block parent, Block current, Block replacement, String path) {
        List<Field> holders = new ArrayList<>();
        for (Field field : instanceFields(parent)) {
            if (get(field, parent) != current) {
                continue;
            }
            if (!field.getType().isInstance(replacement)) {
                throw new IllegalArgumentException(
                        "cannot adapt "
                                + path
                                + ": field "
                                + field.getDeclaringClass().getSimpleName()
                                + "."
                                + field.getName()
                                + " of type "
                                + field.getType().getSimpleName()
                                + " cannot hold a "
                                + replacement.getClass().getSimpleName()
                                + "; declare it as Linear or Block, or exclude "
                                + path);
            }
            holders.add(field);
        }
        return holders;
    }

    @SuppressWarnings("unchecked")
    private static void replaceInContainers(Block parent, Block current, Block replacement) {
        for (Field field : instanceFields(parent)) {
            Object value = field.equals(CHILDREN) ? null : get(field, parent);
            if (value instanceof List<?> list) {
                ListIterator<Object> it = ((List<Object>) list).listIterator();
                while (it.hasNext()) {
                    if (it.next() == current) {
                        it.set(replacement);
                    }
                }
            } else if (value instanceof Map<?, ?> map) {
                ((Map<Object, Object>) map).replaceAll((k, v) -> v == current ? replacement : v);
            } else if (value instanceof Object[] array) {
                for (int i = 0; i < array.length; i++) {
                    if (array[i] == current) {
                        Array.set(array, i, replacement);
                    }
                }
            }
        }
    }

    private static List<Field> instanceFields(Block block) {
        List<Field> fields = new ArrayList<>();
        for (Class<?> c = block.getClass(); c != null && c != Object.class; c = c.getSuperclass()) {
            for (Field field : c.getDeclaredFields()) {
                if (!Modifier.isStatic(field.getModifiers()) && !field.getType().isPrimitive()) {
                    field.setAccessible(true);
                    fields.add(field);
                }
            }
        }
        return fields;
    }

    /** Returns an accessible field. */
    static Field field(Class<?> owner, String name) {
        try {
            Field field = owner.getDeclaredField(name);
            field.setAccessible(true);
            return field;
        } catch (NoSuchFieldException e) {
            throw new IllegalStateException(
                    owner.getName() + "." + name + " is missing: this DJL is not supported", e);
        }
    }

    static Object get(Field field, Object owner) {
        try {
            return field.get(owner);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    static void set(Field field, Object owner, Object value) {
        try {
            field.set(owner, value);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }
}

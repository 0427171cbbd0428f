package io.github.loradjl.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.BlockList;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.nn.transformer.BertBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

import org.junit.jupiter.api.Test;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

class BlockTreeTest {

    @Test
    void walk_leavesOutThePosition() {
        Owner root = new Owner();
        root.child("self_attn", new Owner()).child("q_proj", linear());
        assertThat(paths(root)).containsExactly("", "self_attn", "self_attn.q_proj");
    }

    @Test
    void walk_withNumbersAsNames_keepsThem() {
        Owner layers = new Owner();
        for (int i = 0; i < 120; i++) {
            layers.child(Integer.toString(i), linear());
        }
        // DJL's prefix has three digits from the hundredth child on: "100" + "99".
        assertThat(paths(layers)).contains("0", "9", "98", "99", "100", "119").hasSize(121);
    }

    @Test
    void walk_withEqualNames_takesPositions() {
        SequentialBlock root =
                new SequentialBlock().add(linear()).add(Activation::relu).add(linear());
        assertThat(paths(root)).containsExactly("", "0", "1", "2");
    }

    @Test
    void walk_withNamelessChild_takesPositions() {
        SequentialBlock root =
                new SequentialBlock().add(linear()).add(new SequentialBlock() {}.add(linear()));
        assertThat(paths(root)).containsExactly("", "0", "1", "1.Linear");
    }

    @Test
    void replace_reachesSequentialAndParallelBlocks() {
        Linear first = linear();
        Linear second = linear();
        ParallelBlock parallel =
                new ParallelBlock(lists -> lists.get(0), List.of(second, linear()));
        SequentialBlock root = new SequentialBlock().add(first).add(parallel);
        Linear newFirst = linear();
        Linear newSecond = linear();
        BlockTree.replace(root, identity(first, newFirst, second, newSecond));
        assertThat(root.getChildren().values()).startsWith(newFirst);
        assertThat(parallel.getChildren().values()).startsWith(newSecond);
    }

    @Test
    void replace_reachesPrivateFieldsOfBert() {
        BertBlock bert =
                BertBlock.builder()
                        .setTokenDictionarySize(11)
                        .optEmbeddingSize(8)
                        .optHiddenSize(16)
                        .optAttentionHeadCount(2)
                        .optTransformerBlockCount(1)
                        .build();
        Map<Block, Block> replacements = new IdentityHashMap<>();
        for (BlockTree.Node node : BlockTree.walk(bert)) {
            if (node.block() instanceof Linear) {
                replacements.put(node.block(), linear());
            }
        }
        assertThat(replacements).hasSize(4 + 2 + 1);
        BlockTree.replace(bert, replacements);
        assertThat(heldBy(bert)).containsAll(replacements.values());
        assertThat(heldBy(bert)).doesNotContainAnyElementsOf(replacements.keySet());
        Map<Block, Block> back = new IdentityHashMap<>();
        replacements.forEach((before, after) -> back.put(after, before));
        BlockTree.replace(bert, back);
        assertThat(heldBy(bert)).containsAll(replacements.keySet());
    }

    @Test
    void replace_reachesContainersInFields() {
        Linear old = linear();
        Linear replacement = linear();
        Owner root = new Owner();
        root.child("a", old);
        root.inList.add(old);
        root.inMap.put("k", new ArrayList<>(List.of(old)));
        root.unmodifiable = List.of(old, old);
        root.inArray[1] = old;
        BlockTree.replace(root, identity(old, replacement));
        assertThat(root.inList).containsExactly(replacement);
        assertThat(root.inMap.get("k")).containsExactly(replacement);
        assertThat(root.unmodifiable).containsExactly(replacement, replacement);
        assertThat(root.inArray).containsExactly(null, replacement);
    }

    @Test
    void replace_ofBlockInTwoPlaces_reachesBoth() {
        Linear shared = linear();
        SequentialBlock inner = new SequentialBlock().add(shared);
        SequentialBlock root = new SequentialBlock().add(shared).add(inner);
        Linear replacement = linear();
        BlockTree.replace(root, identity(shared, replacement));
        assertThat(root.getChildren().get(0).getValue()).isSameAs(replacement);
        assertThat(inner.getChildren().get(0).getValue()).isSameAs(replacement);
    }

    @Test
    void replace_whereFieldCannotHoldIt_changesNothing() {
        Owner fitting = new Owner();
        Linear first = fitting.child("a", linear());
        fitting.inList.add(first);
        Narrow narrow = new Narrow();
        SequentialBlock root = new SequentialBlock().add(fitting).add(narrow);
        Linear second = narrow.special;
        assertThatThrownBy(
                        () -> BlockTree.replace(root, identity(first, linear(), second, linear())))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Narrow.special")
                .hasMessageContaining("Special");
        assertThat(fitting.inList).containsExactly(first);
        assertThat(fitting.getChildren().get(0).getValue()).isSameAs(first);
        assertThat(narrow.getChildren().get(0).getValue()).isSameAs(second);
    }

    @Test
    void replace_whereParentMakesUpChildren_saysSo() {
        Linear hidden = linear();
        AtomicReference<Block> elsewhere = new AtomicReference<>(hidden);
        Block parent = new MakesUp(elsewhere);
        assertThatThrownBy(() -> BlockTree.replace(parent, identity(hidden, linear())))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("MakesUp does not hold its children in fields");
    }

    private static List<Object> heldBy(Block root) {
        List<Object> held = new ArrayList<>();
        for (BlockTree.Node node : BlockTree.walk(root)) {
            for (Class<?> c = node.block().getClass(); c != Object.class; c = c.getSuperclass()) {
                for (Field field : c.getDeclaredFields()) {
                    if (Block.class.isAssignableFrom(field.getType())) {
                        held.add(
                                References.get(References.field(c, field.getName()), node.block()));
                    }
                }
            }
            held.addAll(node.block().getChildren().values());
        }
        return held;
    }

    private static List<String> paths(Block root) {
        return BlockTree.walk(root).stream().map(BlockTree.Node::path).toList();
    }

    private static Linear linear() {
        return Linear.builder().setUnits(2).build();
    }

    private static Map<Block, Block> identity(Block... pairs) {
        Map<Block, Block> map = new IdentityHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            map.put(pairs[i], pairs[i + 1]);
        }
        return map;
    }

    /** A user's block that keeps its children in all sorts of places. */
    private static class Owner extends AbstractBlock {

        private final List<Block> inList = new ArrayList<>();
        private final Map<String, List<Block>> inMap = new HashMap<>();
        private List<Block> unmodifiable = List.of();
        private final Linear[] inArray = new Linear[2];

        <B extends Block> B child(String name, B block) {
            return addChildBlock(name, block);
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore store, NDList in, boolean training, PairList<String, Object> p) {
            return in;
        }

        @Override
        public Shape[] getOutputShapes(Shape[] shapes) {
            return shapes;
        }
    }

    private static final class MakesUp extends Owner {

        private final AtomicReference<Block> elsewhere;

        MakesUp(AtomicReference<Block> elsewhere) {
            this.elsewhere = elsewhere;
        }

        @Override
        public BlockList getChildren() {
            BlockList list = new BlockList();
            list.add("x", elsewhere.get());
            return list;
        }
    }

    private static final class Special extends Linear {
        Special() {
            super(Linear.builder().setUnits(2));
        }
    }

    private static final class Narrow extends Owner {
        private final Special special = child("special", new Special());
    }
}

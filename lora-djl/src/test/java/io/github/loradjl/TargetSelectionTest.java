package io.github.loradjl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.adapter.TargetMatcher;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

class TargetSelectionTest {

    private static final String NONE = "-";

    @ParameterizedTest
    @CsvFileSource(resources = "peft-target-rules.txt", delimiter = ';')
    void isTarget_isWhatPeftSays(
            String path,
            String targets,
            String layers,
            String layersPattern,
            String exclude,
            String saved,
            String adapted) {
        LoraConfig.Builder builder = LoraConfig.builder();
        if (targets.startsWith("/")) {
            builder.optTargetPattern(targets.substring(1));
        } else {
            builder.optTargetModules(targets.split(","));
        }
        if (!layers.equals(NONE)) {
            builder.optLayersToTransform(
                    Stream.of(layers.split(",")).map(Integer::valueOf).toArray(Integer[]::new));
        }
        if (!layersPattern.equals(NONE)) {
            builder.optLayersPattern(layersPattern.split(","));
        }
        if (exclude.startsWith("/")) {
            builder.optExcludePattern(exclude.substring(1));
        } else if (!exclude.equals(NONE)) {
            builder.optExcludeModules(exclude.split(","));
        }
        if (!saved.equals(NONE)) {
            builder.optModulesToSave(saved.split(","));
        }
        assertThat(TargetSelection.isTarget(builder.build(), path, true))
                .isEqualTo(adapted.equals("yes"));
    }

    @ParameterizedTest
    @CsvFileSource(resources = "peft-pattern-keys.txt", delimiter = ';')
    void lookup_takesThePatternThatPeftTakes(String patterns, String path, String winner) {
        Map<String, String> values = new LinkedHashMap<>();
        Stream.of(patterns.split(",")).forEach(p -> values.put(p, p));
        String found = TargetMatcher.lookup(values, path);
        assertThat(found == null ? NONE : found).isEqualTo(winner);
    }

    @Test
    void targets_ofDefaults_areAllLinearLayersButTheHead() {
        Block net = new Net();
        assertThat(paths(LoraConfig.builder(), net)).containsExactly("up", "mid.0", "mid.2");
    }

    @Test
    void targets_withLayersOnly_restrictAllLinear() {
        SequentialBlock layers = new SequentialBlock().add(new Net()).add(new Net()).add(new Net());
        SequentialBlock root = new SequentialBlock().add(layers);
        assertThat(
                        paths(
                                LoraConfig.builder()
                                        .optLayersToTransform(1)
                                        .optLayersPattern("SequentialBlock"),
                                root))
                .containsExactly(
                        "SequentialBlock.1.up",
                        "SequentialBlock.1.mid.0",
                        "SequentialBlock.1.mid.2",
                        "SequentialBlock.1.score");
    }

    @Test
    void targets_withPatternWithoutMatch_nameItAndWhatThereIs() {
        assertRefused(LoraConfig.builder().optTargetModules("up", "q_proj"), new Net())
                .hasMessageContaining("q_proj")
                .hasMessageContaining("up, mid.0, mid.2");
        assertRefused(LoraConfig.builder().optTargetPattern("x.*"), new Net())
                .hasMessageContaining("x.*");
        assertRefused(LoraConfig.builder().optExcludeModules("q_proj"), new Net())
                .hasMessageContaining("exclude pattern q_proj");
        assertRefused(LoraConfig.builder().optRankPattern(Map.of("q_proj", 4)), new Net())
                .hasMessageContaining("rank pattern q_proj");
        assertRefused(LoraConfig.builder().optAlphaPattern(Map.of("score", 4.)), new Net())
                .hasMessageContaining("alpha pattern score");
        assertRefused(LoraConfig.builder().optModulesToSave("q_proj"), new Net())
                .hasMessageContaining("module to save pattern q_proj");
        assertRefused(
                        LoraConfig.builder().optTargetModules("up").optExcludeModules("up"),
                        new Net())
                .hasMessageContaining("no layer is left");
    }

    @Test
    void targets_ofNameThatIsNotLinear_sayWhatItIs() {
        assertRefused(LoraConfig.builder().optTargetModules("norm"), new Net())
                .hasMessageContaining("norm is a LayerNorm");
        // An expression may match parents of what it means.
        assertThat(paths(LoraConfig.builder().optTargetPattern("mid.*"), new Net()))
                .containsExactly("mid.0", "mid.2");
    }

    @Test
    void targets_withLinearThatComputesSomethingElse_areRefused() {
        Block net = new SequentialBlock().add(new Doubling());
        assertRefused(LoraConfig.builder(), net).hasMessageContaining("Doubling");
    }

    @Test
    void targets_ofSingleLinear_sayHowToGoOn() {
        assertRefused(LoraConfig.builder(), Linear.builder().setUnits(2).build())
                .hasMessageContaining("SequentialBlock");
    }

    @Test
    void matched_withPatternsForOtherModels_ignoresThem() {
        TargetSelection selection =
                new TargetSelection(
                        LoraConfig.builder().optTargetModules("up", "q_proj").build(), new Net());
        assertThat(selection.matched()).extracting(BlockTree.Node::path).containsExactly("up");
    }

    private static AbstractThrowableAssert<?, ? extends Throwable> assertRefused(
            LoraConfig.Builder config, Block block) {
        return assertThatThrownBy(() -> new TargetSelection(config.build(), block).targets())
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static List<String> paths(LoraConfig.Builder config, Block block) {
        return new TargetSelection(config.build(), block)
                .targets().stream().map(BlockTree.Node::path).toList();
    }

    /** Three layers to adapt, a norm, and a head. */
    private static final class Net extends AbstractBlock {

        Net() {
            addChildBlock("up", linear());
            addChildBlock(
                    "mid", new SequentialBlock().add(linear()).add(Activation::relu).add(linear()));
            addChildBlock("norm", LayerNorm.builder().build());
            addChildBlock("score", linear());
        }

        private static Linear linear() {
            return Linear.builder().setUnits(4).build();
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore store, NDList in, boolean training, PairList<String, Object> p) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Shape[] getOutputShapes(Shape[] shapes) {
            return shapes;
        }
    }

    private static final class Doubling extends Linear {

        Doubling() {
            super(Linear.builder().setUnits(2));
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore store, NDList in, boolean training, PairList<String, Object> p) {
            return new NDList(super.forwardInternal(store, in, training, p).head().mul(2));
        }
    }
}

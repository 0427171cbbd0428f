package io.github.loradjl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.loradjl.init.LoraInit;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

class LoraConfigTest {

    @Test
    void defaults_adaptAllLinearLayersAsPeftDoes() {
        LoraConfig config = LoraConfig.builder().build();
        assertThat(config.getTargets().isAllLinear()).isTrue();
        assertThat(config.getRank()).isEqualTo(8);
        assertThat(config.getInit().getName()).isEqualTo("true");
        assertThat(config.scalingOf("any")).isEqualTo(2);
    }

    @Test
    void scalingOf_followsPatternsAndStabilisation() {
        Map<String, Integer> ranks = new LinkedHashMap<>();
        ranks.put("layers.1.q", 4);
        ranks.put("q", 9);
        LoraConfig config =
                LoraConfig.builder()
                        .optRankPattern(ranks)
                        .optAlphaPattern(Map.of("^m\\.layers\\.1\\..*", 6.))
                        .build();
        assertThat(config.rankOf("m.layers.1.q")).isEqualTo(4);
        assertThat(config.rankOf("m.layers.2.q")).isEqualTo(9);
        assertThat(config.rankOf("m.layers.1.v")).isEqualTo(8);
        assertThat(config.scalingOf("m.layers.1.q")).isEqualTo(6. / 4);
        LoraConfig stabilised = config.toBuilder().optRankStabilized(true).build();
        assertThat(stabilised.scalingOf("m.layers.1.q")).isCloseTo(6 / 2., within(1e-12));
        assertThat(stabilised.scalingOf("m.layers.2.q")).isCloseTo(16 / 3., within(1e-12));
    }

    @Test
    void toBuilder_keepsEverything() {
        LoraConfig config =
                LoraConfig.builder()
                        .optRank(3)
                        .optAlpha(5)
                        .optRankStabilized(true)
                        .optDropout(.25)
                        .optTargetModules("q", "v")
                        .optExcludePattern(".*x")
                        .optRankPattern(Map.of("q", 2))
                        .optAlphaPattern(Map.of("v", 7.))
                        .optLayersToTransform(0, 2)
                        .optLayersPattern("h")
                        .optModulesToSave("head")
                        .optBias(LoraConfig.Bias.LORA_ONLY)
                        .optInit(LoraInit.olora())
                        .optSeed(11)
                        .optUpdateRunningStatistics(true)
                        .build();
        assertThat(config.toBuilder().build()).usingRecursiveComparison().isEqualTo(config);
        LoraConfig defaults = LoraConfig.builder().build();
        // Every field differs from its default, so that none can be forgotten.
        assertThat(config).usingRecursiveComparison().isNotEqualTo(defaults);
        assertThat(config).hasNoNullFieldsOrProperties();
    }

    @Test
    void build_refusesWhatCannotWork() {
        assertRefused(b -> b.optRank(0)).hasMessage("rank must be positive, is 0");
        assertRefused(b -> b.optAlpha(0)).hasMessageContaining("alpha").hasMessageContaining("0");
        assertRefused(b -> b.optAlpha(Double.NaN)).hasMessageContaining("NaN");
        assertRefused(b -> b.optDropout(1)).hasMessageContaining("[0, 1), is 1.0");
        assertRefused(b -> b.optDropout(Double.NaN)).hasMessageContaining("NaN");
        assertRefused(b -> b.optRankPattern(Map.of("q", -1))).hasMessageContaining("rank of q");
        assertRefused(b -> b.optAlphaPattern(Map.of("q", 0.))).hasMessageContaining("alpha of q");
        assertRefused(b -> b.optRankPattern(Map.of("(", 1))).hasMessageContaining("\"(\"");
        assertRefused(b -> b.optTargetPattern("[")).hasMessageContaining("\"[\"");
        assertRefused(b -> b.optTargetModules()).hasMessageContaining("no target modules");
        assertRefused(b -> b.optTargetModules("q", " ")).hasMessageContaining("blank");
        assertRefused(b -> b.optModulesToSave("")).hasMessageContaining("blank");
        assertRefused(b -> b.optTargetPattern(".*q").optLayersToTransform(1))
                .hasMessageContaining("needs target names");
        assertRefused(b -> b.optLayersPattern("h")).hasMessageContaining("layersToTransform");
        assertRefused(b -> b.optLayersToTransform(-1)).hasMessageContaining("counted from 0");
    }

    private static AbstractThrowableAssert<?, ? extends Throwable> assertRefused(
            UnaryOperator<LoraConfig.Builder> change) {
        return assertThatThrownBy(() -> change.apply(LoraConfig.builder()).build())
                .isInstanceOf(IllegalArgumentException.class);
    }
}

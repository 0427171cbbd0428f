package io.github.loradjl.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;

class TargetMatcherTest {

    @Test
    void names_matchWholePartsAtTheEnd() {
        TargetMatcher matcher = TargetMatcher.names(List.of("proj", "head"));
        assertThat(matcher.matches("layers.0.proj", true)).isTrue();
        assertThat(matcher.matches("proj", true)).isTrue();
        assertThat(matcher.matches("layers.0.q_proj", true)).isFalse();
        assertThat(matcher.matches("proj.inner", true)).isFalse();
        assertThat(matcher.unmatched(List.of("layers.0.proj"))).containsExactly("head");
        assertThat(matcher.namesInFull("head")).isTrue();
        assertThat(matcher.namesInFull("layers.0.proj")).isFalse();
    }

    @Test
    void expression_matchesTheWholePath() {
        TargetMatcher matcher = TargetMatcher.expression(".*\\.[qv]_proj");
        assertThat(matcher.matches("layers.0.q_proj", true)).isTrue();
        assertThat(matcher.matches("layers.0.q_proj.inner", true)).isFalse();
        assertThat(matcher.matches("q_proj", true)).isFalse();
        assertThat(matcher.unmatched(List.of("k_proj"))).containsExactly(".*\\.[qv]_proj");
        assertThatThrownBy(() -> TargetMatcher.expression("(q"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("(q");
    }

    @ParameterizedTest
    @CsvSource({
        "layers.0.up, true, true",
        "layers.0.norm, false, false",
        "lm_head, true, false",
        "decoder.lm_head, true, false",
        "score, true, false",
        "classifier, true, false",
        "layers.0.score, true, true"
    })
    void allLinear_isAllButTheHead(String path, boolean linear, boolean matched) {
        assertThat(TargetMatcher.expression("All-Linear").matches(path, linear)).isEqualTo(matched);
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "model.layers.12.up, -, 12",
                "model.layers.12, -, -1",
                "layers.3.up, -, -1",
                "layers.3.up, layers, 3",
                "model.blocks.1.layers.2.up, layers, 2",
                "model.blocks.1.layers.2.up, -, 1",
                "model.h.4.up, layers, -1"
            })
    void layerIndex_isTheNumberOfTheLayer(String path, String pattern, int index) {
        List<String> patterns = pattern == null ? List.of() : List.of(pattern);
        assertThat(TargetMatcher.layerIndex(path, patterns)).isEqualTo(index);
    }

    @Test
    void literal_matchesThePathAlone() {
        String path = "01+a.b(c)";
        TargetMatcher matcher = TargetMatcher.expression(TargetMatcher.literal(path));
        assertThat(matcher.matches(path, true)).isTrue();
        assertThat(matcher.matches("01+a,b(c)", true)).isFalse();
    }
}

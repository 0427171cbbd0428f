package io.github.loradjl.zoo.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

class RepositoryLayoutTest {

    @Test
    void versionOrder_numbers_areOrderedBySize() {
        List<String> versions =
                new ArrayList<>(List.of("1.10", "1.9.1", "1.9", "2", "1.9-b", "1.9-a", "0.0.2"));
        versions.sort(RepositoryLayout.versionOrder());
        assertThat(versions)
                .containsExactly("0.0.2", "1.9", "1.9.1", "1.9-a", "1.9-b", "1.10", "2");
    }

    @Test
    void resolve_withinTheRepository_isTaken() throws IOException {
        assertThat(RepositoryLayout.resolve("model/a/", "1/x.zip")).isEqualTo("model/a/1/x.zip");
        assertThat(RepositoryLayout.resolve("model/a/", "../b/./x.zip")).isEqualTo("model/b/x.zip");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/etc/passwd",
                "../../../x",
                "a\\b",
                "file:///x",
                "http://x/y",
                "a%2e%2e/x",
                "a b",
                "x\u0000",
                "..",
                "c:x",
                "~/x"
            })
    void resolve_outOfTheRepository_isRefused(String path) {
        assertThatThrownBy(() -> RepositoryLayout.resolve("model/", path))
                .isInstanceOf(IOException.class);
    }

    @Test
    void names_ofFilesAndGroups_arePlain() {
        assertThat(List.of("answers", "0.0.1", "a+b_c-d", "adapter_model.safetensors"))
                .allMatch(RepositoryLayout::isName);
        assertThat(List.of("", ".", "..", ".hidden", "a/b", "a\\b", "a:b", "a b", "x.", "-x"))
                .noneMatch(RepositoryLayout::isName);
        assertThat(List.of("com.example", "a", "io.github.lora-djl"))
                .allMatch(RepositoryLayout::isGroup);
        assertThat(List.of("", "a..b", ".a", "a.", "a/b", "a b"))
                .noneMatch(RepositoryLayout::isGroup);
    }
}

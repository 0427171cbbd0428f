package io.github.loradjl.zoo.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

class HubEnvironmentTest {

    @TempDir private Path folder;

    private static HubEnvironment of(Map<String, String> variables) {
        return new HubEnvironment(variables::get);
    }

    @Test
    void everything_nothingSet_isAsInPython() {
        HubEnvironment environment = of(Map.of("HF_HOME", folder.toString()));
        assertThat(environment.endpoint()).isEqualTo("https://huggingface.co");
        assertThat(environment.cache()).isEqualTo(folder.resolve("hub"));
        assertThat(environment.token()).isNull();
        assertThat(environment.offline()).isNull();
        assertThat(environment.timeout()).isEqualTo(Duration.ofSeconds(10));
    }

    @Test
    void cache_variables_mostSpecialDecides() {
        Path home = Path.of(System.getProperty("user.home"));
        assertThat(of(Map.of()).cache()).isEqualTo(home.resolve(".cache/huggingface/hub"));
        assertThat(of(Map.of("XDG_CACHE_HOME", "/x")).cache())
                .isEqualTo(Path.of("/x/huggingface/hub").toAbsolutePath());
        assertThat(of(Map.of("XDG_CACHE_HOME", "/x", "HF_HOME", "~/h")).cache())
                .isEqualTo(home.resolve("h/hub"));
        assertThat(of(Map.of("HF_HOME", "/h", "HUGGINGFACE_HUB_CACHE", "/old")).cache())
                .isEqualTo(Path.of("/old").toAbsolutePath());
        assertThat(of(Map.of("HUGGINGFACE_HUB_CACHE", "/old", "HF_HUB_CACHE", "/c")).cache())
                .isEqualTo(Path.of("/c").toAbsolutePath());
    }

    @Test
    void token_variableOrFile_isFoundAndNeverShown() throws IOException {
        Files.writeString(folder.resolve("token"), "hf_file\n");
        HubToken file = of(Map.of("HF_HOME", folder.toString())).token();
        assertThat(file.value()).isEqualTo("hf_file");
        assertThat(file.source()).isEqualTo(folder.resolve("token").toString());
        HubToken variable =
                of(Map.of("HF_HOME", folder.toString(), "HF_TOKEN", " hf_secret\n")).token();
        assertThat(variable.value()).isEqualTo("hf_secret");
        assertThat(variable).hasToString("a token from HF_TOKEN");
        Path other = folder.resolve("other");
        Files.writeString(other, "hf_other");
        assertThat(of(Map.of("HF_TOKEN_PATH", other.toString())).token().value())
                .isEqualTo("hf_other");
        assertThat(
                        of(Map.of("HF_TOKEN", "hf_secret", "HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"))
                                .token())
                .isNull();
    }

    @Test
    void token_oddCharacters_isRefusedWithoutShowingIt() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> of(Map.of("HF_TOKEN", "hf_a\nX-Evil: b")).token())
                .withMessageContaining("HF_TOKEN")
                .withMessageNotContaining("hf_a");
    }

    @Test
    void offline_switches_areNamed() {
        assertThat(of(Map.of("HF_HUB_OFFLINE", "1")).offline()).isEqualTo("HF_HUB_OFFLINE");
        assertThat(of(Map.of("HF_HUB_OFFLINE", "0")).offline()).isNull();
        assertThat(of(Map.of("TRANSFORMERS_OFFLINE", "yes")).offline())
                .isEqualTo("TRANSFORMERS_OFFLINE");
        assertThat(of(Map.of("DJL_OFFLINE", "true")).offline()).isEqualTo("DJL_OFFLINE");
        assertThat(of(Map.of("ai.djl.offline", "true")).offline()).isEqualTo("ai.djl.offline");
    }

    @Test
    void offline_ownProperty_speaksForDjlsProperty() {
        assertThat(of(Map.of("ai.djl.offline", "true", "lora.hub.offline", "false")).offline())
                .isNull();
        assertThat(of(Map.of("lora.hub.offline", "true")).offline()).isEqualTo("lora.hub.offline");
        assertThat(of(Map.of("HF_HUB_OFFLINE", "1", "lora.hub.offline", "false")).offline())
                .isEqualTo("HF_HUB_OFFLINE");
        assertThat(of(Map.of("DJL_OFFLINE", "true", "lora.hub.offline", "false")).offline())
                .isEqualTo("DJL_OFFLINE");
    }

    @Test
    void timeout_noNumber_saysSo() {
        assertThat(of(Map.of("HF_HUB_DOWNLOAD_TIMEOUT", "3")).timeout())
                .isEqualTo(Duration.ofSeconds(3));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> of(Map.of("HF_HUB_DOWNLOAD_TIMEOUT", "soon")).timeout())
                .withMessageContaining("HF_HUB_DOWNLOAD_TIMEOUT");
    }

    @Test
    void builder_wrongEndpoint_saysWhatOneLooksLike() {
        for (String wrong :
                new String[] {
                    "huggingface.co",
                    "ftp://a",
                    "https:///x",
                    "no url",
                    "https://a/?b",
                    "https://me:secret@a",
                    "https://me:secret sign@a"
                }) {
            assertThatIllegalArgumentException()
                    .isThrownBy(
                            () -> new HubClient.Builder(of(Map.of("HF_ENDPOINT", wrong))).build())
                    .withMessageContaining("(HF_ENDPOINT) is such as https://huggingface.co")
                    .withMessageNotContaining("secret")
                    .withNoCause();
        }
    }
}

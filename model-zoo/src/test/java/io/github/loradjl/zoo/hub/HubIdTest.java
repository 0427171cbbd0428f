package io.github.loradjl.zoo.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HubIdTest {

    @ParameterizedTest
    @CsvSource({
        "a/b, a, b, main, a/b",
        "a/b@main, a, b, main, a/b",
        "hf://a/b, a, b, main, a/b",
        "hf:/a/b, a, b, main, a/b",
        "HuggingFaceTB/SmolLM2-135M@v1.0, HuggingFaceTB, SmolLM2-135M, v1.0,"
                + " HuggingFaceTB/SmolLM2-135M@v1.0",
        "a_1/b.c-d@refs/pr/4, a_1, b.c-d, refs/pr/4, a_1/b.c-d@refs/pr/4"
    })
    void parse_name_hasItsParts(
            String text, String owner, String name, String revision, String shown) {
        HubId id = HubId.parse(text);
        assertThat(id.getOwner()).isEqualTo(owner);
        assertThat(id.getName()).isEqualTo(name);
        assertThat(id.getRevision()).isEqualTo(revision);
        assertThat(id).hasToString(shown).isEqualTo(HubId.parse(shown));
        assertThat(HubId.isHubId(text)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a",
                "/a/b",
                "a/b/c",
                "./a",
                "../a",
                "a/..",
                "a/.b",
                "a--b/c",
                "a/b..c",
                "a/b.git",
                "a/b@",
                "a/b@../c",
                "a/b@/c",
                "a/b@c/",
                "a/b@c//d",
                "a/b@.c",
                "a/b@c/.d",
                "a/b@c d",
                "a/b@c\\d",
                "a/b@c:d",
                "a/b@c\u0000",
                "a/b@@{c",
                "a b/c",
                "https://a/b",
                "hf:a/b",
                "a\\b",
                "a/b@c."
            })
    void parse_noName_saysHowToWriteOne(String text) {
        assertThat(HubId.isHubId(text)).isFalse();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HubId.parse(text))
                .withMessageContaining("owner/name@revision");
    }
}

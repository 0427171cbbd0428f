package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.loradjl.testing.SharedRoot;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

class TextTokenizerTest {

    @TempDir Path folder;

    @Test
    void encode_realTexts_givesTheIdsOfTransformers() throws IOException {
        JsonObject golden = golden("smollm2");
        try (TextTokenizer tokenizer = real("SmolLM2-135M-Instruct")) {
            for (JsonElement entry : golden.getAsJsonArray("tokenizer")) {
                String text = entry.getAsJsonObject().get("text").getAsString();
                long[] ids = longs(entry.getAsJsonObject().get("ids"));
                assertThat(tokenizer.encode(text)).as(text).containsExactly(ids);
                assertThat(tokenizer.decode(ids)).isEqualTo(text);
            }
            for (JsonElement entry : golden.getAsJsonArray("greedy")) {
                assertThat(tokenizer.decode(longs(entry.getAsJsonObject().get("ids")), false))
                        .isEqualTo(entry.getAsJsonObject().get("text").getAsString());
            }
            assertThat(tokenizer.getVocabularySize()).isEqualTo(49152);
            assertThat(tokenizer.getBosId()).hasValue(1);
            assertThat(tokenizer.getEosId()).hasValue(2);
            assertThat(tokenizer.getPadId()).hasValue(2);
            assertThat(tokenizer.getEndIds()).containsExactly(2L);
            assertThat(tokenizer.getModelMaxLength()).hasValue(8192);
            assertThat(tokenizer.getId("<|im_start|>")).hasValue(1);
        }
    }

    @Test
    void encode_longText_isNotCut() throws IOException {
        JsonObject golden = golden("stories260K");
        String text = Files.readString(SharedRoot.require("data/text/tinystories-sample.txt"));
        try (TextTokenizer tokenizer = real("stories260K")) {
            long[] ids = tokenizer.encode(text.substring(0, 3000));
            assertThat(Arrays.copyOf(ids, 512)).containsExactly(longs(golden.get("ids")));
            assertThat(ids.length).isGreaterThan(512);
            assertThat(tokenizer.decode(ids)).isEqualTo(text.substring(0, 3000));
            assertThat(tokenizer.decode(longs(golden.get("greedy")), false))
                    .isEqualTo(golden.get("greedy_text").getAsString());
            assertThat(tokenizer.encode("", false)).isEmpty();
            assertThat(tokenizer.encode("")).containsExactly(1);
            assertThat(tokenizer.getPadId()).isEmpty();
        }
    }

    @Test
    void load_unigramWithAddedTokens_countsThem() throws IOException {
        try (TextTokenizer tokenizer = real("tiny-t5")) {
            assertThat(tokenizer.getVocabularySize()).isEqualTo(4100);
            assertThat(tokenizer.getPadId()).hasValue(0);
            assertThat(tokenizer.getId("<extra_id_99>")).hasValue(4000);
        }
    }

    @Test
    void load_tokensAsObjectsAndEndlessLength_areUnderstood() throws IOException {
        write(
                "tokenizer_config.json",
                "{\"bos_token\": {\"content\": \"<s>\", \"lstrip\": false},"
                        + " \"eos_token\": {\"content\": \"</s>\"}, \"pad_token\": null,"
                        + " \"model_max_length\": 1000000000000000019884624838656}");
        write("config.json", "{\"eos_token_id\": [2, 3], \"pad_token_id\": 0}");
        write("generation_config.json", "{\"eos_token_id\": 4}");
        try (TextTokenizer tokenizer = words()) {
            assertThat(tokenizer.getBosId()).hasValue(1);
            assertThat(tokenizer.getEosId()).hasValue(2);
            assertThat(tokenizer.getPadId()).hasValue(0);
            assertThat(tokenizer.getEndIds()).containsExactly(2L, 3L, 4L);
            assertThat(tokenizer.getModelMaxLength()).isEmpty();
        }
    }

    @Test
    void encode_storedTruncationAndPadding_areIgnored() throws IOException {
        try (TextTokenizer tokenizer = words()) {
            assertThat(tokenizer.encode("a b a b a b")).hasSize(6);
            assertThat(tokenizer.encode("a")).hasSize(1);
        }
    }

    @Test
    void decode_idOutsideTheVocabulary_isNamed() throws IOException {
        try (TextTokenizer tokenizer = words()) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> tokenizer.decode(3, 7))
                    .withMessageContainingAll("7", "position 1", "5 tokens");
            assertThatIllegalArgumentException().isThrownBy(() -> tokenizer.decode(-1));
            assertThat(tokenizer.decode()).isEmpty();
        }
    }

    @Test
    void decode_specialTokens_areKeptOnRequest() throws IOException {
        try (TextTokenizer tokenizer = words()) {
            assertThat(tokenizer.decode(1, 3, 4, 2)).isEqualTo("a b");
            assertThat(tokenizer.decode(new long[] {1, 3, 4, 2}, false)).isEqualTo("<s> a b </s>");
        }
    }

    @Test
    void encode_manyThreads_agree() throws IOException {
        try (TextTokenizer tokenizer = words()) {
            List<String> texts =
                    IntStream.range(0, 2000)
                            .parallel()
                            .mapToObj(i -> tokenizer.decode(tokenizer.encode("a b ".repeat(i % 9))))
                            .toList();
            for (int i = 0; i < texts.size(); i++) {
                assertThat(texts.get(i)).isEqualTo("a b ".repeat(i % 9).strip());
            }
        }
    }

    @Test
    void encode_brokenSurrogateAndZero_doNotFail() throws IOException {
        try (TextTokenizer tokenizer = real("SmolLM2-135M-Instruct")) {
            assertThat(tokenizer.encode("a\ud83d b")).isNotEmpty();
            assertThat(tokenizer.decode(tokenizer.encode("a\u0000b"))).isEqualTo("a\u0000b");
        }
    }

    @Test
    void load_missingOrMalformedFile_namesItAndTheRemedy() throws IOException {
        assertThatThrownBy(() -> TextTokenizer.load(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(folder.toString(), "tokenizer.json", "AutoTokenizer");
        write("tokenizer.json", "{\"model\": ");
        assertThatThrownBy(() -> TextTokenizer.load(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("tokenizer.json");
        write("tokenizer.json", "{\"model\": {\"type\": \"Nonsense\", \"vocab\": {\"a\": 0}}}");
        assertThatThrownBy(() -> TextTokenizer.load(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("tokenizer.json");
        write("tokenizer_config.json", "{\"eos_token\": \"<end>\"}");
        assertThatThrownBy(this::words)
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("<end>", "eos_token");
        write("tokenizer_config.json", "[]");
        assertThatThrownBy(this::words)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("tokenizer_config.json");
    }

    private TextTokenizer words() throws IOException {
        WordTokenizer.write(folder);
        return TextTokenizer.load(folder);
    }

    private void write(String name, String json) throws IOException {
        Files.writeString(folder.resolve(name), json);
    }

    private static TextTokenizer real(String checkpoint) throws IOException {
        return TextTokenizer.load(SharedRoot.require("checkpoints/" + checkpoint));
    }

    private static JsonObject golden(String name) throws IOException {
        Path file = SharedRoot.require("golden/" + name + "/golden.json");
        return JsonParser.parseString(Files.readString(file)).getAsJsonObject();
    }

    private static long[] longs(JsonElement array) {
        return StreamSupport.stream(array.getAsJsonArray().spliterator(), false)
                .mapToLong(JsonElement::getAsLong)
                .toArray();
    }
}

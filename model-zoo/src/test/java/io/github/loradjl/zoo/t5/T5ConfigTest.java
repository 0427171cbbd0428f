package io.github.loradjl.zoo.t5;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

class T5ConfigTest {

    @TempDir private Path folder;

    private static JsonObject smallest() {
        return JsonParser.parseString(
                        "{'model_type':'t5','vocab_size':40,'d_model':32,'d_kv':8,'d_ff':48,"
                                + "'num_layers':2,'num_heads':4}")
                .getAsJsonObject();
    }

    private static T5Config parse(JsonObject json) {
        return T5Config.parse(json.toString());
    }

    private static T5Config parse(String key, String value) {
        JsonObject json = smallest();
        json.add(key, JsonParser.parseString(value));
        return parse(json);
    }

    @ParameterizedTest
    @ValueSource(strings = {"vocab_size", "d_model", "d_kv", "d_ff", "num_layers", "num_heads"})
    void parse_missingKey_isNamed(String key) {
        JsonObject json = smallest();
        json.remove(key);
        assertThatThrownBy(() -> parse(json))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"" + key + "\"");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "model_type | \"bart\" | bart",
                "quantization_config | {\"bits\":4} | quantization_config",
                "architectures | [\"T5EncoderModel\"] | T5EncoderModel",
                "is_encoder_decoder | false | is_encoder_decoder",
                "feed_forward_proj | \"gated-silu\" | gated-silu",
                "dense_act_fn | \"gelu\" | dense_act_fn",
                "is_gated_act | true | is_gated_act",
                "hidden_size | 64 | hidden_size that differs from d_model",
                "head_dim | 16 | head_dim that differs from d_kv",
                "num_hidden_layers | 3 | num_hidden_layers that differs from num_layers",
                "num_attention_heads | 2 | num_attention_heads that differs from num_heads",
                "relative_attention_num_buckets | 30 | relative_attention_num_buckets",
                "relative_attention_max_distance | 16 | relative_attention_max_distance",
                "dropout_rate | 1 | dropout_rate",
                "pad_token_id | 40 | pad_token_id",
                "tie_word_embeddings | 1 | tie_word_embeddings",
                "scale_decoder_outputs | \"no\" | scale_decoder_outputs",
            })
    void parse_unsupportedValue_isRefusedByName(String key, String value, String named) {
        assertThatThrownBy(() -> parse(key, value))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(named);
    }

    @Test
    void parse_defaults_areThoseOfTransformers() {
        T5Config config = parse(smallest());
        assertThat(config.isGated()).isFalse();
        assertThat(config.isTied()).isTrue();
        assertThat(config.isScaled()).isTrue();
        assertThat(config.getDecoderLayers()).isEqualTo(2);
        assertThat(config.getBuckets()).isEqualTo(32);
        assertThat(config.getMaxDistance()).isEqualTo(128);
        assertThat(config.getNormEpsilon()).isEqualTo(1e-6f);
        assertThat(config.getDropout()).isEqualTo(0.1f);
        assertThat(config.getPadToken()).isZero();
        assertThat(config.getEndTokens()).containsExactly(1L);
        assertThat(parse("eos_token_id", "null").getEndTokens()).isEmpty();
    }

    /** The words of the published configurations: of T5, of T5 v1.1, Flan-T5 and ByT5, of mT5. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{} | false | true | true",
                "{'feed_forward_proj':'gated-gelu','tie_word_embeddings':false} | true | false"
                        + " | false",
                "{'model_type':'mt5','feed_forward_proj':'gated-gelu',"
                        + "'tie_word_embeddings':false} | true | false | false",
            })
    void parse_publishedModels(String keys, boolean gated, boolean tied, boolean scaled) {
        JsonObject json = smallest();
        JsonParser.parseString(keys).getAsJsonObject().asMap().forEach(json::add);
        T5Config config = parse(json);
        assertThat(config.isGated()).isEqualTo(gated);
        assertThat(config.isTied()).isEqualTo(tied);
        assertThat(config.isScaled()).isEqualTo(scaled);
    }

    @Test
    void read_withoutWeights_believesTheConfiguration() throws IOException {
        Files.writeString(folder.resolve("config.json"), smallest().toString());
        assertThat(T5Config.read(folder).isTied()).isTrue();
        JsonObject json = smallest();
        json.addProperty("tie_word_embeddings", false);
        Files.writeString(folder.resolve("config.json"), json.toString());
        assertThat(T5Config.read(folder).isTied()).isFalse();
    }

    @Test
    void read_endTokens_comeFromGenerationConfigFirst() throws IOException {
        Files.writeString(folder.resolve("config.json"), smallest().toString());
        assertThat(T5Config.read(folder).getEndTokens()).containsExactly(1L);
        Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [7, 3]}");
        T5Config config = T5Config.read(folder);
        assertThat(config.getEndTokens()).containsExactly(7L, 3L);
        assertThat(config.toJson().get("eos_token_id").toString()).isEqualTo("[7,3]");
        assertThat(config.toJson().get("architectures").toString())
                .isEqualTo("[\"T5ForConditionalGeneration\"]");
    }
}

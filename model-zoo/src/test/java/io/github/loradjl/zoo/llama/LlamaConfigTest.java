package io.github.loradjl.zoo.llama;

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

class LlamaConfigTest {

    @TempDir private Path folder;

    static JsonObject smallest() {
        return JsonParser.parseString(
                        "{'model_type':'llama','vocab_size':40,'hidden_size':32,"
                                + "'intermediate_size':48,'num_hidden_layers':2,"
                                + "'num_attention_heads':4,'max_position_embeddings':64,"
                                + "'eos_token_id':2}")
                .getAsJsonObject();
    }

    private static LlamaConfig parse(JsonObject json) {
        return LlamaConfig.parse(json.toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "vocab_size",
                "hidden_size",
                "intermediate_size",
                "num_hidden_layers",
                "num_attention_heads",
                "max_position_embeddings"
            })
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
                "model_type | \"gemma\" | gemma",
                "quantization_config | {\"bits\":4} | quantization_config",
                "hidden_act | \"gelu\" | gelu",
                "attention_dropout | 0.1 | attention_dropout",
                "partial_rotary_factor | 0.5 | partial_rotary_factor",
                "rope_interleaved | true | rope_interleaved",
                "architectures | [\"LlamaForSequenceClassification\"] | SequenceClassification",
                "layer_types | [\"sliding_attention\"] | sliding_attention",
                "rope_scaling | {\"type\":\"yarn\",\"factor\":2} | yarn",
                "rope_scaling | {\"type\":\"linear\"} | factor",
                "rope_scaling | {\"type\":\"linear\",\"factor\":2,\"truncate\":1} | truncate",
                "rope_parameters | {\"full_attention\":{}} | full_attention",
                "num_key_value_heads | 3 | num_key_value_heads",
                "num_attention_heads | 5 | hidden_size",
                "vocab_size | -1 | vocab_size",
                "vocab_size | \"many\" | vocab_size",
                "head_dim | 7 | head_dim",
                "tie_word_embeddings | 1 | tie_word_embeddings",
            })
    void parse_unsupportedValue_isRefusedByName(String key, String value, String named) {
        JsonObject json = smallest();
        json.add(key, JsonParser.parseString(value));
        assertThatThrownBy(() -> parse(json))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(named);
    }

    @Test
    void parse_defaults_areThoseOfTransformers() {
        LlamaConfig config = parse(smallest());
        assertThat(config.getKeyValueHeads()).isEqualTo(4);
        assertThat(config.getHeadSize()).isEqualTo(8);
        assertThat(config.isTied()).isFalse();
        assertThat(config.getNormEpsilon()).isEqualTo(1e-6f);
        assertThat(config.getRope().theta()).isEqualTo(10000);
        assertThat(config.getMaxInputLength()).isEqualTo(Integer.MAX_VALUE);
        assertThat(config.getEndTokens()).containsExactly(2L);
    }

    @Test
    void parse_windowOfMistral_isNoneOnlyIfWrittenAsNull() {
        JsonObject json = smallest();
        json.addProperty("model_type", "mistral");
        json.addProperty("num_key_value_heads", 2);
        assertThat(parse(json).getMaxInputLength()).isEqualTo(4096);
        json.add("sliding_window", null);
        assertThat(parse(json).getMaxInputLength()).isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void parse_windowOfQwen2_countsOnlyIfUsed() {
        JsonObject json = smallest();
        json.addProperty("model_type", "qwen2");
        json.addProperty("num_key_value_heads", 2);
        json.addProperty("sliding_window", 32);
        assertThat(parse(json).getMaxInputLength()).isEqualTo(Integer.MAX_VALUE);
        json.addProperty("use_sliding_window", true);
        assertThat(parse(json).getMaxInputLength()).isEqualTo(32);
    }

    @Test
    void read_endTokens_comeFromGenerationConfigFirst() throws IOException {
        Files.writeString(folder.resolve("config.json"), smallest().toString());
        assertThat(LlamaConfig.read(folder).getEndTokens()).containsExactly(2L);
        Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [7, 3]}");
        LlamaConfig config = LlamaConfig.read(folder);
        assertThat(config.getEndTokens()).containsExactly(7L, 3L);
        assertThat(config.toJson().get("eos_token_id").toString()).isEqualTo("[7,3]");
    }

    @Test
    void read_wrongFolder_isNamed() throws IOException {
        assertThatThrownBy(() -> LlamaConfig.read(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(folder.toString())
                .hasMessageContaining("config.json");
        Files.writeString(folder.resolve("config.json"), "[1");
        assertThatThrownBy(() -> LlamaConfig.read(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("config.json is not a JSON object");
    }
}

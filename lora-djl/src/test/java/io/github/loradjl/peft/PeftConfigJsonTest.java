package io.github.loradjl.peft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonParser;
import io.github.loradjl.LoraConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.util.Map;

class PeftConfigJsonTest {

    @Test
    void read_leastConfiguration_takesPeftsDefaults() throws Exception {
        LoraConfig config = read("{'peft_type':'LORA','target_modules':['q_proj']}");
        assertThat(config.getRank()).isEqualTo(8);
        assertThat(config.getAlpha()).isEqualTo(8);
        assertThat(config.getDropout()).isZero();
        assertThat(config.isRankStabilized()).isFalse();
        assertThat(config.getBias()).isEqualTo(LoraConfig.Bias.NONE);
        assertThat(config.getModulesToSave()).isEmpty();
    }

    @Test
    void read_everySupportedKey_isTakenOver() throws Exception {
        LoraConfig config =
                read(
                        "{'peft_type':'LORA','target_modules':['q','v'],'exclude_modules':'.*x',"
                                + "'r':4,'lora_alpha':2.5,'lora_dropout':0.5,'use_rslora':true,"
                                + "'rank_pattern':{'q':2},'alpha_pattern':{'v':7},"
                                + "'modules_to_save':['head'],'bias':'lora_only',"
                                + "'layers_to_transform':3,'layers_pattern':'layers',"
                                + "'use_dora':false,'loftq_config':{},'new_key':1}");
        assertThat(config.getTargets().getNames()).containsExactly("q", "v");
        assertThat(config.getExcludes().getExpression()).isEqualTo(".*x");
        assertThat(config.getRank()).isEqualTo(4);
        assertThat(config.getAlpha()).isEqualTo(2.5);
        assertThat(config.getDropout()).isEqualTo(.5);
        assertThat(config.isRankStabilized()).isTrue();
        assertThat(config.getRankPattern()).isEqualTo(Map.of("q", 2));
        assertThat(config.getAlphaPattern()).isEqualTo(Map.of("v", 7.0));
        assertThat(config.getModulesToSave()).containsExactly("head");
        assertThat(config.getBias()).isEqualTo(LoraConfig.Bias.LORA_ONLY);
        assertThat(config.getLayersToTransform()).containsExactly(3);
        assertThat(config.getLayersPattern()).containsExactly("layers");
    }

    @Test
    void read_stringTargets_areAnExpressionOrAllLinear() throws Exception {
        LoraConfig config = read("{'peft_type':'LORA','target_modules':'(?P<a>q)_(?P=a)'}");
        assertThat(config.getTargets().matches("q_q", true)).isTrue();
        assertThat(config.getTargets().matches("x.q_q", true)).isFalse();
        assertThat(
                        read("{'peft_type':'LORA','target_modules':'all-linear'}")
                                .getTargets()
                                .isAllLinear())
                .isTrue();
    }

    @Test
    void write_thenRead_givesTheSameConfiguration() throws Exception {
        LoraConfig config =
                LoraConfig.builder()
                        .optTargetPattern(".*\\.q_proj")
                        .optExcludeModules("layers.3.q_proj")
                        .optRank(5)
                        .optAlpha(1.25)
                        .optBias(LoraConfig.Bias.ALL)
                        .optModulesToSave("head")
                        .build();
        String json =
                PeftConfigJson.toString(
                        PeftConfigJson.write(config, SaveOptions.builder().build()));
        LoraConfig back = PeftConfigJson.read(JsonParser.parseString(json).getAsJsonObject(), "f");
        assertThat(back.getTargets().getExpression()).isEqualTo(".*\\.q_proj");
        assertThat(back.getExcludes().getNames()).containsExactly("layers.3.q_proj");
        assertThat(back.getRank()).isEqualTo(5);
        assertThat(back.getAlpha()).isEqualTo(1.25);
        assertThat(back.getBias()).isEqualTo(LoraConfig.Bias.ALL);
        assertThat(back.getModulesToSave()).containsExactly("head");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'use_dora':true|use_dora",
                "'lora_bias':true|lora_bias",
                "'target_parameters':['w']|target_parameters",
                "'trainable_token_indices':[1]|trainable_token_indices",
                "'layer_replication':[[0,2]]|layer_replication",
                "'alora_invocation_tokens':[5]|alora_invocation_tokens",
                "'megatron_config':{'a':1}|megatron_config",
                "'use_qalora':true|use_qalora",
                "'fan_in_fan_out':true|fan_in_fan_out",
                "'loftq_config':{'loftq_bits':4}|loftq_config",
                "'init_lora_weights':'pissa_niter_4'|pissa_niter_4",
                "'init_lora_weights':'lora_ga'|lora_ga",
                "'r':0|rank",
                "'r':2.5|r 2.5",
                "'r':'8'|r \"8\"",
                "'bias':'some'|bias some",
                "'use_rslora':1|use_rslora",
                "'rank_pattern':{'q':1.5}|rank_pattern",
                "'layers_to_transform':['a']|layers_to_transform",
                "'modules_to_save':[1]|modules_to_save",
                "'peft_type':'LOHA'|LOHA",
                "'target_modules':null|target_modules",
                "'target_modules':'('|pattern",
            })
    void read_unsupportedValue_isRefusedByName(String change, String named) {
        String key = change.substring(0, change.indexOf(':'));
        StringBuilder json = new StringBuilder("{" + change);
        if (!"'peft_type'".equals(key)) {
            json.append(",'peft_type':'LORA'");
        }
        if (!"'target_modules'".equals(key)) {
            json.append(",'target_modules':['q']");
        }
        assertThatThrownBy(() -> read(json + "}"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("the file")
                .hasMessageContaining(named);
    }

    private static LoraConfig read(String json) throws IOException {
        return PeftConfigJson.read(
                JsonParser.parseString(json.replace('\'', '"')).getAsJsonObject(), "the file");
    }
}

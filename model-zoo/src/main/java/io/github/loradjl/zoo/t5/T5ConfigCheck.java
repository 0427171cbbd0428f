package io.github.loradjl.zoo.t5;

import io.github.loradjl.zoo.block.ConfigReader;

import java.util.Map;
import java.util.Set;

/** Refuses what this code would not compute as the original does, by name. */
final class T5ConfigCheck {

    private static final Set<String> ARCHITECTURES =
            Set.of(
                    "T5ForConditionalGeneration",
                    "T5WithLMHeadModel",
                    "MT5ForConditionalGeneration");

    // Transformers reads them too, and the last one in the file wins.
    private static final Map<String, String> OTHER_NAMES =
            Map.of(
                    "hidden_size", "d_model",
                    "head_dim", "d_kv",
                    "num_attention_heads", "num_heads",
                    "num_hidden_layers", "num_layers");

    private T5ConfigCheck() {}

    static void check(ConfigReader config, String modelType) {
        if (!T5Config.MODEL_TYPES.contains(modelType)) {
            throw ConfigReader.unsupported(
                    "model_type \"" + modelType + "\"", "t5 and mt5 are read here");
        }
        for (String architecture : config.texts("architectures")) {
            if (!ARCHITECTURES.contains(architecture)) {
                throw ConfigReader.unsupported(
                        "architecture " + architecture, "T5ForConditionalGeneration is");
            }
        }
        if (config.has("quantization_config")) {
            throw ConfigReader.unsupported(
                    "quantization_config", "float32, float16 and bfloat16 weights are");
        }
        if (!config.flag("is_encoder_decoder", true)) {
            throw ConfigReader.unsupported(
                    "is_encoder_decoder false", "an encoder with a decoder is");
        }
        OTHER_NAMES.forEach(
                (other, name) -> {
                    if (config.has(other)
                            && config.has(name)
                            && config.number(other, 0) != config.number(name, 0)) {
                        throw ConfigReader.unsupported(
                                other + " that differs from " + name, name + " alone is");
                    }
                });
    }

    /** The encoder splits the buckets into two halves, and each half into near and far. */
    static void checkBuckets(int buckets, int maxDistance) {
        if (buckets % 4 != 0) {
            throw ConfigReader.unsupported(
                    "relative_attention_num_buckets " + buckets, "multiples of 4 are");
        }
        if (maxDistance <= buckets / 2) {
            throw new IllegalArgumentException(
                    "relative_attention_max_distance "
                            + maxDistance
                            + " in config.json must be larger than half of"
                            + " relative_attention_num_buckets "
                            + buckets);
        }
    }
}

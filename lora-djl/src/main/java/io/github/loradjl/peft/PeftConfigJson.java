package io.github.loradjl.peft;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.github.loradjl.LoraConfig;
import io.github.loradjl.adapter.TargetMatcher;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Writes a configuration as the JSON of PEFT 0.21 and reads such JSON.
 *
 * <p>PEFT writes every field it knows; so does this class, with PEFT's defaults for what it has no
 * use for. It reads with PEFT's defaults, which are not ours (alpha is 8 there).
 */
final class PeftConfigJson {

    private static final Logger logger = LoggerFactory.getLogger(PeftConfigJson.class);

    /** The version whose format this is. */
    private static final String PEFT_VERSION = "0.21.0";

    private static final Gson GSON =
            new GsonBuilder().setPrettyPrinting().serializeNulls().disableHtmlEscaping().create();

    /** What another value than the default would make of the adapter, by key. */
    private static final Map<String, String> UNSUPPORTED =
            Map.ofEntries(
                    Map.entry("use_dora", "DoRA"),
                    Map.entry("lora_bias", "a bias on B"),
                    Map.entry("target_parameters", "adapted bare parameters"),
                    Map.entry("trainable_token_indices", "trained embedding rows"),
                    Map.entry("layer_replication", "replicated layers"),
                    Map.entry("alora_invocation_tokens", "activated LoRA"),
                    Map.entry("megatron_config", "Megatron layers"),
                    Map.entry("use_qalora", "QALoRA"),
                    Map.entry("fan_in_fan_out", "weights stored as (in, out)"),
                    Map.entry("loftq_config", "LoftQ"),
                    Map.entry("corda_config", "CorDA"),
                    Map.entry("kasa_config", "KaSA"),
                    Map.entry("monteclora_config", "MonteCLoRA"),
                    Map.entry("velora_config", "VeLoRA"),
                    Map.entry("arrow_config", "Arrow"),
                    Map.entry("use_bdlora", "BD-LoRA"),
                    Map.entry("ensure_weight_tying", "tied adapters"));

    private static final Set<String> KNOWN =
            Set.of(
                    "alpha_pattern",
                    "auto_mapping",
                    "base_model_name_or_path",
                    "bias",
                    "eva_config",
                    "exclude_modules",
                    "inference_mode",
                    "init_lora_weights",
                    "layers_pattern",
                    "layers_to_transform",
                    "lora_alpha",
                    "lora_dropout",
                    "lora_ga_config",
                    "megatron_core",
                    "modules_to_save",
                    "peft_type",
                    "peft_version",
                    "qalora_group_size",
                    "r",
                    "rank_pattern",
                    "revision",
                    "runtime_config",
                    "target_modules",
                    "task_type",
                    "use_rslora");

    /** Starts whose weights PEFT takes relative to a base that it changed. */
    private static final Set<String> CHANGED_BASE =
            Set.of("pissa", "olora", "corda", "loftq", "lora_ga");

    private PeftConfigJson() {}

    static String toString(JsonElement json) {
        return GSON.toJson(json) + "\n";
    }

    static JsonObject write(LoraConfig config, SaveOptions options) {
        Map<String, JsonElement> values = new TreeMap<>();
        UNSUPPORTED.keySet().forEach(key -> values.put(key, JsonNull.INSTANCE));
        KNOWN.forEach(key -> values.put(key, JsonNull.INSTANCE));
        values.remove("runtime_config");
        for (String key :
                List.of(
                        "use_dora",
                        "lora_bias",
                        "use_qalora",
                        "fan_in_fan_out",
                        "ensure_weight_tying")) {
            values.put(key, new JsonPrimitive(false));
        }
        values.put("loftq_config", new JsonObject());
        values.put("megatron_core", new JsonPrimitive("megatron.core"));
        values.put("qalora_group_size", new JsonPrimitive(16));
        values.put("inference_mode", new JsonPrimitive(true));
        values.put("peft_type", new JsonPrimitive("LORA"));
        values.put("peft_version", new JsonPrimitive(PEFT_VERSION));
        // Any reader fills A and B from the file; a start with a name could change its base.
        values.put("init_lora_weights", new JsonPrimitive(true));
        values.put("base_model_name_or_path", text(options.getBaseModel()));
        values.put("revision", text(options.getBaseRevision()));
        values.put("task_type", text(options.getTaskType()));

        values.put("r", new JsonPrimitive(config.getRank()));
        values.put("lora_alpha", number(config.getAlpha()));
        values.put("lora_dropout", new JsonPrimitive(config.getDropout()));
        values.put("use_rslora", new JsonPrimitive(config.isRankStabilized()));
        values.put("bias", new JsonPrimitive(config.getBias().name().toLowerCase(Locale.ROOT)));
        values.put("rank_pattern", pattern(config.getRankPattern()));
        values.put("alpha_pattern", pattern(config.getAlphaPattern()));
        values.put("target_modules", modules(config.getTargets()));
        if (config.getExcludes() != null && !isEmpty(config.getExcludes())) {
            values.put("exclude_modules", modules(config.getExcludes()));
        }
        if (!config.getModulesToSave().isEmpty()) {
            values.put("modules_to_save", GSON.toJsonTree(config.getModulesToSave()));
        }
        if (!config.getLayersToTransform().isEmpty()) {
            values.put("layers_to_transform", GSON.toJsonTree(config.getLayersToTransform()));
        }
        if (!config.getLayersPattern().isEmpty()) {
            values.put("layers_pattern", GSON.toJsonTree(config.getLayersPattern()));
        }
        JsonObject json = new JsonObject();
        values.forEach(json::add);
        return json;
    }

    private static JsonElement text(String value) {
        return value == null ? JsonNull.INSTANCE : new JsonPrimitive(value);
    }

    /** PEFT declares alpha as an integer, so it gets one where it can be. */
    private static JsonPrimitive number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? new JsonPrimitive((long) value)
                : new JsonPrimitive(value);
    }

    private static JsonObject pattern(Map<String, ? extends Number> values) {
        JsonObject json = new JsonObject();
        values.forEach((key, value) -> json.add(key, number(value.doubleValue())));
        return json;
    }

    private static boolean isEmpty(TargetMatcher matcher) {
        return matcher.getExpression() == null && matcher.getNames().isEmpty();
    }

    private static JsonElement modules(TargetMatcher matcher) {
        return matcher.getExpression() != null
                ? new JsonPrimitive(matcher.getExpression())
                : GSON.toJsonTree(matcher.getNames());
    }

    /**
     * Reads a configuration.
     *
     * @param json the parsed file
     * @param file its path, for messages
     * @throws IOException if a value is malformed or asks for something this library cannot do
     */
    static LoraConfig read(JsonObject json, Object file) throws IOException {
        JsonReading in = new JsonReading(json, file);
        String type = in.text("peft_type", null);
        if (type == null) {
            throw in.error("has no peft_type; it is not the configuration of a PEFT adapter");
        }
        if (!"LORA".equals(type)) {
            throw in.error("is an adapter of type " + type + "; only LORA can be loaded");
        }
        refuseUnsupported(json, in);
        refuseChangedBase(json, in);
        try {
            LoraConfig.Builder builder =
                    LoraConfig.builder()
                            .optRank(in.integer("r", 8))
                            .optAlpha(in.number("lora_alpha", 8))
                            .optDropout(in.number("lora_dropout", 0))
                            .optRankStabilized(in.flag("use_rslora"))
                            .optRankPattern(ranks(in.numbers("rank_pattern")))
                            .optAlphaPattern(in.numbers("alpha_pattern"))
                            .optModulesToSave(in.texts("modules_to_save"))
                            .optLayersToTransform(in.integers("layers_to_transform"))
                            .optLayersPattern(in.texts("layers_pattern"))
                            .optBias(bias(in));
            if (in.isText("target_modules")) {
                builder.optTargetPattern(javaExpression(in.text("target_modules", null)));
            } else if (in.texts("target_modules").length > 0) {
                builder.optTargetModules(in.texts("target_modules"));
            } else {
                throw in.error("names no target_modules; write the adapted layers into it");
            }
            if (in.isText("exclude_modules")) {
                builder.optExcludePattern(javaExpression(in.text("exclude_modules", null)));
            } else if (in.texts("exclude_modules").length > 0) {
                builder.optExcludeModules(in.texts("exclude_modules"));
            }
            return builder.build();
        } catch (IllegalArgumentException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    private static void refuseUnsupported(JsonObject json, JsonReading in) throws IOException {
        List<String> unknown = new ArrayList<>();
        for (String key : json.keySet()) {
            if (UNSUPPORTED.containsKey(key) && !in.isOff(key)) {
                throw in.error(
                        "sets " + key + " (" + UNSUPPORTED.get(key) + "), which is not supported");
            }
            if (!UNSUPPORTED.containsKey(key) && !KNOWN.contains(key)) {
                unknown.add(key);
            }
        }
        if (!unknown.isEmpty()) {
            logger.warn("{}: the unknown keys {} are ignored", in.file(), unknown);
        }
    }

    private static void refuseChangedBase(JsonObject json, JsonReading in) throws IOException {
        if (!in.isText("init_lora_weights")) {
            return;
        }
        String init = in.text("init_lora_weights", null).toLowerCase(Locale.ROOT);
        String kind = init.startsWith("pissa") ? "pissa" : init;
        if (CHANGED_BASE.contains(kind)) {
            throw in.error(
                    "has init_lora_weights "
                            + init
                            + ": its tensors belong to a base that PEFT changed; save it with"
                            + " path_initial_model_for_weight_conversion, which converts it for"
                            + " the untouched base");
        }
    }

    private static Map<String, Integer> ranks(Map<String, Double> values) {
        Map<String, Integer> result = new LinkedHashMap<>();
        values.forEach(
                (key, value) -> {
                    if (value != Math.rint(value) || Math.abs(value) > Integer.MAX_VALUE) {
                        throw new IllegalArgumentException(
                                "rank_pattern gives " + key + " the rank " + value);
                    }
                    result.put(key, value.intValue());
                });
        return result;
    }

    private static LoraConfig.Bias bias(JsonReading in) throws IOException {
        String value = in.text("bias", "none");
        for (LoraConfig.Bias bias : LoraConfig.Bias.values()) {
            if (bias.name().equalsIgnoreCase(value)) {
                return bias;
            }
        }
        throw in.error("has bias " + value + "; known are none, all and lora_only");
    }

    /** Named groups are the one thing in these expressions that Python spells differently. */
    private static String javaExpression(String python) {
        return python.replace("(?P<", "(?<").replaceAll("\\(\\?P=(\\w+)\\)", "\\\\k<$1>");
    }
}

package io.github.loradjl.zoo.llama;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.github.loradjl.zoo.block.ConfigReader;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The shape of a LLaMA model, as a Hugging Face folder's {@code config.json} gives it.
 *
 * <p>Mistral and Qwen2 are the same blocks with other settings: Mistral may see only a window of
 * the last positions, Qwen2 has biases on the projections into attention. Whatever this code would
 * not compute as the original does is refused by name: other model types, quantised weights, other
 * rotary types, activations other than SiLU, dropout in attention.
 */
public final class LlamaConfig {

    private static final Set<String> MODEL_TYPES = Set.of("llama", "mistral", "qwen2");

    private final JsonObject json;
    private final String modelType;
    private final int vocabularySize;
    private final int hiddenSize;
    private final int intermediateSize;
    private final int layers;
    private final int heads;
    private final int keyValueHeads;
    private final int headSize;
    private final int maxPositions;
    private final int window;
    private final float normEpsilon;
    private final float initializerRange;
    private final boolean inputBias;
    private final boolean outputBias;
    private final boolean mlpBias;
    private final boolean tied;
    private final Rope rope;
    private final Set<Long> endTokens;

    private LlamaConfig(JsonObject json, List<Long> generationEndTokens) {
        this.json = json;
        ConfigReader config = new ConfigReader(json);
        modelType = config.text("model_type", "(none)");
        refuse(config);
        vocabularySize = config.positive("vocab_size");
        hiddenSize = config.positive("hidden_size");
        intermediateSize = config.positive("intermediate_size");
        layers = config.layers("num_hidden_layers");
        heads = config.positive("num_attention_heads");
        maxPositions = config.positive("max_position_embeddings");
        boolean llama = "llama".equals(modelType);
        boolean qwen = "qwen2".equals(modelType);
        // Only LLaMA's own default is independent of the size of the model.
        keyValueHeads =
                llama
                        ? config.positive("num_key_value_heads", heads)
                        : config.positive("num_key_value_heads");
        if (heads % keyValueHeads != 0) {
            throw new IllegalArgumentException(
                    "num_attention_heads "
                            + heads
                            + " in config.json is not a multiple of num_key_value_heads "
                            + keyValueHeads);
        }
        headSize = headSize(config);
        window = window(config);
        normEpsilon = (float) config.number("rms_norm_eps", 1e-6);
        initializerRange = (float) config.number("initializer_range", 0.02);
        inputBias = qwen || llama && config.flag("attention_bias", false);
        outputBias = llama && inputBias;
        mlpBias = llama && config.flag("mlp_bias", false);
        tied = config.flag("tie_word_embeddings", false);
        rope = Rope.read(config);
        Set<Long> ends = new LinkedHashSet<>(config.tokens("eos_token_id"));
        if (!generationEndTokens.isEmpty()) {
            ends = new LinkedHashSet<>(generationEndTokens);
        }
        endTokens = Collections.unmodifiableSet(ends);
    }

    /**
     * Reads {@code config.json} of a folder, and the end tokens of {@code generation_config.json}
     * where it has any.
     *
     * @param folder a Hugging Face folder
     * @return the configuration
     * @throws IOException if a file is missing, cannot be read or is not JSON
     * @throws IllegalArgumentException if a key is missing, or the model is not one that can be
     *     computed; the message names the key
     */
    public static LlamaConfig read(Path folder) throws IOException {
        JsonObject json = ConfigReader.read(folder.resolve("config.json"));
        List<Long> ends = ConfigReader.generationEndTokens(folder);
        try {
            return new LlamaConfig(json, ends);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(folder + ": " + e.getMessage(), e);
        }
    }

    /**
     * Reads a configuration from the text of a {@code config.json}.
     *
     * @param json the text
     * @return the configuration
     * @throws IllegalArgumentException as in {@link #read}, and if the text is not a JSON object
     */
    public static LlamaConfig parse(String json) {
        try {
            return new LlamaConfig(JsonParser.parseString(json).getAsJsonObject(), List.of());
        } catch (JsonParseException | IllegalStateException e) {
            throw new IllegalArgumentException("not a JSON object: " + e.getMessage(), e);
        }
    }

    private void refuse(ConfigReader config) {
        if (!MODEL_TYPES.contains(modelType)) {
            throw ConfigReader.unsupported(
                    "model_type \"" + modelType + "\"", "llama, mistral and qwen2 are");
        }
        for (String architecture : config.texts("architectures")) {
            if (!architecture.endsWith("ForCausalLM")) {
                throw ConfigReader.unsupported(
                        "architecture " + architecture, "causal language models are");
            }
        }
        if (config.has("quantization_config")) {
            throw ConfigReader.unsupported(
                    "quantization_config", "float32, float16 and bfloat16 weights are");
        }
        String activation = config.text("hidden_act", "silu");
        if (!"silu".equals(activation)) {
            throw ConfigReader.unsupported("hidden_act \"" + activation + "\"", "silu is");
        }
        if (config.number("attention_dropout", 0) != 0) {
            throw ConfigReader.unsupported(
                    "attention_dropout other than 0", "dropout in adapters is");
        }
        if (config.number("partial_rotary_factor", 1) != 1) {
            throw ConfigReader.unsupported("partial_rotary_factor other than 1", "whole heads are");
        }
        if (config.flag("rope_interleaved", false)) {
            throw ConfigReader.unsupported("rope_interleaved true", "rotation by halves is");
        }
    }

    private int headSize(ConfigReader config) {
        if (config.has("head_dim")) {
            int size = config.positive("head_dim");
            if (size % 2 != 0) {
                throw ConfigReader.unsupported("odd head_dim " + size, "even ones are");
            }
            return size;
        }
        if (hiddenSize % (2 * heads) != 0) {
            throw new IllegalArgumentException(
                    "hidden_size "
                            + hiddenSize
                            + " in config.json does not split into "
                            + heads
                            + " heads of even size, and there is no head_dim");
        }
        return hiddenSize / heads;
    }

    /** Returns the number of positions that attention may span, or 0 for all. */
    private int window(ConfigReader config) {
        boolean sliding;
        switch (modelType) {
            case "mistral":
                // A file without the key means the first Mistral, whose window is 4096.
                sliding = config.has("sliding_window") || !config.mentions("sliding_window");
                break;
            case "qwen2":
                sliding = config.flag("use_sliding_window", false);
                break;
            default:
                sliding = false;
        }
        for (String type : config.texts("layer_types")) {
            boolean known = "full_attention".equals(type) || "sliding_attention".equals(type);
            if (!known || !sliding && "sliding_attention".equals(type)) {
                throw ConfigReader.unsupported("layer type " + type, "full_attention is");
            }
        }
        return sliding ? config.positive("sliding_window", 4096) : 0;
    }

    /**
     * Returns the {@code config.json} that this was read from, with its end tokens and
     * architecture.
     *
     * @return a copy of the JSON object
     */
    public JsonObject toJson() {
        String name = modelType.substring(0, 1).toUpperCase(Locale.ROOT) + modelType.substring(1);
        return ConfigReader.complete(json, endTokens, name + "ForCausalLM");
    }

    /**
     * Returns the model type: llama, mistral or qwen2.
     *
     * @return the model type
     */
    public String getModelType() {
        return modelType;
    }

    /**
     * Returns the number of tokens.
     *
     * @return the number of tokens
     */
    public int getVocabularySize() {
        return vocabularySize;
    }

    /**
     * Returns the width of the hidden states.
     *
     * @return the width
     */
    public int getHiddenSize() {
        return hiddenSize;
    }

    /**
     * Returns the inner width of the feed-forward layers.
     *
     * @return the width
     */
    public int getIntermediateSize() {
        return intermediateSize;
    }

    /**
     * Returns the number of layers.
     *
     * @return the number of layers
     */
    public int getLayers() {
        return layers;
    }

    /**
     * Returns the number of query heads.
     *
     * @return the number of heads
     */
    public int getHeads() {
        return heads;
    }

    /**
     * Returns the number of key and value heads, which divides {@link #getHeads()}.
     *
     * @return the number of heads
     */
    public int getKeyValueHeads() {
        return keyValueHeads;
    }

    /**
     * Returns the width of a head.
     *
     * @return the width
     */
    public int getHeadSize() {
        return headSize;
    }

    /**
     * Returns how many positions the model was made for.
     *
     * @return the number of positions
     */
    public int getMaxPositions() {
        return maxPositions;
    }

    /**
     * Returns the longest input: the size of the sliding window if there is one.
     *
     * @return the number of positions, or {@link Integer#MAX_VALUE} without a window
     */
    public int getMaxInputLength() {
        return window == 0 ? Integer.MAX_VALUE : window;
    }

    /**
     * Returns the standard deviation of random weights.
     *
     * @return the standard deviation
     */
    public float getInitializerRange() {
        return initializerRange;
    }

    /**
     * Tells whether the head uses the token vectors as its weight.
     *
     * @return true if it does
     */
    public boolean isTied() {
        return tied;
    }

    /**
     * Returns the tokens that end a text.
     *
     * @return their ids, possibly none
     */
    public Set<Long> getEndTokens() {
        return endTokens;
    }

    float getNormEpsilon() {
        return normEpsilon;
    }

    boolean hasInputBias() {
        return inputBias;
    }

    boolean hasOutputBias() {
        return outputBias;
    }

    boolean hasMlpBias() {
        return mlpBias;
    }

    Rope getRope() {
        return rope;
    }
}

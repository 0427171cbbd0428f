package io.github.loradjl.zoo.t5;

import com.google.gson.JsonArray;
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
 * The shape of a T5 model, as a Hugging Face folder's {@code config.json} gives it.
 *
 * <p>There are two kinds. The first T5 has ReLU in its feed-forward layers and takes the logits
 * from the token vectors, on hidden states scaled by the root of their width. T5 v1.1, and with it
 * Flan-T5, mT5 and ByT5, has gated GELU and a head of its own. Whatever this code would not compute
 * as the original does is refused by name.
 *
 * @see <a href="https://arxiv.org/abs/1910.10683">T5</a>
 * @see <a href="https://arxiv.org/abs/2010.11934">mT5</a>
 * @see <a href="https://arxiv.org/abs/2105.13626">ByT5</a>
 */
public final class T5Config {

    /** The values of {@code model_type} that are read. */
    public static final Set<String> MODEL_TYPES = Set.of("t5", "mt5");

    private static final Set<String> ARCHITECTURES =
            Set.of(
                    "T5ForConditionalGeneration",
                    "T5WithLMHeadModel",
                    "MT5ForConditionalGeneration");

    private final JsonObject json;
    private final String modelType;
    private final int vocabularySize;
    private final int hiddenSize;
    private final int headSize;
    private final int intermediateSize;
    private final int encoderLayers;
    private final int decoderLayers;
    private final int heads;
    private final int buckets;
    private final int maxDistance;
    private final int maxPositions;
    private final float dropout;
    private final float normEpsilon;
    private final float initializerFactor;
    private final boolean gated;
    private final boolean tied;
    private final boolean scaled;
    private final long startToken;
    private final long padToken;
    private final Set<Long> endTokens;

    private T5Config(JsonObject json, List<Long> generationEndTokens) {
        this.json = json;
        ConfigReader config = new ConfigReader(json);
        modelType = config.text("model_type", "(none)");
        refuse(config);
        boolean multilingual = "mt5".equals(modelType);
        vocabularySize = config.positive("vocab_size");
        hiddenSize = config.positive("d_model");
        headSize = config.positive("d_kv");
        intermediateSize = config.positive("d_ff");
        encoderLayers = config.positive("num_layers");
        decoderLayers = config.positive("num_decoder_layers", encoderLayers);
        heads = config.positive("num_heads");
        buckets = config.positive("relative_attention_num_buckets", 32);
        maxDistance = config.positive("relative_attention_max_distance", 128);
        checkBuckets();
        // The positions are relative; this is what all T5 models were pretrained with.
        maxPositions = config.positive("n_positions", 512);
        dropout = (float) config.number("dropout_rate", 0.1);
        if (!(dropout >= 0 && dropout < 1)) {
            throw new IllegalArgumentException(
                    "\"dropout_rate\" in config.json must be in [0, 1), not " + dropout);
        }
        normEpsilon = (float) config.number("layer_norm_epsilon", 1e-6);
        initializerFactor = (float) config.number("initializer_factor", 1);
        gated = gated(config.text("feed_forward_proj", multilingual ? "gated-gelu" : "relu"));
        // A file written by transformers 5 says that the output is not scaled where an older one
        // says that the head is not tied; both mean v1.1.
        boolean first = config.flag("tie_word_embeddings", true);
        scaled = !multilingual && config.flag("scale_decoder_outputs", first);
        tied = first && scaled;
        padToken = token(config, "pad_token_id", 0);
        startToken = token(config, "decoder_start_token_id", padToken);
        Set<Long> ends = new LinkedHashSet<>(generationEndTokens);
        if (ends.isEmpty()) {
            ends.addAll(config.tokens("eos_token_id"));
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
    public static T5Config read(Path folder) throws IOException {
        JsonObject json = ConfigReader.read(folder.resolve("config.json"));
        List<Long> ends = ConfigReader.generationEndTokens(folder);
        try {
            return new T5Config(json, ends);
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
    public static T5Config parse(String json) {
        try {
            return new T5Config(JsonParser.parseString(json).getAsJsonObject(), List.of());
        } catch (JsonParseException | IllegalStateException e) {
            throw new IllegalArgumentException("not a JSON object: " + e.getMessage(), e);
        }
    }

    private void refuse(ConfigReader config) {
        if (!MODEL_TYPES.contains(modelType)) {
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
    }

    private static boolean gated(String projection) {
        switch (projection) {
            case "relu":
                return false;
            case "gated-gelu":
                return true;
            default:
                throw ConfigReader.unsupported(
                        "feed_forward_proj \"" + projection + "\"", "relu and gated-gelu are");
        }
    }

    /** The encoder splits the buckets into two halves, and each half into near and far. */
    private void checkBuckets() {
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

    private long token(ConfigReader config, String key, long defaultValue) {
        List<Long> ids = config.tokens(key);
        long id = ids.isEmpty() ? defaultValue : ids.get(0);
        if (ids.size() > 1 || id < 0 || id >= vocabularySize) {
            throw new IllegalArgumentException(
                    "\""
                            + key
                            + "\" in config.json must be one token of the vocabulary of "
                            + vocabularySize
                            + ", not "
                            + json.get(key));
        }
        return id;
    }

    /**
     * Returns the {@code config.json} that this was read from, with its architecture.
     *
     * @return a copy of the JSON object
     */
    public JsonObject toJson() {
        JsonObject copy = json.deepCopy();
        if (!copy.has("architectures")) {
            JsonArray architectures = new JsonArray();
            architectures.add(modelType.toUpperCase(Locale.ROOT) + "ForConditionalGeneration");
            copy.add("architectures", architectures);
        }
        return copy;
    }

    /**
     * Returns the model type: t5 or mt5.
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
     * Returns the width of a head; all heads together need not be as wide as the hidden states.
     *
     * @return the width
     */
    public int getHeadSize() {
        return headSize;
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
     * Returns the number of layers of the encoder.
     *
     * @return the number of layers
     */
    public int getEncoderLayers() {
        return encoderLayers;
    }

    /**
     * Returns the number of layers of the decoder.
     *
     * @return the number of layers
     */
    public int getDecoderLayers() {
        return decoderLayers;
    }

    /**
     * Returns the number of heads.
     *
     * @return the number of heads
     */
    public int getHeads() {
        return heads;
    }

    /**
     * Returns how many positions the model was pretrained with. Longer inputs are possible, since
     * positions are relative.
     *
     * @return the number of positions
     */
    public int getMaxPositions() {
        return maxPositions;
    }

    /**
     * Returns the share of hidden states and attention weights that training zeroes.
     *
     * @return the share, in [0, 1)
     */
    public float getDropout() {
        return dropout;
    }

    /**
     * Tells whether the feed-forward layers are gated GELU, rather than ReLU.
     *
     * @return true if they are
     */
    public boolean isGated() {
        return gated;
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
     * Returns the token that the decoder begins with.
     *
     * @return its id
     */
    public long getStartToken() {
        return startToken;
    }

    /**
     * Returns the token that pads.
     *
     * @return its id
     */
    public long getPadToken() {
        return padToken;
    }

    /**
     * Returns the tokens that end a text.
     *
     * @return their ids, possibly none
     */
    public Set<Long> getEndTokens() {
        return endTokens;
    }

    boolean isScaled() {
        return scaled;
    }

    int getBuckets() {
        return buckets;
    }

    int getMaxDistance() {
        return maxDistance;
    }

    float getNormEpsilon() {
        return normEpsilon;
    }

    float getInitializerFactor() {
        return initializerFactor;
    }
}

package io.github.loradjl.zoo.t5;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.github.loradjl.safetensors.Safetensors;
import io.github.loradjl.zoo.block.ConfigReader;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The shape of a T5 model, as a Hugging Face folder's {@code config.json} gives it.
 *
 * <p>There are two kinds. The first T5 has ReLU in its feed-forward layers and takes the logits
 * from the token vectors, on hidden states scaled by the root of their width. T5 v1.1, and with it
 * Flan-T5, mT5 and ByT5, has gated GELU and a head of its own. Other mixtures are read as
 * transformers does: the tensors of a checkpoint tell whether the head is tied, its configuration
 * whether the hidden states are scaled. Whatever this code would not compute as the original does
 * is refused by name.
 *
 * @see <a href="https://arxiv.org/abs/1910.10683">T5</a>
 * @see <a href="https://arxiv.org/abs/2010.11934">mT5</a>
 * @see <a href="https://arxiv.org/abs/2105.13626">ByT5</a>
 */
public final class T5Config {

    /** The values of {@code model_type} that are read. */
    public static final Set<String> MODEL_TYPES = Set.of("t5", "mt5");

    private static final long FIRST_END_TOKEN = 1;

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

    private T5Config(JsonObject json, List<Long> generationEndTokens, boolean tied) {
        this.json = json;
        this.tied = tied;
        ConfigReader config = new ConfigReader(json);
        modelType = config.text("model_type", "(none)");
        T5ConfigCheck.check(config, modelType);
        boolean multilingual = "mt5".equals(modelType);
        vocabularySize = config.positive("vocab_size");
        hiddenSize = config.positive("d_model");
        headSize = config.positive("d_kv");
        intermediateSize = config.positive("d_ff");
        encoderLayers = config.layers("num_layers");
        decoderLayers =
                config.has("num_decoder_layers")
                        ? config.layers("num_decoder_layers")
                        : encoderLayers;
        heads = config.positive("num_heads");
        buckets = config.positive("relative_attention_num_buckets", 32);
        maxDistance = config.positive("relative_attention_max_distance", 128);
        T5ConfigCheck.checkBuckets(buckets, maxDistance);
        // The positions are relative; this is what all T5 models were pretrained with.
        maxPositions = config.positive("n_positions", 512);
        dropout = (float) config.number("dropout_rate", 0.1);
        if (!(dropout >= 0 && dropout < 1)) {
            throw new IllegalArgumentException(
                    "\"dropout_rate\" in config.json must be in [0, 1), not " + dropout);
        }
        normEpsilon = (float) config.number("layer_norm_epsilon", 1e-6);
        initializerFactor = (float) config.number("initializer_factor", 1);
        gated = gated(config, multilingual ? "gated-gelu" : "relu");
        scaled = !multilingual && scaled(config);
        padToken = token(config, "pad_token_id", 0);
        startToken = token(config, "decoder_start_token_id", multilingual ? 0 : padToken);
        Set<Long> ends = new LinkedHashSet<>(generationEndTokens);
        if (ends.isEmpty()) {
            ends.addAll(endTokens(config));
        }
        endTokens = Collections.unmodifiableSet(ends);
    }

    /**
     * Reads {@code config.json} of a folder, and the end tokens of {@code generation_config.json}
     * where it has any. Whether the head is tied is seen from the tensors, if there are weights.
     *
     * @param folder a Hugging Face folder
     * @return the configuration
     * @throws IOException if a file is missing, cannot be read or is not what it should be
     * @throws IllegalArgumentException if a key is missing, or the model is not one that can be
     *     computed; the message names the key
     */
    public static T5Config read(Path folder) throws IOException {
        JsonObject json = ConfigReader.read(folder.resolve("config.json"));
        List<Long> ends = ConfigReader.generationEndTokens(folder);
        try {
            return new T5Config(json, ends, isTied(folder, json));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(folder + ": " + e.getMessage(), e);
        }
    }

    /**
     * Reads a configuration from the text of a {@code config.json}, for a new model. The head is
     * tied unless {@code tie_word_embeddings} is false.
     *
     * @param json the text
     * @return the configuration
     * @throws IllegalArgumentException as in {@link #read}, and if the text is not a JSON object
     */
    public static T5Config parse(String json) {
        try {
            JsonObject object = JsonParser.parseString(json).getAsJsonObject();
            return new T5Config(object, List.of(), isTied(object));
        } catch (JsonParseException | IllegalStateException e) {
            throw new IllegalArgumentException("not a JSON object: " + e.getMessage(), e);
        }
    }

    private static boolean isTied(JsonObject json) {
        return new ConfigReader(json).flag("tie_word_embeddings", true);
    }

    /**
     * Transformers ties a head that is not stored, or is stored as a copy, and no other, whatever
     * the configuration says. The token vectors may be stored in another of their places.
     */
    private static boolean isTied(Path folder, JsonObject json) throws IOException {
        String head = "lm_head.weight";
        try (Safetensors tensors = Safetensors.open(folder)) {
            Optional<String> vectors =
                    Stream.of(
                                    "shared.weight",
                                    "encoder.embed_tokens.weight",
                                    "decoder.embed_tokens.weight")
                            .filter(tensors.names()::contains)
                            .findFirst();
            return !tensors.names().contains(head)
                    || vectors.isEmpty()
                    || tensors.areEqual(head, vectors.get());
        } catch (NoSuchFileException e) {
            return isTied(json);
        }
    }

    /** Older files have no word for this; what they say about the head stands for it. */
    private boolean scaled(ConfigReader config) {
        String key = "scale_decoder_outputs";
        return config.mentions(key) ? config.flag(key, false) : isTied(json);
    }

    private static boolean gated(ConfigReader config, String defaultProjection) {
        String projection = config.text("feed_forward_proj", defaultProjection);
        boolean gated = "gated-gelu".equals(projection);
        if (!gated && !"relu".equals(projection)) {
            throw ConfigReader.unsupported(
                    "feed_forward_proj \"" + projection + "\"", "relu and gated-gelu are");
        }
        // Files repeat what the projection means, and transformers believes the repetition.
        String meant = gated ? "gelu_new" : "relu";
        String activation = config.text("dense_act_fn", meant);
        if (!activation.equals(meant) || config.flag("is_gated_act", gated) != gated) {
            throw ConfigReader.unsupported(
                    "feed_forward_proj \""
                            + projection
                            + "\" with another dense_act_fn or is_gated_act",
                    "\"" + meant + "\" and " + gated + " are");
        }
        return gated;
    }

    private static List<Long> endTokens(ConfigReader config) {
        String key = "eos_token_id";
        return config.mentions(key) ? config.tokens(key) : List.of(FIRST_END_TOKEN);
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
     * Returns the {@code config.json} that this was read from, with its end tokens and
     * architecture.
     *
     * @return a copy of the JSON object
     */
    public JsonObject toJson() {
        String name = modelType.toUpperCase(Locale.ROOT);
        return ConfigReader.complete(json, endTokens, name + "ForConditionalGeneration");
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

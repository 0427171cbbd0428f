package io.github.loradjl.examples.pretrain;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.tracker.ParameterTracker;

import com.google.gson.JsonObject;
import io.github.loradjl.training.LearningRateSchedule;
import io.github.loradjl.zoo.block.LanguageModel;
import io.github.loradjl.zoo.t5.T5Config;
import io.github.loradjl.zoo.t5.T5ForConditionalGeneration;
import io.github.loradjl.zoo.text.SpanCorruption;
import io.github.loradjl.zoo.text.TextTokenizer;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A T5 in the shape of the first ones that learns to fill gaps in stories.
 *
 * <p>Half of the stories have short spans left out, as for T5. They are too few words in a step for
 * the decoder to find out that it can look at what the encoder has read. So the other half have one
 * long span left out, the second half of the story: who is in it and what happens with what stands
 * in the first half, and after some hundred steps the decoder looks there. UL2 mixes the same two.
 *
 * @see <a href="https://arxiv.org/abs/1910.10683">T5</a>
 * @see <a href="https://arxiv.org/abs/2205.05131">UL2</a>
 */
final class SmallT5 extends SmallModel {

    private static final int SENTINELS = 100;
    private static final int VOCABULARY = 896;
    private static final int LAYERS = 3;
    private static final double DENSITY = 0.15;
    private static final double MEAN_SPAN = 3;
    private static final double LONG_DENSITY = 0.5;

    /** {@inheritDoc} */
    @Override
    public double defaultRate() {
        return 3e-2;
    }

    /** {@inheritDoc} */
    @Override
    JsonObject config() {
        JsonObject config = new JsonObject();
        config.addProperty("model_type", "t5");
        config.addProperty("vocab_size", VOCABULARY);
        config.addProperty("d_model", 128);
        config.addProperty("d_kv", 32);
        config.addProperty("d_ff", 512);
        config.addProperty("num_layers", LAYERS);
        config.addProperty("num_decoder_layers", LAYERS);
        config.addProperty("num_heads", 4);
        config.addProperty("relative_attention_num_buckets", 32);
        config.addProperty("relative_attention_max_distance", 128);
        config.addProperty("n_positions", MAX_POSITIONS);
        config.addProperty("dropout_rate", 0.0);
        config.addProperty("layer_norm_epsilon", 1e-6);
        config.addProperty("initializer_factor", 1.0);
        config.addProperty("feed_forward_proj", "relu");
        config.addProperty("is_encoder_decoder", true);
        config.addProperty("tie_word_embeddings", true);
        config.addProperty("decoder_start_token_id", 0);
        config.addProperty("eos_token_id", 1);
        config.addProperty("pad_token_id", 0);
        return config;
    }

    /** The last token of the vocabulary is the first sentinel, as for T5. */
    @Override
    SpecialTokens specialTokens() {
        Map<String, String> roles = new LinkedHashMap<>();
        roles.put(SpecialTokens.EOS, "</s>");
        roles.put(SpecialTokens.PAD, "<pad>");
        List<String> sentinels =
                IntStream.range(0, SENTINELS).mapToObj(i -> sentinel(SENTINELS - 1 - i)).toList();
        return new SpecialTokens(List.of("<pad>", "</s>"), sentinels, roles);
    }

    private static String sentinel(int number) {
        return "<extra_id_" + number + ">";
    }

    /** {@inheritDoc} */
    @Override
    LanguageModel newBlock() {
        return new T5ForConditionalGeneration(T5Config.parse(config().toString()));
    }

    /** Reads a story with spans left out, and writes these. */
    @Override
    Row row(String story, TextTokenizer tokenizer, long number) {
        long[] text = tokenizer.encode(story, false);
        boolean isShort = number % 2 == 0;
        SpanCorruption corruption =
                new SpanCorruption(
                        isShort ? DENSITY : LONG_DENSITY,
                        isShort ? MEAN_SPAN : text.length,
                        IntStream.range(0, SENTINELS)
                                .mapToLong(i -> tokenizer.getId(sentinel(i)).orElseThrow())
                                .toArray(),
                        tokenizer.getEosId().orElseThrow());
        SpanCorruption.Pair pair = corruption.corrupt(text, number);
        return new Row(pair.input(), pair.target());
    }

    /** {@inheritDoc} */
    @Override
    NDList data(NDArray ids, NDArray mask) {
        return new NDList(ids, mask);
    }

    /** {@inheritDoc} */
    @Override
    ParameterTracker rates(LearningRateSchedule schedule, LanguageModel block) {
        return new RelativeRates(schedule, block.getParameters().values());
    }
}

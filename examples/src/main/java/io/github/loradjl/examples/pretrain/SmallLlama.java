package io.github.loradjl.examples.pretrain;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.tracker.ParameterTracker;

import com.google.gson.JsonObject;
import io.github.loradjl.training.LearningRateSchedule;
import io.github.loradjl.zoo.block.LanguageModel;
import io.github.loradjl.zoo.llama.LlamaConfig;
import io.github.loradjl.zoo.llama.LlamaForCausalLM;
import io.github.loradjl.zoo.text.TextTokenizer;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A LLaMA of about a million parameters that learns to tell stories. */
final class SmallLlama extends SmallModel {

    /** {@inheritDoc} */
    @Override
    public double defaultRate() {
        return 3e-3;
    }

    /** {@inheritDoc} */
    @Override
    JsonObject config() {
        JsonObject config = new JsonObject();
        config.addProperty("model_type", "llama");
        config.addProperty("vocab_size", 768);
        config.addProperty("hidden_size", 128);
        config.addProperty("intermediate_size", 344);
        config.addProperty("num_hidden_layers", 5);
        config.addProperty("num_attention_heads", 4);
        config.addProperty("num_key_value_heads", 2);
        config.addProperty("max_position_embeddings", MAX_POSITIONS);
        config.addProperty("hidden_act", "silu");
        config.addProperty("rms_norm_eps", 1e-5);
        config.addProperty("rope_theta", 10000.0);
        config.addProperty("initializer_range", 0.02);
        config.addProperty("tie_word_embeddings", true);
        config.addProperty("bos_token_id", 0);
        config.addProperty("eos_token_id", 1);
        config.addProperty("pad_token_id", 2);
        return config;
    }

    /** {@inheritDoc} */
    @Override
    SpecialTokens specialTokens() {
        Map<String, String> roles = new LinkedHashMap<>();
        roles.put(SpecialTokens.BOS, "<s>");
        roles.put(SpecialTokens.EOS, "</s>");
        roles.put(SpecialTokens.PAD, "<pad>");
        return new SpecialTokens(List.copyOf(roles.values()), List.of(), roles);
    }

    /** {@inheritDoc} */
    @Override
    LanguageModel newBlock() {
        return new LlamaForCausalLM(LlamaConfig.parse(config().toString()));
    }

    /** Reads the whole story between {@code <s>} and {@code </s>}. */
    @Override
    Row row(String story, TextTokenizer tokenizer, long number) {
        long[] ids = tokenizer.encode(story);
        long[] ended = Arrays.copyOf(ids, ids.length + 1);
        ended[ids.length] = tokenizer.getEosId().orElseThrow();
        return new Row(ended, ended);
    }

    /** {@inheritDoc} */
    @Override
    NDList data(NDArray ids, NDArray mask) {
        return new NDList(ids);
    }

    /** {@inheritDoc} */
    @Override
    ParameterTracker rates(LearningRateSchedule schedule, LanguageModel block) {
        return schedule;
    }
}

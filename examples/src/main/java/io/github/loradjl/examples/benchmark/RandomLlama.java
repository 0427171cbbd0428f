package io.github.loradjl.examples.benchmark;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.zoo.llama.LlamaConfig;
import io.github.loradjl.zoo.llama.LlamaForCausalLM;

/**
 * The shape of a LLaMA with random weights.
 *
 * @param layers the number of layers
 * @param hidden the width of the hidden states
 * @param inner the inner width of the feed-forward layers
 * @param heads the number of query heads
 * @param keyValueHeads the number of key and value heads
 * @param vocabulary the number of tokens
 * @param positions the longest text
 */
public record RandomLlama(
        int layers,
        int hidden,
        int inner,
        int heads,
        int keyValueHeads,
        int vocabulary,
        int positions) {

    /**
     * Makes the model, in float32 on the default device; the same each time.
     *
     * @return the model, to be closed
     */
    public Model create() {
        Engine.getInstance().setRandomSeed(1);
        Model model = Model.newInstance("random-llama");
        LlamaForCausalLM block = new LlamaForCausalLM(LlamaConfig.parse(config()));
        block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 1));
        model.setBlock(block);
        return model;
    }

    private String config() {
        return """
{"model_type": "llama", "hidden_act": "silu", "hidden_size": %d, "intermediate_size": %d,
 "num_hidden_layers": %d, "num_attention_heads": %d, "num_key_value_heads": %d,
 "vocab_size": %d, "max_position_embeddings": %d, "rms_norm_eps": 1e-5,
 "rope_theta": 10000.0, "tie_word_embeddings": true, "initializer_range": 0.02}
"""
                .formatted(hidden, inner, layers, heads, keyValueHeads, vocabulary, positions);
    }
}

package io.github.loradjl.zoo.text.generate;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;

import io.github.loradjl.adapter.AdaptedBlock;
import io.github.loradjl.adapter.AdapterSelection;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.util.Arrays;
import java.util.Set;
import java.util.function.LongConsumer;

/**
 * Continues token ids with a causal language model.
 *
 * <p>The cache of keys and values is allocated once for the prompt and all new tokens. Nothing is
 * recorded for gradients. Calls may come from several threads at once, each with the adapters that
 * are active in its thread when it begins.
 *
 * <pre>{@code
 * long[] ids = new TokenGenerator(model).generate(prompt, GenerationConfig.builder().build());
 * }</pre>
 */
public final class TokenGenerator {

    private final AutoregressiveBlock block;
    // Null where the model has no adapters.
    private final AdaptedBlock adapted;
    private final NDManager parent;
    private final Device device;

    /**
     * Creates a generator.
     *
     * @param model a loaded model, adapted or not; it stays the caller's
     * @throws IllegalArgumentException if the model's block cannot generate
     */
    public TokenGenerator(Model model) {
        adapted = model.getBlock() instanceof AdaptedBlock around ? around : null;
        Block root = adapted == null ? model.getBlock() : adapted.getBase();
        if (!(root instanceof AutoregressiveBlock autoregressive)) {
            throw new IllegalArgumentException(
                    "model "
                            + model.getName()
                            + " cannot generate: its block "
                            + (root == null ? "(none)" : root.getClass().getName())
                            + " is no AutoregressiveBlock");
        }
        block = autoregressive;
        parent = model.getNDManager();
        device = parent.getDevice();
    }

    /**
     * Continues a prompt.
     *
     * @param prompt token ids, at least one
     * @param config how to choose tokens
     * @return the new token ids; the end token, if one was met, is the last
     */
    public long[] generate(long[] prompt, GenerationConfig config) {
        return generate(prompt, config, id -> {});
    }

    /**
     * Continues a prompt and tells each token as it comes.
     *
     * @param prompt token ids, at least one
     * @param config how to choose tokens
     * @param listener called with each new token id
     * @return the new token ids; the end token, if one was met, is the last
     * @throws IllegalArgumentException if the prompt is empty, an id is outside the vocabulary, or
     *     prompt and new tokens are more than the model can attend to
     */
    public long[] generate(long[] prompt, GenerationConfig config, LongConsumer listener) {
        if (prompt.length == 0) {
            throw new IllegalArgumentException(
                    "the prompt is empty; begin with the token that begins a text");
        }
        Set<Long> ends = config.isStopAtEnd() ? block.getEndTokens() : Set.of();
        TokenSampler sampler = new TokenSampler(config);
        long[] tokens = new long[config.getMaxNewTokens()];
        int count = 0;
        try (GradientMode mode = GradientMode.off();
                AdapterSelection.Scope adapters = adapted == null ? null : adapted.pinAdapters();
                NDManager manager = parent.newSubManager(device);
                KeyValueCache cache = block.newCache(manager, 1, prompt.length + tokens.length)) {
            ParameterStore store = new ParameterStore(manager, false);
            long[] next = prompt;
            while (count < tokens.length) {
                int token = sampler.choose(logits(manager, store, next, cache));
                tokens[count++] = token;
                listener.accept(token);
                if (ends.contains((long) token)) {
                    break;
                }
                next = new long[] {token};
            }
        }
        return Arrays.copyOf(tokens, count);
    }

    private float[] logits(
            NDManager manager, ParameterStore store, long[] ids, KeyValueCache cache) {
        try (NDArray row = manager.create(ids);
                NDArray batch = row.expandDims(0);
                NDArray logits = block.nextLogits(store, batch, cache);
                NDArray wide = TorchOps.toFloat32(logits)) {
            return wide.toFloatArray();
        }
    }
}

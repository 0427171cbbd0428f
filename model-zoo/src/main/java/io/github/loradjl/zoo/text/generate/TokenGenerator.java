package io.github.loradjl.zoo.text.generate;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;

import io.github.loradjl.adapter.AdapterSelection;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/**
 * Generates token ids: continues prompts with a causal language model, or answers them with an
 * encoder and a decoder.
 *
 * <p>The cache of keys and values is allocated once for the prompt and all new tokens. Nothing is
 * recorded for gradients. Calls may come from several threads at once, each with the adapters that
 * are active in its thread when it begins.
 *
 * <p>Several prompts are continued together, the shorter ones padded on the left. Each comes out as
 * it would alone, up to rounding: padding is seen by nothing, positions are counted from behind it,
 * and each row draws from the seed for itself. Rows that have met an end token leave the batch.
 *
 * <pre>{@code
 * long[] ids = new TokenGenerator(model).generate(prompt, GenerationConfig.builder().build());
 * }</pre>
 */
public final class TokenGenerator {

    /**
     * Rows that are done leave once they are a quarter of the batch: that takes a copy of the
     * cache, which costs about as much as predicting a token.
     */
    private static final double KEPT_SHARE = 0.75;

    private final CausalModel model;

    /**
     * Creates a generator.
     *
     * @param model a loaded model, adapted or not; it stays the caller's
     * @throws IllegalArgumentException if the model's block cannot generate
     */
    public TokenGenerator(Model model) {
        this.model = CausalModel.of(model);
    }

    /** Is told each token as it comes. */
    @FunctionalInterface
    public interface Listener {

        /**
         * Takes a token.
         *
         * @param prompt the number of the prompt that it continues, from 0
         * @param id the token id
         */
        void onToken(int prompt, long id);
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
        return generate(List.of(prompt), config, (row, id) -> listener.accept(id)).get(0);
    }

    /**
     * Continues several prompts as one batch.
     *
     * @param prompts token ids, at least one in each
     * @param config how to choose tokens, the same for each prompt
     * @return the new token ids of each prompt; the end token, if one was met, is the last
     * @throws IllegalArgumentException as for one prompt
     */
    public List<long[]> generate(List<long[]> prompts, GenerationConfig config) {
        return generate(prompts, config, (row, id) -> {});
    }

    /**
     * Continues several prompts as one batch and tells each token as it comes.
     *
     * @param prompts token ids, at least one in each
     * @param config how to choose tokens, the same for each prompt
     * @param listener called with each new token, in turns for the prompts
     * @return the new token ids of each prompt; the end token, if one was met, is the last
     * @throws IllegalArgumentException as for one prompt
     */
    public List<long[]> generate(List<long[]> prompts, GenerationConfig config, Listener listener) {
        List<Row> rows = new ArrayList<>();
        int longest = 0;
        for (long[] prompt : prompts) {
            if (prompt.length == 0) {
                throw new IllegalArgumentException(
                        "the prompt is empty; begin with the token that begins a text");
            }
            longest = Math.max(longest, prompt.length);
            rows.add(new Row(rows.size(), config));
        }
        if (rows.isEmpty()) {
            return List.of();
        }
        Set<Long> ends = config.isStopAtEnd() ? model.block().getEndTokens() : Set.of();
        boolean encoded = model.block().isEncoderDecoder();
        int capacity = (encoded ? 0 : longest) + config.getMaxNewTokens();
        try (GradientMode mode = GradientMode.off();
                AdapterSelection.Scope adapters = model.pinAdapters();
                NDManager manager = model.newManager();
                KeyValueCache cache = model.block().newCache(manager, rows.size(), capacity)) {
            ParameterStore store = new ParameterStore(manager, false);
            List<Row> batch = rows;
            long[] next =
                    encoded
                            ? encode(manager, store, prompts, longest, cache)
                            : begin(prompts, longest, cache);
            while (true) {
                float[][] logits = logits(manager, store, next, batch.size(), cache);
                for (int i = 0; i < logits.length; i++) {
                    Row row = batch.get(i);
                    if (!row.isDone()) {
                        listener.onToken(row.number, row.choose(logits[i], ends));
                    }
                }
                int[] open = open(batch);
                if (open.length == 0) {
                    break;
                }
                if (open.length <= batch.size() * KEPT_SHARE) {
                    cache.keepRows(open);
                    batch = Arrays.stream(open).mapToObj(batch::get).toList();
                }
                next = batch.stream().mapToLong(Row::last).toArray();
            }
        }
        return rows.stream().map(Row::tokens).toList();
    }

    private static int[] open(List<Row> batch) {
        return IntStream.range(0, batch.size()).filter(i -> !batch.get(i).isDone()).toArray();
    }

    /** Hands the prompts to the encoder; the decoder begins with one token in each row. */
    private long[] encode(
            NDManager manager,
            ParameterStore store,
            List<long[]> prompts,
            int width,
            KeyValueCache cache) {
        // Which token pads does not matter, as nothing sees it.
        long[] ids = new long[prompts.size() * width];
        long[] mask = new long[ids.length];
        for (int i = 0; i < prompts.size(); i++) {
            long[] prompt = prompts.get(i);
            System.arraycopy(prompt, 0, ids, i * width, prompt.length);
            Arrays.fill(mask, i * width, i * width + prompt.length, 1);
        }
        long[] starts = new long[prompts.size()];
        Shape shape = new Shape(prompts.size(), width);
        try (NDArray tokens = manager.create(ids, shape);
                NDArray seen = manager.create(mask, shape)) {
            Arrays.fill(starts, model.block().readPrompts(store, tokens, seen, cache));
        }
        return starts;
    }

    /** Pads on the left; which token pads does not matter, as nothing sees it. */
    private static long[] begin(List<long[]> prompts, int width, KeyValueCache cache) {
        cache.setPadding(prompts.stream().mapToInt(p -> width - p.length).toArray());
        long[] ids = new long[prompts.size() * width];
        for (int i = 0; i < prompts.size(); i++) {
            long[] prompt = prompts.get(i);
            System.arraycopy(prompt, 0, ids, (i + 1) * width - prompt.length, prompt.length);
        }
        return ids;
    }

    private float[][] logits(
            NDManager manager, ParameterStore store, long[] ids, int rows, KeyValueCache cache) {
        try (NDArray batch = manager.create(ids, new Shape(rows, ids.length / rows));
                NDArray logits = model.block().nextLogits(store, batch, cache);
                NDArray wide = TorchOps.toFloat32(logits)) {
            float[] all = wide.toFloatArray();
            if (rows == 1) {
                return new float[][] {all};
            }
            int size = all.length / rows;
            float[][] each = new float[rows][];
            for (int i = 0; i < rows; i++) {
                each[i] = Arrays.copyOfRange(all, i * size, (i + 1) * size);
            }
            return each;
        }
    }

    /** One prompt's new tokens so far, and its random draws. */
    private static final class Row {

        private final int number;
        private final TokenSampler sampler;
        private final long[] tokens;
        private int count;
        private boolean done;

        Row(int number, GenerationConfig config) {
            this.number = number;
            sampler = new TokenSampler(config);
            tokens = new long[config.getMaxNewTokens()];
        }

        long choose(float[] logits, Set<Long> ends) {
            long token = sampler.choose(logits);
            tokens[count++] = token;
            done = count == tokens.length || ends.contains(token);
            return token;
        }

        boolean isDone() {
            return done;
        }

        long last() {
            return tokens[count - 1];
        }

        long[] tokens() {
            return Arrays.copyOf(tokens, count);
        }
    }
}

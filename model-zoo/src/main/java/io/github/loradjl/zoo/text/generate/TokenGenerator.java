package io.github.loradjl.zoo.text.generate;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

import io.github.loradjl.adapter.AdapterSelection;
import io.github.loradjl.torch.GradientMode;

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
 * <p>Several prompts are continued together, the shorter ones padded. Each comes out as it would
 * alone, up to rounding: padding is seen by nothing, positions are counted without it, and each row
 * draws from the seed for itself. Rows that have met an end token leave the batch.
 *
 * <p>A beam search knows its tokens only when it is over, so listeners then hear all of them.
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
         * @param prompt the number of the prompt that it follows, from 0
         * @param id the token id
         */
        void onToken(int prompt, long id);
    }

    /**
     * Continues or answers a prompt.
     *
     * @param prompt token ids, at least one
     * @param config how to choose tokens
     * @return the new token ids; the end token, if one was met, is the last
     */
    public long[] generate(long[] prompt, GenerationConfig config) {
        return generate(prompt, config, id -> {});
    }

    /**
     * Continues or answers a prompt and tells each token as it comes.
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
     * Continues or answers several prompts as one batch.
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
     * Continues or answers several prompts as one batch and tells each token as it comes.
     *
     * @param prompts token ids, at least one in each
     * @param config how to choose tokens, the same for each prompt
     * @param listener called with each new token, in turns for the prompts
     * @return the new token ids of each prompt; the end token, if one was met, is the last
     * @throws IllegalArgumentException as for one prompt
     */
    public List<long[]> generate(List<long[]> prompts, GenerationConfig config, Listener listener) {
        if (prompts.isEmpty()) {
            return List.of();
        }
        if (prompts.stream().anyMatch(prompt -> prompt.length == 0)) {
            throw new IllegalArgumentException(
                    "the prompt is empty; give at least the token that begins a text, or that ends"
                            + " it where an encoder reads it");
        }
        Set<Long> ends = config.isStopAtEnd() ? model.block().getEndTokens() : Set.of();
        try (GradientMode mode = GradientMode.off();
                AdapterSelection.Scope adapters = model.pinAdapters();
                NDManager manager = model.newManager()) {
            Decoding decoding =
                    new Decoding(model.block(), manager, prompts, config.getMaxNewTokens());
            return config.getBeams() > 1
                    ? search(decoding, prompts.size(), config, ends, listener)
                    : choose(decoding, prompts.size(), config, ends, listener);
        }
    }

    /**
     * Returns what stands before the new tokens in the text that they belong to: the prompt, or
     * nothing where an encoder reads that.
     */
    long[] context(long[] prompt) {
        return model.block().isEncoderDecoder() ? new long[0] : prompt;
    }

    private static List<long[]> search(
            Decoding decoding,
            int prompts,
            GenerationConfig config,
            Set<Long> ends,
            Listener listener) {
        List<long[]> texts = new BeamSearch(config, ends).run(decoding, prompts);
        for (int i = 0; i < prompts; i++) {
            for (long token : texts.get(i)) {
                listener.onToken(i, token);
            }
        }
        return texts;
    }

    private static List<long[]> choose(
            Decoding decoding,
            int prompts,
            GenerationConfig config,
            Set<Long> ends,
            Listener listener) {
        List<Row> rows =
                IntStream.range(0, prompts).mapToObj(number -> new Row(number, config)).toList();
        List<Row> batch = rows;
        while (true) {
            long[] tokens = config.isSampled() ? sampled(decoding, batch) : decoding.mostProbable();
            for (int i = 0; i < tokens.length; i++) {
                Row row = batch.get(i);
                if (!row.isDone()) {
                    row.add(tokens[i], ends);
                    listener.onToken(row.number, tokens[i]);
                }
            }
            int[] open = open(batch);
            if (open.length == 0) {
                return rows.stream().map(Row::tokens).toList();
            }
            if (open.length <= batch.size() * KEPT_SHARE) {
                decoding.keepRows(open);
                batch = Arrays.stream(open).mapToObj(batch::get).toList();
            }
            decoding.append(batch.stream().mapToLong(Row::last).toArray());
        }
    }

    private static int[] open(List<Row> batch) {
        return IntStream.range(0, batch.size()).filter(i -> !batch.get(i).isDone()).toArray();
    }

    /** Draws a token for each row that is not done. */
    private static long[] sampled(Decoding decoding, List<Row> batch) {
        try (NDArray logits = decoding.logits()) {
            float[] all = logits.toFloatArray();
            int size = all.length / batch.size();
            long[] tokens = new long[batch.size()];
            for (int i = 0; i < tokens.length; i++) {
                if (!batch.get(i).isDone()) {
                    float[] own = Arrays.copyOfRange(all, i * size, (i + 1) * size);
                    tokens[i] = batch.get(i).sampler.choose(own);
                }
            }
            return tokens;
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

        void add(long token, Set<Long> ends) {
            tokens[count++] = token;
            done = count == tokens.length || ends.contains(token);
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

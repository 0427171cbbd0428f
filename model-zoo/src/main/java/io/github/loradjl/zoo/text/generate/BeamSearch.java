package io.github.loradjl.zoo.text.generate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Beam search: writes several texts for each prompt at once, and keeps those whose tokens together
 * are the most probable.
 *
 * <p>With k beams, each step takes the 2k best of all ways to write one more token, or more if
 * there are several end tokens: even if ends are among them, k others are left to go on with. A
 * text that ends among the first k is finished and weighed: the sum of the log-probabilities of its
 * tokens, divided by the p-th power of their number, p being the length penalty. The k best
 * finished texts are kept. The search is over when there are k and the best unfinished one, weighed
 * as long as it is now, is no better than the worst of them; at the largest number of tokens all
 * texts are finished. These are the rules of transformers, without early stopping.
 *
 * @see <a href="https://arxiv.org/abs/1609.08144">Google's Neural Machine Translation System,
 *     section 7</a>
 */
final class BeamSearch {

    private static final Comparator<Hypothesis> BEST_FIRST =
            Comparator.comparing(Hypothesis::score).reversed();

    private final int beams;
    private final double lengthPenalty;
    private final int maxNewTokens;
    private final Set<Long> ends;

    BeamSearch(GenerationConfig config, Set<Long> ends) {
        beams = config.getBeams();
        lengthPenalty = config.getLengthPenalty();
        maxNewTokens = config.getMaxNewTokens();
        this.ends = ends;
    }

    /**
     * Searches.
     *
     * @param decoding the batch, with one row for each prompt
     * @param prompts the number of prompts
     * @return the best text for each prompt
     */
    List<long[]> run(Decoding decoding, int prompts) {
        List<Search> all = Stream.generate(Search::new).limit(prompts).toList();
        List<Search> open = all;
        while (true) {
            Continuations continuations = continuations(decoding);
            int row = 0;
            for (Search search : open) {
                row = search.step(continuations, row);
            }
            open = open.stream().filter(search -> !search.isDone()).toList();
            if (open.isEmpty()) {
                return all.stream().map(Search::best).toList();
            }
            List<Hypothesis> going = open.stream().flatMap(s -> s.going.stream()).toList();
            decoding.keepRows(going.stream().mapToInt(Hypothesis::row).toArray());
            decoding.append(going.stream().mapToLong(Hypothesis::token).toArray());
        }
    }

    private Continuations continuations(Decoding decoding) {
        int width = beams * Math.max(2, 1 + ends.size());
        try (NDArray logits = decoding.logits();
                NDArray all = logits.logSoftmax(-1);
                NDList top = all.topK((int) Math.min(width, all.getShape().get(1)), 1)) {
            float[] logProbabilities = top.get(0).toFloatArray();
            for (float logProbability : logProbabilities) {
                TokenSampler.checkNumber(logProbability);
            }
            int count = (int) top.get(0).getShape().get(1);
            return new Continuations(logProbabilities, top.get(1).toLongArray(), count);
        }
    }

    private float weigh(Hypothesis text) {
        return text.score() / (float) Math.pow(text.length(), lengthPenalty);
    }

    /**
     * The most probable tokens behind each row.
     *
     * @param logProbabilities their log-probabilities, row after row
     * @param tokens their ids
     * @param count how many there are in a row
     */
    private record Continuations(float[] logProbabilities, long[] tokens, int count) {}

    /**
     * The beginning of a text, or a finished one.
     *
     * @param before all but the last token; null before the first
     * @param token the last token
     * @param length the number of tokens
     * @param score the sum of their log-probabilities
     * @param row where the model has read all but the last
     */
    private record Hypothesis(Hypothesis before, long token, int length, float score, int row) {

        long[] tokens() {
            long[] tokens = new long[length];
            for (Hypothesis text = this; text.length > 0; text = text.before) {
                tokens[text.length - 1] = text.token;
            }
            return tokens;
        }
    }

    /** The search for the text that follows one prompt. */
    private final class Search {

        // Both with the best first.
        private List<Hypothesis> going = List.of(new Hypothesis(null, 0, 0, 0, 0));
        private final List<Hypothesis> finished = new ArrayList<>();

        /** Writes one more token; returns the row behind those of this search. */
        int step(Continuations continuations, int firstRow) {
            List<Hypothesis> candidates = new ArrayList<>();
            int row = firstRow;
            for (Hypothesis text : going) {
                for (int i = 0; i < continuations.count; i++) {
                    int at = row * continuations.count + i;
                    candidates.add(
                            new Hypothesis(
                                    text,
                                    continuations.tokens[at],
                                    text.length + 1,
                                    text.score + continuations.logProbabilities[at],
                                    row));
                }
                row++;
            }
            candidates.sort(BEST_FIRST);
            going = candidates.stream().filter(text -> !ends(text)).limit(beams).toList();
            candidates.stream().limit(beams).filter(this::ends).forEach(this::finish);
            return row;
        }

        private boolean ends(Hypothesis text) {
            return text.length == maxNewTokens || ends.contains(text.token);
        }

        private void finish(Hypothesis text) {
            int place = 0;
            while (place < finished.size() && weigh(finished.get(place)) >= weigh(text)) {
                place++;
            }
            finished.add(place, text);
            if (finished.size() > beams) {
                finished.remove(beams);
            }
        }

        boolean isDone() {
            return going.isEmpty()
                    || finished.size() == beams
                            && weigh(going.get(0)) <= weigh(finished.get(beams - 1));
        }

        long[] best() {
            return finished.get(0).tokens();
        }
    }
}

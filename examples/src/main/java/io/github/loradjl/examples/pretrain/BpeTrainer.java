package io.github.loradjl.examples.pretrain;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Learns a byte-level byte-pair encoding from texts.
 *
 * <p>Texts are cut into words, each with the space before it, by GPT-2's pattern; the words' bytes,
 * written in GPT-2's printable alphabet, are the first pieces. Then the most frequent pair of
 * neighbouring pieces becomes a new piece, again and again, until the vocabulary is full. Equal
 * counts are decided by the pair's text, so the result depends on nothing but the texts.
 *
 * @see <a href="https://arxiv.org/abs/1508.07909">Neural Machine Translation of Rare Words with
 *     Subword Units</a>
 */
public final class BpeTrainer {

    private static final Pattern WORD =
            Pattern.compile(
                    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+"
                            + "|\\s+(?!\\S)|\\s+");

    private final Map<String, Integer> words = new TreeMap<>();

    /** A pair of neighbouring pieces; the smaller one by text wins where counts are equal. */
    private record Pair(String left, String right) implements Comparable<Pair> {

        private static final Comparator<Pair> BY_TEXT =
                Comparator.comparing(Pair::left).thenComparing(Pair::right);

        @Override
        public int compareTo(Pair other) {
            return BY_TEXT.compare(this, other);
        }
    }

    /** A word as its present pieces, with how often it occurs. */
    private record Word(List<String> pieces, int count) {}

    /**
     * What was learned.
     *
     * @param vocabulary every piece with its id, special tokens first, then the 256 bytes
     * @param merges the pairs that were joined, first to last, as "left right"
     */
    public record Bpe(Map<String, Integer> vocabulary, List<String> merges) {}

    /**
     * Counts the words of a text.
     *
     * @param text the text
     */
    public void add(String text) {
        Matcher matcher = WORD.matcher(text);
        while (matcher.find()) {
            words.merge(matcher.group(), 1, Integer::sum);
        }
    }

    /**
     * Learns the encoding.
     *
     * @param size the size of the vocabulary, special tokens and the 256 bytes included
     * @param specialTokens tokens that stand for themselves and get the first ids
     * @return the vocabulary and the merges; the vocabulary is smaller than {@code size} if the
     *     texts have no more pairs that occur twice
     * @throws IllegalArgumentException if {@code size} leaves no room for bytes and special tokens
     */
    public Bpe train(int size, List<String> specialTokens) {
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
        specialTokens.forEach(token -> vocabulary.put(token, vocabulary.size()));
        alphabet().stream()
                .sorted()
                .forEach(letter -> vocabulary.put(String.valueOf(letter), vocabulary.size()));
        if (size < vocabulary.size()) {
            throw new IllegalArgumentException(
                    "a vocabulary of "
                            + size
                            + " has no room for 256 bytes and "
                            + specialTokens.size()
                            + " special tokens");
        }
        List<Word> split = new ArrayList<>();
        words.forEach((word, count) -> split.add(new Word(pieces(word), count)));
        List<String> merges = new ArrayList<>();
        while (vocabulary.size() < size) {
            Pair best = mostFrequentPair(split);
            if (best == null) {
                break;
            }
            vocabulary.put(best.left() + best.right(), vocabulary.size());
            merges.add(best.left() + " " + best.right());
            split.forEach(word -> merge(word.pieces(), best));
        }
        return new Bpe(vocabulary, merges);
    }

    private static Pair mostFrequentPair(List<Word> words) {
        Map<Pair, Integer> counts = new HashMap<>();
        for (Word word : words) {
            List<String> pieces = word.pieces();
            for (int i = 1; i < pieces.size(); i++) {
                counts.merge(
                        new Pair(pieces.get(i - 1), pieces.get(i)), word.count(), Integer::sum);
            }
        }
        return counts.entrySet().stream()
                .filter(entry -> entry.getValue() > 1)
                .min(
                        Map.Entry.<Pair, Integer>comparingByValue(Comparator.reverseOrder())
                                .thenComparing(Map.Entry.comparingByKey()))
                .map(Map.Entry::getKey)
                .orElse(null);
    }

    private static void merge(List<String> pieces, Pair pair) {
        for (int i = 1; i < pieces.size(); i++) {
            if (pieces.get(i - 1).equals(pair.left()) && pieces.get(i).equals(pair.right())) {
                pieces.set(i - 1, pair.left() + pair.right());
                pieces.remove(i);
            }
        }
    }

    private static List<String> pieces(String word) {
        List<Character> alphabet = alphabet();
        List<String> pieces = new ArrayList<>();
        for (byte b : word.getBytes(StandardCharsets.UTF_8)) {
            pieces.add(String.valueOf(alphabet.get(b & 0xff)));
        }
        return pieces;
    }

    /**
     * Returns the letter of each byte: printable Latin-1 stands for itself, the other bytes take
     * the letters from 256 on, in order.
     */
    private static List<Character> alphabet() {
        List<Character> letters = new ArrayList<>();
        char next = 256;
        for (char b = 0; b < 256; b++) {
            boolean printable =
                    (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || (b >= 0xae && b <= 0xff);
            letters.add(printable ? b : next++);
        }
        return letters;
    }
}

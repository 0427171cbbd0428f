package io.github.loradjl.zoo.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import java.util.function.IntUnaryOperator;

/**
 * Puts several rows into one sequence each, whole and with little room left.
 *
 * <p>Best fit, longest rows first: each row goes where it leaves the least room. This happens
 * within chunks of the given order, which are worth {@value #CHUNK} sequences, so that another
 * order gives other neighbours while less than one sequence in a chunk stays half empty.
 *
 * <p>Without the rows of some sequences, the others come out as they were; so the first few
 * sequences of an order can be made again from their own rows.
 */
final class Packing {

    private static final int CHUNK = 256;

    private Packing() {}

    /**
     * Packs rows.
     *
     * @param rows the rows in their order
     * @param length tells the number of tokens of a row, at most the room
     * @param room the most tokens of a sequence
     * @return the rows of each sequence, in the order of the rows
     */
    static int[][] pack(int[] rows, IntUnaryOperator length, int room) {
        List<int[]> sequences = new ArrayList<>();
        for (int from = 0; from < rows.length; ) {
            int to = from;
            for (long tokens = 0; to < rows.length && tokens < (long) CHUNK * room; to++) {
                tokens += length.applyAsInt(rows[to]);
            }
            sequences.addAll(chunk(Arrays.copyOfRange(rows, from, to), length, room));
            from = to;
        }
        return sequences.toArray(new int[0][]);
    }

    /** A sequence is known by its number, and its rows by their places in the chunk. */
    private static List<int[]> chunk(int[] rows, IntUnaryOperator length, int room) {
        Integer[] byLength = new Integer[rows.length];
        Arrays.setAll(byLength, i -> i);
        Arrays.sort(
                byLength,
                Comparator.comparing(place -> -length.applyAsInt(rows[place.intValue()])));
        List<List<Integer>> sequences = new ArrayList<>();
        TreeSet<Space> spaces = new TreeSet<>();
        for (Integer place : byLength) {
            int needed = length.applyAsInt(rows[place]);
            Space space = spaces.ceiling(new Space(needed, 0));
            if (space == null) {
                space = new Space(room, sequences.size());
                sequences.add(new ArrayList<>());
            }
            spaces.remove(space);
            spaces.add(new Space(space.left() - needed, space.sequence()));
            sequences.get(space.sequence()).add(place);
        }
        sequences.forEach(places -> places.sort(null));
        sequences.sort(Comparator.comparing(places -> places.get(0)));
        return sequences.stream()
                .map(places -> places.stream().mapToInt(place -> rows[place]).toArray())
                .toList();
    }

    /** The room left in a sequence; the least first, and of equal ones the older. */
    private record Space(int left, int sequence) implements Comparable<Space> {

        /** {@inheritDoc} */
        @Override
        public int compareTo(Space other) {
            int byRoom = Integer.compare(left, other.left);
            return byRoom != 0 ? byRoom : Integer.compare(sequence, other.sequence);
        }
    }
}

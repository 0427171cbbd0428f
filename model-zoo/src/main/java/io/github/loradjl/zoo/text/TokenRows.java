package io.github.loradjl.zoo.text;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Tokenised rows, of which only an index is in memory.
 *
 * <p>The tokens lie in a temporary file, so that a data set may be larger than memory; of a row,
 * its offset, lengths and place in the data are kept, which is all that shuffling, grouping by
 * length and messages need. Parts of the rows share the file. It goes with the last of them, and
 * has no name any more while it is in use where the system allows that, so that not even a killed
 * process leaves it behind.
 */
final class TokenRows {

    private final RandomAccessFile file;
    private final long[] offsets;
    private final Lengths lengths;
    private final Places places;
    private final int[] rows;

    private TokenRows(
            RandomAccessFile file, long[] offsets, Lengths lengths, Places places, int[] rows) {
        this.file = file;
        this.offsets = offsets;
        this.lengths = lengths;
        this.places = places;
        this.rows = rows;
    }

    /** A data file, and the number of the source that it belongs to. */
    record Origin(Path file, int source) {}

    /** The tokens of each row, and how many of the first an encoder reads. */
    private record Lengths(int[] all, int[] encoder) {}

    /** Where the rows come from: the number of the file, and the line or block in it, from 1. */
    private record Places(List<Origin> origins, int[] files, int[] lines) {}

    int size() {
        return rows.length;
    }

    /** Returns the number of tokens of a row. */
    int length(int row) {
        return lengths.all()[rows[row]];
    }

    /** Returns how many of the first tokens of a row an encoder reads; 0 without an encoder. */
    int encoderLength(int row) {
        return lengths.encoder()[rows[row]];
    }

    /** Returns the number of the source that a row is from. */
    int source(int row) {
        return places.origins().get(places.files()[rows[row]]).source();
    }

    /** Names the file and the line, or block, of a row. */
    String name(int row) {
        Path path = places.origins().get(places.files()[rows[row]]).file();
        int line = places.lines()[rows[row]];
        return DataFiles.isText(path) ? path + " block " + line : path + ":" + line;
    }

    /** Returns the given rows of these. */
    TokenRows select(int[] chosen) {
        int[] own = Arrays.stream(chosen).map(row -> rows[row]).toArray();
        return new TokenRows(file, offsets, lengths, places, own);
    }

    TokenRow get(int row) {
        int number = rows[row];
        byte[] bytes = new byte[Math.toIntExact(offsets[number + 1] - offsets[number])];
        try {
            synchronized (file) {
                file.seek(offsets[number]);
                file.readFully(bytes);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "The temporary file of tokenised rows cannot be read: " + e.getMessage(), e);
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        int cut = in.getInt();
        boolean straddling = in.getInt() != 0;
        int[] learnt = ints(in, in.getInt());
        int[] ids = ints(in, lengths.all()[number]);
        return new TokenRow(ids, learnt, cut, straddling, lengths.encoder()[number]);
    }

    private static int[] ints(ByteBuffer in, int number) {
        int[] values = new int[number];
        in.asIntBuffer().get(values);
        in.position(in.position() + Integer.BYTES * number);
        return values;
    }

    /** Writes rows down one after the other. */
    static final class Writer {

        private final RandomAccessFile file;
        private final DataOutputStream out;
        private long[] offsets = new long[1024];
        private int[] lengths = new int[1024];
        private int[] encoderLengths = new int[1024];
        private final List<Origin> origins = new ArrayList<>();
        private int[] files = new int[1024];
        private int[] lines = new int[1024];
        private int size;

        Writer() throws IOException {
            Path path = Files.createTempFile("lora-djl-rows", ".bin");
            file = new RandomAccessFile(path.toFile(), "rw");
            try {
                Files.delete(path);
            } catch (IOException e) {
                path.toFile().deleteOnExit();
            }
            out =
                    new DataOutputStream(
                            new BufferedOutputStream(new FileOutputStream(file.getFD())));
        }

        /** Says where the following rows are from. */
        void begin(Origin origin) {
            origins.add(origin);
        }

        /** Adds a row that stands in the given line or block of the file. */
        void add(TokenRow row, long line) throws IOException {
            if (size + 1 == offsets.length) {
                offsets = Arrays.copyOf(offsets, 2 * offsets.length);
                lengths = Arrays.copyOf(lengths, 2 * lengths.length);
                encoderLengths = Arrays.copyOf(encoderLengths, 2 * encoderLengths.length);
                files = Arrays.copyOf(files, 2 * files.length);
                lines = Arrays.copyOf(lines, 2 * lines.length);
            }
            int words = 3 + row.learnt().length + row.ids().length;
            ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * words);
            bytes.putInt(row.cut()).putInt(row.straddling() ? 1 : 0).putInt(row.learnt().length);
            Arrays.stream(row.learnt()).forEach(bytes::putInt);
            Arrays.stream(row.ids()).forEach(bytes::putInt);
            out.write(bytes.array());
            lengths[size] = row.ids().length;
            encoderLengths[size] = row.encoderLength();
            files[size] = origins.size() - 1;
            lines[size] = Math.toIntExact(line);
            offsets[size + 1] = offsets[size] + bytes.capacity();
            size++;
        }

        int size() {
            return size;
        }

        /** Ends writing. */
        TokenRows rows() throws IOException {
            out.flush();
            return new TokenRows(
                    file,
                    Arrays.copyOf(offsets, size + 1),
                    new Lengths(Arrays.copyOf(lengths, size), Arrays.copyOf(encoderLengths, size)),
                    new Places(
                            List.copyOf(origins),
                            Arrays.copyOf(files, size),
                            Arrays.copyOf(lines, size)),
                    IntStream.range(0, size).toArray());
        }
    }
}

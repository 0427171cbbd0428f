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
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Tokenised rows, of which only an index is in memory.
 *
 * <p>The tokens lie in a temporary file, so that a data set may be larger than memory; of a row,
 * its offset, length and source are kept, which is all that shuffling and grouping by length need.
 * Parts of the rows share the file. It goes with the last of them, and has no name any more while
 * it is in use where the system allows that, so that not even a killed process leaves it behind.
 */
final class TokenRows {

    private final RandomAccessFile file;
    private final long[] offsets;
    private final int[] lengths;
    private final int[] sources;
    private final int[] rows;

    private TokenRows(
            RandomAccessFile file, long[] offsets, int[] lengths, int[] sources, int[] rows) {
        this.file = file;
        this.offsets = offsets;
        this.lengths = lengths;
        this.sources = sources;
        this.rows = rows;
    }

    int size() {
        return rows.length;
    }

    /** Returns the number of tokens of a row. */
    int length(int row) {
        return lengths[rows[row]];
    }

    int source(int row) {
        return sources[rows[row]];
    }

    /** Returns the given rows of these. */
    TokenRows select(int[] chosen) {
        int[] own = Arrays.stream(chosen).map(row -> rows[row]).toArray();
        return new TokenRows(file, offsets, lengths, sources, own);
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
        return new TokenRow(ints(in, lengths[number]), learnt, cut, straddling, sources[number]);
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
        private int[] sources = new int[1024];
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

        void add(TokenRow row) throws IOException {
            if (size + 1 == offsets.length) {
                offsets = Arrays.copyOf(offsets, 2 * offsets.length);
                lengths = Arrays.copyOf(lengths, 2 * lengths.length);
                sources = Arrays.copyOf(sources, 2 * sources.length);
            }
            int words = 3 + row.learnt().length + row.ids().length;
            ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * words);
            bytes.putInt(row.cut()).putInt(row.straddling() ? 1 : 0).putInt(row.learnt().length);
            Arrays.stream(row.learnt()).forEach(bytes::putInt);
            Arrays.stream(row.ids()).forEach(bytes::putInt);
            out.write(bytes.array());
            lengths[size] = row.ids().length;
            sources[size] = row.source();
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
                    Arrays.copyOf(lengths, size),
                    Arrays.copyOf(sources, size),
                    IntStream.range(0, size).toArray());
        }
    }
}

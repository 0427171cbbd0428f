package io.github.loradjl.zoo.text;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Reads the lines of a UTF-8 file one by one and knows their numbers. A byte order mark and
 * carriage returns before line ends are left out; bytes that are not UTF-8 are an error of their
 * own line.
 */
final class Utf8Lines implements Closeable {

    private static final char BYTE_ORDER_MARK = '\ufeff';

    private final Path file;
    private final InputStream in;
    private long number;

    Utf8Lines(Path file) throws IOException {
        this.file = file;
        in = new BufferedInputStream(Files.newInputStream(file));
    }

    /** Returns the next line without its end, or null at the end of the file. */
    String next() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int b = in.read();
        if (b < 0) {
            return null;
        }
        number++;
        for (; b >= 0 && b != '\n'; b = in.read()) {
            bytes.write(b);
        }
        String line = decode(bytes.toByteArray());
        if (number == 1 && !line.isEmpty() && line.charAt(0) == BYTE_ORDER_MARK) {
            line = line.substring(1);
        }
        return line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
    }

    private String decode(byte[] line) throws IOException {
        try {
            // A new decoder reports what the usual constructor of a string would replace.
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line)).toString();
        } catch (CharacterCodingException e) {
            throw new IOException(place() + ": not valid UTF-8; convert the file to UTF-8", e);
        }
    }

    /** Returns the number of the line read last, from 1. */
    long number() {
        return number;
    }

    /** Names the file and the line read last. */
    String place() {
        return file + ", line " + number;
    }

    /** {@inheritDoc} */
    @Override
    public void close() throws IOException {
        in.close();
    }
}

package io.github.loradjl.zoo.text;

import ai.djl.util.Progress;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** Files of texts and how to read them. */
record TextSource(
        TextTokenizer tokenizer, List<Path> paths, RowFormat format, long limit, RowOptions rows) {

    private static final Logger logger = LoggerFactory.getLogger(TextSource.class);

    private static final int DEFAULT_MAX_LENGTH = 1024;

    /** Rows with something to learn, and how many others there were. */
    record Rows(TokenRows kept, long dropped) {}

    String name() {
        return paths.stream().map(Path::toString).collect(Collectors.joining(", "));
    }

    Rows read(Progress progress) throws IOException {
        if (tokenizer.getEosId().isEmpty()) {
            logger.warn("The tokenizer names no end token: rows are left without one");
        }
        long modelMax = tokenizer.getModelMaxLength().orElse(Long.MAX_VALUE);
        if (rows.maxLength() > modelMax) {
            logger.warn(
                    "Rows may have {} tokens, but the model was made for {}",
                    rows.maxLength(),
                    modelMax);
        }
        Reading reading = new Reading(this, progress);
        for (int source = 0; source < paths.size(); source++) {
            reading.read(source);
        }
        if (reading.kept.size() == 0) {
            throw new IOException(
                    name()
                            + ": nothing to learn is left in any of "
                            + reading.all
                            + " rows within "
                            + rows.maxLength()
                            + " tokens; "
                            + reading.encoder.remedy());
        }
        return new Rows(reading.kept.rows(), reading.all - reading.kept.size());
    }

    /** Returns the maximum length of rows unless another is asked for. */
    static int defaultLength(TextTokenizer tokenizer) {
        return (int)
                Math.min(
                        DEFAULT_MAX_LENGTH,
                        tokenizer.getModelMaxLength().orElse(DEFAULT_MAX_LENGTH));
    }

    /** One pass over the files. */
    private static final class Reading {

        private final TextSource texts;
        private final RowEncoder encoder;
        private final Progress progress;
        private final TokenRows.Writer kept = new TokenRows.Writer();
        private long all;

        Reading(TextSource texts, Progress progress) throws IOException {
            this.texts = texts;
            this.progress = progress;
            encoder = RowEncoder.of(texts.tokenizer, texts.rows);
        }

        /** Goes through the files twice: a malformed row is to be found before the work is done. */
        void read(int source) throws IOException {
            List<Path> files = DataFiles.list(texts.paths.get(source));
            long expected = 0;
            for (Path file : files) {
                if (!DataFiles.isText(file)) {
                    long left = texts.limit - expected;
                    expected += DataFiles.read(file, texts.format, left, DataFiles.CHECK);
                } else if (!texts.format.takesText()) {
                    throw new IOException(file + " is plain text, without " + texts.format.needs());
                }
            }
            if (progress != null) {
                progress.reset("Tokenizing", expected);
            }
            long before = all;
            for (Path file : files) {
                kept.begin(new TokenRows.Origin(file, source));
                long left = texts.limit - (all - before);
                if (DataFiles.isText(file)) {
                    readText(file, left);
                } else {
                    DataFiles.read(file, texts.format, left, this::readRow);
                }
            }
            if (progress != null) {
                progress.end();
            }
        }

        private void readRow(RawRow row, long line) throws IOException {
            keep(encoder.encode(row, all), line);
            if (progress != null) {
                progress.increment(1);
            }
        }

        private void readText(Path file, long limit) throws IOException {
            if (limit == 0) {
                return;
            }
            long number = 0;
            for (TokenRow block : blocks(file)) {
                if (number < limit) {
                    keep(block, ++number);
                }
            }
        }

        private List<TokenRow> blocks(Path file) throws IOException {
            String text = text(file);
            try {
                return encoder.blocks(text, all);
            } catch (IOException e) {
                throw new IOException(file + ": " + e.getMessage(), e);
            }
        }

        private void keep(TokenRow row, long line) throws IOException {
            all++;
            if (row.kept() > 0) {
                kept.add(row, line);
            }
        }
    }

    private static String text(Path file) throws IOException {
        String text;
        try {
            text = Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new IOException(file + ": not valid UTF-8; convert the file to UTF-8", e);
        }
        text = text.startsWith("\ufeff") ? text.substring(1) : text;
        if (text.isBlank()) {
            throw new IOException(file + " holds no text");
        }
        return text.replace("\r\n", "\n");
    }
}

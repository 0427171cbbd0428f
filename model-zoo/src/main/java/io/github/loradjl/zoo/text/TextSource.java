package io.github.loradjl.zoo.text;

import ai.djl.util.Progress;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A file of texts and how to read it. A maximum length of 0 stands for the default. */
record TextSource(
        TextTokenizer tokenizer,
        Path file,
        RawRow.Keys keys,
        String separator,
        boolean trainOnPrompt,
        int maxLength,
        long limit) {

    private static final Logger logger = LoggerFactory.getLogger(TextSource.class);

    private static final int DEFAULT_MAX_LENGTH = 1024;

    /** Rows with something to learn, and how many others there were. */
    record Rows(List<TokenRow> kept, int dropped) {}

    Rows read(Progress progress) throws IOException {
        if (!Files.exists(file)) {
            throw new IOException("There is no data file " + file);
        }
        if (tokenizer.getEosId().isEmpty()) {
            logger.warn("The tokenizer names no end token: rows are left without one");
        }
        int length = rowLength();
        List<TokenRow> all =
                encode(new RowEncoder(tokenizer, length, separator, trainOnPrompt), progress);
        List<TokenRow> kept = all.stream().filter(row -> row.kept() > 0).toList();
        if (kept.isEmpty()) {
            throw new IOException(
                    file
                            + ": nothing to learn is left in any of "
                            + all.size()
                            + " rows within "
                            + length
                            + " tokens; raise optMaxLength or shorten the prompts");
        }
        return new Rows(kept, all.size() - kept.size());
    }

    private int rowLength() {
        long modelMax = tokenizer.getModelMaxLength().orElse(Long.MAX_VALUE);
        if (maxLength > modelMax) {
            logger.warn(
                    "Rows may have {} tokens, but the model was made for {}", maxLength, modelMax);
        }
        return maxLength > 0 ? maxLength : (int) Math.min(DEFAULT_MAX_LENGTH, modelMax);
    }

    private List<TokenRow> encode(RowEncoder encoder, Progress progress) throws IOException {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        if (name.endsWith(".txt")) {
            List<TokenRow> blocks = encoder.blocks(text());
            return blocks.subList(0, (int) Math.min(blocks.size(), limit));
        }
        if (!name.endsWith(".jsonl") && !name.endsWith(".json")) {
            throw new IOException(file + " is neither .jsonl (one JSON object per line) nor .txt");
        }
        List<RawRow> raw = RawRow.read(file, keys, limit);
        List<TokenRow> encoded = new ArrayList<>(raw.size());
        if (progress != null) {
            progress.reset("Tokenizing", raw.size());
        }
        for (RawRow row : raw) {
            encoded.add(encoder.encode(row));
            if (progress != null) {
                progress.increment(1);
            }
        }
        if (progress != null) {
            progress.end();
        }
        return encoded;
    }

    private String text() throws IOException {
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

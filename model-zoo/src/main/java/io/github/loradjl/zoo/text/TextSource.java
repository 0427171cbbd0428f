package io.github.loradjl.zoo.text;

import ai.djl.util.Progress;

import io.github.loradjl.zoo.text.chat.ChatTemplate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Files of texts and how to read them. A maximum length of 0 stands for the default; the template
 * may be null.
 */
record TextSource(
        TextTokenizer tokenizer,
        List<Path> paths,
        RawRow.Keys keys,
        String separator,
        boolean trainOnPrompt,
        int maxLength,
        long limit,
        ChatTemplate template) {

    private static final Logger logger = LoggerFactory.getLogger(TextSource.class);

    private static final int DEFAULT_MAX_LENGTH = 1024;

    /** Rows with something to learn, and how many others there were. */
    record Rows(List<TokenRow> kept, int dropped) {}

    String name() {
        return paths.stream().map(Path::toString).collect(Collectors.joining(", "));
    }

    Rows read(Progress progress) throws IOException {
        if (tokenizer.getEosId().isEmpty()) {
            logger.warn("The tokenizer names no end token: rows are left without one");
        }
        int length = rowLength();
        RowEncoder encoder = new RowEncoder(this, length);
        List<TokenRow> all = new ArrayList<>();
        for (int source = 0; source < paths.size(); source++) {
            List<TokenRow> rows = encode(paths.get(source), encoder, progress);
            int number = source;
            rows.forEach(row -> all.add(row.from(number)));
        }
        List<TokenRow> kept = all.stream().filter(row -> row.kept() > 0).toList();
        if (kept.isEmpty()) {
            throw new IOException(
                    name()
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

    private List<TokenRow> encode(Path path, RowEncoder encoder, Progress progress)
            throws IOException {
        List<TokenRow> encoded = new ArrayList<>();
        List<RawRow> raw = new ArrayList<>();
        for (Path file : DataFiles.list(path)) {
            if ("txt".equals(DataFiles.ending(file))) {
                encoded.addAll(encoder.blocks(text(file)));
            } else {
                raw.addAll(DataFiles.read(file, keys, limit - raw.size()));
            }
        }
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
        return encoded.subList(0, (int) Math.min(encoded.size(), limit));
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

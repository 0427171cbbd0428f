package io.github.loradjl.zoo.text;

import ai.djl.util.Progress;

import io.github.loradjl.zoo.text.chat.ChatTemplate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** Files of texts and how to read them; the template may be null. */
record TextSource(
        TextTokenizer tokenizer,
        List<Path> paths,
        RawRow.Keys keys,
        String promptFormat,
        boolean trainOnPrompt,
        int maxLength,
        long limit,
        ChatTemplate template,
        boolean isChat) {

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
        if (maxLength > modelMax) {
            logger.warn(
                    "Rows may have {} tokens, but the model was made for {}", maxLength, modelMax);
        }
        RowEncoder encoder = new RowEncoder(this);
        TokenRows.Writer kept = new TokenRows.Writer();
        long all = 0;
        for (int source = 0; source < paths.size(); source++) {
            all += encode(source, encoder, kept, progress);
        }
        if (kept.size() == 0) {
            throw new IOException(
                    name()
                            + ": nothing to learn is left in any of "
                            + all
                            + " rows within "
                            + maxLength
                            + " tokens; raise optMaxLength or shorten the prompts");
        }
        return new Rows(kept.rows(), all - kept.size());
    }

    /** Returns the maximum length of rows unless another is asked for. */
    static int defaultLength(TextTokenizer tokenizer) {
        return (int)
                Math.min(
                        DEFAULT_MAX_LENGTH,
                        tokenizer.getModelMaxLength().orElse(DEFAULT_MAX_LENGTH));
    }

    /** Goes through the files twice: a malformed row is to be found before the work is done. */
    private long encode(int source, RowEncoder encoder, TokenRows.Writer kept, Progress progress)
            throws IOException {
        List<Path> files = DataFiles.list(paths.get(source));
        long expected = 0;
        for (Path file : files) {
            if (!DataFiles.isText(file)) {
                expected += DataFiles.read(file, keys, limit - expected, (row, line) -> {});
            }
        }
        if (progress != null) {
            progress.reset("Tokenizing", expected);
        }
        long rows = 0;
        for (Path file : files) {
            kept.begin(new TokenRows.Origin(file, source));
            rows +=
                    DataFiles.isText(file)
                            ? blocks(file, limit - rows, encoder, kept)
                            : DataFiles.read(
                                    file,
                                    keys,
                                    limit - rows,
                                    (row, line) -> {
                                        keep(encoder.encode(row), line, kept);
                                        if (progress != null) {
                                            progress.increment(1);
                                        }
                                    });
        }
        if (progress != null) {
            progress.end();
        }
        return rows;
    }

    private static long blocks(Path file, long limit, RowEncoder encoder, TokenRows.Writer kept)
            throws IOException {
        if (limit == 0) {
            return 0;
        }
        long number = 0;
        for (TokenRow block : encoder.blocks(text(file))) {
            if (number < limit) {
                keep(block, ++number, kept);
            }
        }
        return number;
    }

    private static void keep(TokenRow row, long line, TokenRows.Writer kept) throws IOException {
        if (row.kept() > 0) {
            kept.add(row, line);
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

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
    record Rows(TokenRows kept, long dropped) {}

    String name() {
        return paths.stream().map(Path::toString).collect(Collectors.joining(", "));
    }

    Rows read(Progress progress) throws IOException {
        if (tokenizer.getEosId().isEmpty()) {
            logger.warn("The tokenizer names no end token: rows are left without one");
        }
        int length = rowLength();
        RowEncoder encoder = new RowEncoder(this, length);
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
                            + length
                            + " tokens; raise optMaxLength or shorten the prompts");
        }
        return new Rows(kept.rows(), all - kept.size());
    }

    private int rowLength() {
        long modelMax = tokenizer.getModelMaxLength().orElse(Long.MAX_VALUE);
        if (maxLength > modelMax) {
            logger.warn(
                    "Rows may have {} tokens, but the model was made for {}", maxLength, modelMax);
        }
        return maxLength > 0 ? maxLength : (int) Math.min(DEFAULT_MAX_LENGTH, modelMax);
    }

    /** Goes through the files twice: a malformed row is to be found before the work is done. */
    private long encode(int source, RowEncoder encoder, TokenRows.Writer kept, Progress progress)
            throws IOException {
        List<Path> files = DataFiles.list(paths.get(source));
        long expected = each(files, row -> {});
        if (progress != null) {
            progress.reset("Tokenizing", expected);
        }
        long rows =
                each(
                        files,
                        row -> {
                            keep(encoder.encode(row), source, kept);
                            if (progress != null) {
                                progress.increment(1);
                            }
                        });
        for (Path file : files) {
            if (!isText(file)) {
                continue;
            }
            for (TokenRow block : encoder.blocks(text(file))) {
                if (rows < limit) {
                    keep(block, source, kept);
                    rows++;
                }
            }
        }
        if (progress != null) {
            progress.end();
        }
        return rows;
    }

    private static void keep(TokenRow row, int source, TokenRows.Writer kept) throws IOException {
        if (row.kept() > 0) {
            kept.add(row.from(source));
        }
    }

    private long each(List<Path> files, DataFiles.RowReader reader) throws IOException {
        long rows = 0;
        for (Path file : files) {
            if (!isText(file)) {
                rows += DataFiles.read(file, keys, limit - rows, reader);
            }
        }
        return rows;
    }

    private static boolean isText(Path file) {
        return "txt".equals(DataFiles.ending(file));
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

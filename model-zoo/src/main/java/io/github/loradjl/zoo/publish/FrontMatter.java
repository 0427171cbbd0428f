package io.github.loradjl.zoo.publish;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The settings between two lines of {@code ---} at the head of a model card.
 *
 * <p>Only {@code key: value} on one line is read, which is all that is needed of a stranger's card;
 * lists and nested settings are passed over, so no YAML is interpreted.
 */
final class FrontMatter {

    private static final int MAX_SIZE = 1 << 20;
    private static final String FENCE = "---";

    private FrontMatter() {}

    /**
     * Reads the plain settings of a card.
     *
     * @param card the file; none is as good as an empty one
     * @return values by key
     * @throws IOException if the file is no text, too long, or its front matter does not end
     */
    static Map<String, String> read(Path card) throws IOException {
        Map<String, String> values = new LinkedHashMap<>();
        if (!Files.exists(card)) {
            return values;
        }
        if (!Files.isRegularFile(card) || Files.size(card) > MAX_SIZE) {
            throw new IOException(card + " is no model card: it takes a text of up to 1 MB");
        }
        String[] lines = text(card).split("\\R", -1);
        if (!FENCE.equals(lines[0].strip())) {
            return values;
        }
        for (int i = 1; i < lines.length; i++) {
            if (FENCE.equals(lines[i].strip())) {
                return values;
            }
            int colon = lines[i].indexOf(':');
            if (colon > 0 && lines[i].substring(0, colon).matches("[A-Za-z_][A-Za-z0-9_-]*")) {
                String value = scalar(lines[i].substring(colon + 1).strip());
                if (value != null) {
                    values.put(lines[i].substring(0, colon), value);
                }
            }
        }
        throw new IOException(card + " begins with --- but has no second --- to end the settings");
    }

    private static String text(Path card) throws IOException {
        try {
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(card));
            String text = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
            return text.startsWith("\uFEFF") ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            throw new IOException(card + " is no text in UTF-8", e);
        }
    }

    /** Returns a plain or quoted value; null for anything that is more than that. */
    private static String scalar(String value) {
        boolean isQuoted =
                value.length() > 1
                        && (value.startsWith("\"") && value.endsWith("\"")
                                || value.startsWith("'") && value.endsWith("'"));
        if (isQuoted) {
            return value.substring(1, value.length() - 1);
        }
        return value.isEmpty() || "[{&*!|>%@`\"'#".indexOf(value.charAt(0)) >= 0 ? null : value;
    }
}

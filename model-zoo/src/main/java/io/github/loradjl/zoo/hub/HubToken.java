package io.github.loradjl.zoo.hub;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** The secret by which the hub knows a user, and where it was found. Never shown. */
final class HubToken {

    private static final Logger LOG = LoggerFactory.getLogger(HubToken.class);

    private final String value;
    private final String source;

    private HubToken(String value, String source) {
        this.value = value;
        this.source = source;
    }

    /** Makes a token, or returns null for an empty one. */
    static HubToken of(String text, String source) {
        String value = text == null ? "" : text.strip();
        if (value.isEmpty()) {
            return null;
        }
        if (!value.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
            throw new IllegalArgumentException(
                    "the hub's token in " + source + " has spaces or other odd characters in it");
        }
        return new HubToken(value, source);
    }

    /** Reads a token's file, or returns null if there is none. */
    static HubToken read(Path file) {
        try {
            return of(Files.readString(file), file.toString());
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            LOG.warn("the hub's token file {} cannot be read: {}", file, e.toString());
            return null;
        }
    }

    String value() {
        return value;
    }

    String source() {
        return source;
    }

    /** {@inheritDoc} */
    @Override
    public String toString() {
        return "a token from " + source;
    }
}

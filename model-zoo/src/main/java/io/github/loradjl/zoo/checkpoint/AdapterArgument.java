package io.github.loradjl.zoo.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * The argument {@code adapter} of a criteria: a folder (a {@code Path}, or a {@code String} that
 * names one), the id of a published adapter, {@code owner/name} on the Hugging Face hub, a list of
 * these, or a map from these to weights.
 */
public final class AdapterArgument {

    /** The name of the argument. */
    public static final String NAME = "adapter";

    private AdapterArgument() {}

    /** Finds adapters that are named by an id. */
    @FunctionalInterface
    public interface Finder {

        /**
         * Finds an adapter.
         *
         * @param id the id, {@code [group:]artifact[:version]}, or {@code owner/name[@revision]} on
         *     the Hugging Face hub
         * @return its folder
         * @throws IOException if there is none, or it cannot be read
         */
        Path find(String id) throws IOException;
    }

    /**
     * Reads the argument.
     *
     * @param value the value, or null
     * @param finder finds what is no folder
     * @return the adapters, none for null
     * @throws IOException if an adapter is not there
     * @throws IllegalArgumentException if the value is of another type
     */
    public static List<WeightedAdapter> read(Object value, Finder finder) throws IOException {
        List<WeightedAdapter> adapters = new ArrayList<>();
        if (value instanceof Map<?, ?> map) {
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                double weight = weight(entry.getKey(), entry.getValue());
                adapters.add(new WeightedAdapter(folder(entry.getKey(), finder), weight));
            }
        } else if (value instanceof Collection<?> several) {
            for (Object each : several) {
                adapters.add(new WeightedAdapter(folder(each, finder), 1));
            }
        } else if (value != null) {
            adapters.add(new WeightedAdapter(folder(value, finder), 1));
        }
        return adapters;
    }

    private static Path folder(Object value, Finder finder) throws IOException {
        if (value instanceof Path path) {
            return path;
        }
        if (value instanceof String text && !text.isBlank()) {
            return isFolder(text) ? Path.of(text) : finder.find(text);
        }
        throw new IllegalArgumentException(
                "argument adapter is a folder, the id of a published adapter, a list of these or a"
                        + " map from these to weights, not "
                        + value);
    }

    static boolean isFolder(String text) {
        try {
            return Files.isDirectory(Path.of(text));
        } catch (InvalidPathException e) {
            return false; // on Windows a colon, as in an id
        }
    }

    private static double weight(Object adapter, Object value) {
        if (value instanceof Number number) {
            return number.doubleValue();
        }
        throw new IllegalArgumentException(
                "argument adapter gives " + adapter + " the weight " + value + "; give a number");
    }
}
